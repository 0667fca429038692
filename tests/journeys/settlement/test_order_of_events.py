"""Events in every order, twice, and lost: the books end the same, to the cent.

The sandbox holds back all events of a history that Stripe has been through; they are released in an
order of the test's own. What would settle a purchase without an event is put off for these tests:
it must be the events, or what is run by hand, that bring it home.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any, cast

import msgspec
import pytest

from app.jobs.catalogue import regular_jobs
from app.jobs.regular import run_named
from app.jobs.sweep import sweep
from stripe_sandbox.events import StoredEvent
from tests.journeys.settlement.by_hand import Golden, differences, found_for
from tests.oracle import oracle
from tests.product import Product
from tests.situations import Holder, helper, holder, pay, refund, unlinked_refund
from tests.waiting import until

MUCH_LATER = timedelta(hours=1)
NOT_BY_ITSELF = {"REPAIR_WAIT_SECONDS": "1800", "BALANCE_EVERY_SECONDS": "86400"}
both_modes = pytest.mark.parametrize(
    "product_settings",
    [
        NOT_BY_ITSELF | {"FUNDING_MODE": "hold"},
        pytest.param(NOT_BY_ITSELF | {"FUNDING_MODE": "charge"}, marks=pytest.mark.long),
    ],
    ids=["hold", "charge"],
)

Event = dict[str, Any]
# A purchase of 100.00 of which 70.00 were captured. 70.00 + 4.00 taken of the hold cost 2.45.
PART_TAKEN = {
    "hold": Golden(
        {"1010": 71_55, "1020": -70_00, "4000": -4_00, "5000": 2_45}, gross=4_00, net=1_55
    ),
    # 105.50 came and cost 3.36; 30.00 + 1.50 went back.
    "charge": Golden(
        {"1010": 70_64, "1020": -70_00, "4000": -4_00, "5000": 3_36}, gross=4_00, net=64
    ),
}
# 100.00 and 20.00 more, 10.00 let go of, 70.00 captured, 30.00 of them given back.
WHOLE_LIFE = {
    # 70.00 + 4.00 taken of the first hold cost 2.45; 30.00 + 1.71 went back.
    "hold": Golden(
        {"1010": 39_84, "1020": -40_00, "4000": -4_00, "4010": 1_71, "5000": 2_45},
        gross=2_29,
        net=-16,
    ),
    # 105.50 and 21.00 came and cost 3.36 and 0.91; 50.00 + 2.50 and 30.00 + 1.71 went back.
    "charge": Golden(
        {"1010": 38_02, "1020": -40_00, "4000": -4_00, "4010": 1_71, "5000": 4_27},
        gross=2_29,
        net=-1_98,
    ),
}

# 100.00 captured and 40.00 given back: 40.00 + 2.20 of the 105.50 went back. They came before
# anyone knew whose they were, and wait on 2100 there.
GIVEN_BACK_UNNAMED = Golden(
    {"1010": 59_94, "1020": -100_00, "2100": 40_00, "4000": -5_50, "4010": 2_20, "5000": 3_36},
    gross=3_30,
    net=-6,
)
# 100.00 captured and given back; the bank sent the 105.50 back to us, who owe them to the customer.
SENT_BACK = Golden(
    {"1010": 102_14, "2100": -105_50, "4000": -5_50, "4010": 5_50, "5000": 3_36}, net=-3_36
)


@both_modes
async def test_all_orders_of_events_told_twice_end_the_same(product: Product) -> None:
    ada = await holder(product, cards=3)
    await product.settled()
    await _fault(product, "hold")
    await _fault(product, "duplicate")
    names = [await _part_taken(product, ada, number) for number in range(24)]
    orders = list(permutations(range(4)))
    told = [await _four_events(product, name) for name in names]

    for turn in range(4):
        round_ = [four[order[turn]] for four, order in zip(told, orders, strict=True)]
        await _release(product, round_)
    golden = PART_TAKEN[product.settings.funding_mode]
    after_the_four = [await found_for(product, [name]) for name in names]

    await _release_the_rest(product)
    await oracle(product)
    after_all = [await found_for(product, [name]) for name in names]
    wrong = [
        difference
        for order, *both in zip(orders, after_the_four, after_all, strict=True)
        for found in both
        for difference in differences(f"order {order}", found, golden)
    ]
    assert wrong == [], "\n".join(wrong)


@both_modes
async def test_an_event_that_is_lost_is_made_up_for_by_the_sweep(product: Product) -> None:
    ada = await holder(product, cards=3)
    await product.settled()
    await _fault(product, "hold")
    first = await _whole_life(product, ada, 0)
    kinds = [event["type"] for event in _events_of(product, first)]
    # Those of one charge stand for all that nothing is done about.
    charge = kinds.index("charge.succeeded")
    lost = [at for at, kind in enumerate(kinds) if kind.startswith("issuing_") or at == charge]
    names = [first] + [await _whole_life(product, ada, n) for n in range(1, len(lost) + 1)]
    # Of each purchase another event is lost; of the last one all are.
    for one, name in zip(lost, names, strict=False):
        events = _events_of(product, name)
        assert [event["type"] for event in events] == kinds
        await _release(product, [event["id"] for at, event in enumerate(events) if at != one])

    await _sweep(product)
    golden = WHOLE_LIFE[product.settings.funding_mode]
    swept = [await found_for(product, [name]) for name in names]

    await _release_the_rest(product)
    await oracle(product)
    after_all = [await found_for(product, [name]) for name in names]
    wrong = [
        difference
        for one, *both in zip([*lost, "all"], swept, after_all, strict=True)
        for found in both
        for difference in differences(f"without {one} of {kinds}", found, golden)
    ]
    assert wrong == [], "\n".join(wrong)


@both_modes
async def test_a_refund_that_a_bank_sends_back_is_found_without_its_event(product: Product) -> None:
    ada = await holder(product, sources=("pm_card_refundFail",))
    await _fault(product, "lose", "refund.failed")
    await _fault(product, "lose", "refund.updated")
    name = (await pay(product, ada.card, 100_00))["id"]
    await helper(product, name, "capture")
    await refund(product, name, 100_00)

    async def is_sent_back() -> bool:
        told = (await product.call("GET", "/v1/refunds"))["data"]
        return [one["status"] for one in told] == ["failed"]

    await until(is_sent_back, why="the bank sends it back")
    await _sweep(product)

    assert list(differences(name, await found_for(product, [name]), SENT_BACK)) == []


@both_modes
async def test_a_refund_that_is_told_of_before_its_capture_finds_it(product: Product) -> None:
    ada = await holder(product)
    await product.settled()
    await _fault(product, "hold")
    name = (await pay(product, ada.card, 100_00))["id"]
    await helper(product, name, "capture")
    given = await unlinked_refund(product, ada.card, 40_00)
    await _release(product, [event["id"] for event in _events_of(product, given)])
    await _release_the_rest(product)
    await product.settled()
    await _sweep(product)

    assert list(differences(name, await found_for(product, [name]), GIVEN_BACK_UNNAMED)) == []


async def _part_taken(product: Product, ada: Holder, number: int) -> str:
    name: str = (await pay(product, ada.cards[number % 3], 100_00))["id"]
    await helper(product, name, "capture", capture_amount=70_00)
    return name


async def _whole_life(product: Product, ada: Holder, number: int) -> str:
    name: str = (await pay(product, ada.cards[number % 3], 100_00))["id"]
    await helper(product, name, "increment", increment_amount=20_00)
    await helper(product, name, "reverse", reverse_amount=10_00)
    await helper(product, name, "capture", capture_amount=70_00)
    await refund(product, name, 30_00)
    return name


async def _four_events(product: Product, name: str) -> Sequence[str]:
    """Give authorization.created, authorization.updated, transaction.created and the charge's."""

    def found() -> dict[str, str]:
        by_type: dict[str, str] = {}
        for event in _events_of(product, name):
            kind = "charge" if event["type"].startswith("charge.") else event["type"]
            by_type[kind] = event["id"]
        return by_type

    kinds = (
        "issuing_authorization.created",
        "issuing_authorization.updated",
        "issuing_transaction.created",
        "charge",
    )

    await until(lambda: set(kinds) <= found().keys(), why="Stripe has told of all")
    by_kind = found()
    return [by_kind[kind] for kind in kinds]


def _events_of(product: Product, name: str) -> list[Event]:
    """Give the events that are held back of a purchase, of its charges too, as they happened."""
    assert product.sandbox is not None
    world = product.sandbox.world
    held = dict.fromkeys(one["event"] for one in world.deliveries.held_back())
    stored = [cast("StoredEvent", world.store.get("event", event)) for event in held]
    bodies = [bytes(event.body) for event in stored]
    return [msgspec.json.decode(body) for body in bodies if name.encode() in body]


async def _fault(product: Product, action: str, kind: str = "*") -> None:
    await product.control("event_faults", {"action": action, "type": kind, "times": None})


async def _release(product: Product, events: Sequence[str]) -> None:
    """Deliver events in this order, and wait until they are acted on."""
    await product.control("event_faults/release", {"events": list(events)})
    await until(lambda: _all_processed(product), why="the events are acted on")


async def _release_the_rest(product: Product) -> None:
    response = await product.stripe.delete("/_sandbox/event_faults")
    assert response.status_code == 200
    await product.control("event_faults/release", {})


async def _all_processed(product: Product) -> bool:
    return not await product.rows("SELECT 1 FROM inbound_event WHERE state = 'received'")


async def _sweep(product: Product) -> None:
    """Do now what the worker does later: look at what no event has brought home."""
    parts = product.parts
    later = datetime.now(UTC) + MUCH_LATER
    await sweep(parts.sessions, parts.settler, now=parts.clock.now(), real_now=later)
    await run_named(parts.sessions, regular_jobs(parts), "match_balance")

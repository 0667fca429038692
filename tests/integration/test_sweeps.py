"""What no event told us of: fetched from Stripe's events, or found in its lists, and settled."""

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from app.adapters import stripe_intents
from app.jobs.catalogue import regular_jobs
from app.jobs.regular import run_named
from app.jobs.sweep import sweep
from tests.books import book_problems
from tests.controls import later
from tests.factories import AuthorizationFactory
from tests.faults.arming import INTENTS, arm
from tests.planting import Planting
from tests.product import Product
from tests.situations import (
    LATER_DECLINES,
    Holder,
    behave,
    force_capture,
    helper,
    holder,
    intents,
    pay,
)
from tests.waiting import until

PURCHASES = "SELECT stripe_authorization_id AS name, state FROM card_authorization"
CHARGES = (
    "SELECT stripe_payment_intent_id AS name, state, captured_minor, refunded_minor FROM charge"
)

STANDING = """
SELECT NOT EXISTS (SELECT FROM authorization_request WHERE verified_at IS NULL)
   AND NOT EXISTS (SELECT FROM inbound_event WHERE state = 'received')
   AND NOT EXISTS (SELECT FROM card_authorization
                    WHERE leased_until IS NOT NULL OR settle_after IS NOT NULL) AS rests
"""


async def job(product: Product, name: str) -> str:
    return await run_named(product.parts.sessions, regular_jobs(product.parts), name)


async def at_rest(product: Product) -> None:
    """Wait until what is known of is settled, and what moved is matched."""

    async def quiet() -> bool:
        [row] = await product.rows(STANDING)
        return bool(row["rests"]) and await product._matched()  # noqa: SLF001  as it waits

    await until(quiet, why="what is known of is settled")


DUE = "UPDATE card_authorization SET settle_after = now() WHERE settle_after IS NOT NULL"


async def state_of(product: Product, purchase: str) -> str:
    states = {row["name"]: row["state"] for row in await product.rows(PURCHASES)}
    return str(states[purchase])


async def silent(product: Product) -> tuple[Planting, Holder]:
    """Begin with a customer, and with a Stripe that tells us nothing."""
    ada = await holder(product)
    await product.settled()
    plan = Planting(product, ada)
    await plan.stop_events()
    return plan, ada


async def tell_again(product: Product) -> None:
    for endpoint in (await product.call("GET", "/v1/webhook_endpoints"))["data"]:
        path = f"/v1/webhook_endpoints/{endpoint['id']}"
        await product.call("POST", path, disabled="false")


async def kept(product: Product) -> set[str]:
    return {
        row["name"]
        for row in await product.rows("SELECT stripe_event_id AS name FROM inbound_event")
    }


async def test_lost_events_are_fetched_and_acted_on(product: Product) -> None:
    _, ada = await silent(product)
    bought = await pay(product, ada.card, 19_99)
    await helper(product, bought["id"], "capture")
    before = await kept(product)
    told = await job(product, "fill_event_gaps")
    lost = await kept(product) - before
    assert told == f"{len(lost)} events that never came are fetched"
    assert len(lost) >= 3
    await at_rest(product)
    assert await state_of(product, bought["id"]) == "closed"

    async def nothing_is_left() -> bool:
        # What was done because of the fetched events had events of its own, lost as well.
        return await job(product, "fill_event_gaps") == "0 events that never came are fetched"

    await until(nothing_is_left, why="every lost event is fetched")
    await at_rest(product)
    assert await book_problems(product) == []


async def test_only_what_is_new_is_asked_for_and_a_failed_run_is_made_up_for(
    product: Product,
) -> None:
    _, ada = await silent(product)
    await job(product, "fill_event_gaps")
    bought = await pay(product, ada.card, 19_99)
    await later(product, hours=30)
    await tell_again(product)
    await pay(product, ada.card, 5_00)
    [mark] = await product.rows(
        "SELECT looked_until FROM regular_job WHERE name = 'fill_event_gaps'"
    )
    assert (product.parts.clock.now() - mark["looked_until"]).total_seconds() > 29 * 3600
    assert not (await job(product, "fill_event_gaps")).startswith("0 ")
    assert await state_of(product, bought["id"]) == "pending"


async def charge_of(product: Product, intent: str) -> dict[str, Any]:
    [row] = [row for row in await product.rows(CHARGES) if row["name"] == intent]
    return row


async def test_what_the_lists_have_otherwise_is_settled(product: Product) -> None:
    plan, ada = await silent(product)
    captured, reversed_, open_ = [(await pay(product, ada.card, 20_00))["id"] for _ in range(3)]
    declined = (await pay(product, ada.card, 90_000_00))["id"]
    await at_rest(product)
    await job(product, "sweep_lists")
    await helper(product, captured, "capture")
    await helper(product, reversed_, "reverse")
    unknown = await plan.hold(21_50, open_, "0")
    refused = await plan.hold(5_00, declined, "0")
    extra = await plan.hold(6_00, captured, "extra")
    # Charges that are younger than a call in flight may be are left to the next look.
    await later(product, minutes=5)

    told = await job(product, "sweep_lists")

    assert "failed" not in told
    assert await state_of(product, captured) == "closed"
    assert await state_of(product, reversed_) == "reversed"
    assert await state_of(product, open_) == "pending"
    await at_rest(product)
    found = {
        one["id"]: one["status"] for one in await intents(product, ada.customer.stripe_customer_id)
    }
    for name in (unknown, refused, extra):
        assert found[name] == "canceled", name
        assert (await charge_of(product, name))["state"] == "canceled"
    assert sorted(found.values()).count("requires_capture") == 1
    assert (await job(product, "sweep_lists")).endswith("0 purchases were behind")
    assert await book_problems(product) == []


async def test_a_purchase_nobody_told_us_of_is_adopted(product: Product) -> None:
    _, ada = await silent(product)
    await product.control("settings", {"authorization_webhook_url": None})
    bought = await pay(product, ada.card, 20_00)
    forced = await force_capture(product, ada.card, 8_00)
    assert await product.rows(PURCHASES) == []
    await job(product, "sweep_lists")
    await at_rest(product)
    names = {row["name"] for row in await product.rows(PURCHASES)}
    assert names >= {bought["id"], forced}, "the capture is found by what it moved"
    assert await book_problems(product) == []


async def test_what_stripe_failed_once_is_settled_though_no_event_comes(product: Product) -> None:
    """What has been read of a purchase no list has otherwise; only that it is due brings it on."""
    _, ada = await silent(product)
    taken, undone = [(await pay(product, ada.card, 20_00))["id"] for _ in range(2)]
    await at_rest(product)
    for name, wish, ours in ((taken, "capture", "capture"), (undone, "reverse", "cancel")):
        await helper(product, name, wish)
        path = f"{INTENTS}/{{intent}}/{ours}"
        await arm(product, "status", path, status=500, times=None)
        with pytest.raises(stripe.APIError):
            await product.parts.settler.settle(name)
    assert [one["state"] for one in await product.rows(CHARGES)] == ["held", "held"]
    await product.stripe.delete("/_sandbox/faults")
    await product.as_owner(DUE)
    await at_rest(product)
    assert {one["state"] for one in await product.rows(CHARGES)} == {"captured", "canceled"}
    assert await book_problems(product) == []


async def test_a_purchase_that_stripe_does_not_know_rests_when_it_was_looked_at(
    product: Product,
) -> None:
    await silent(product)
    purchase = AuthorizationFactory.build(stripe_authorization_id="iauth_nobody_knows")
    async with product.parts.sessions.begin() as session:
        session.add(purchase)
    await product.parts.settler.settle("iauth_nobody_knows")
    [row] = await product.rows(STANDING)
    assert row["rests"]


async def test_a_purchase_follows_stripe_from_every_state_to_every_other(product: Product) -> None:
    """What came in between may be over before we look: an open one again, a release."""
    ada = await holder(product)
    names = {}
    for state, wish in (("closed", "capture"), ("reversed", "reverse"), ("expired", "expire")):
        names[state] = (await pay(product, ada.card, 5_00))["id"]
        await helper(product, names[state], wish)
    names["pending"] = (await pay(product, ada.card, 5_00))["id"]
    await product.settled()
    for theirs, name in names.items():
        for ours in names.keys() - {theirs}:
            await product.as_owner(
                f"UPDATE card_authorization SET state = '{ours}'"  # noqa: S608  both are our own
                f" WHERE stripe_authorization_id = '{name}'"
            )
            await product.parts.settler.settle(name)
            assert await state_of(product, name) == theirs, f"{ours} with us"
    assert await book_problems(product) == []


async def test_a_hold_is_taken_in_time_though_stripe_does_not_say_when_it_ends(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe_intents, "_capture_before", lambda _: None)
    ada = await holder(product)
    await pay(product, ada.card, 20_00)
    await product.settled()
    await later(product, days=3, hours=17)
    assert await sweep_now(product) == 0
    [charge] = await product.rows("SELECT state, capture_before FROM charge")
    assert charge == {"state": "held", "capture_before": None}
    await later(product, hours=2)

    async def taken() -> bool:
        return [one["state"] for one in await product.rows(CHARGES)] == ["captured"]

    await until(taken, why="the shortest hold would end soon")
    await product.settled()
    assert await book_problems(product) == []


async def test_a_debt_of_a_purchase_that_is_open_again_is_left_alone_meanwhile(
    product: Product,
) -> None:
    ada = await holder(product)
    bought = (await pay(product, ada.card, 20_00))["id"]
    await behave(product, ada.sources[0].stripe_payment_method_id, LATER_DECLINES)
    await helper(product, bought, "capture", capture_amount=40_00)
    await product.settled()
    await product.as_owner(
        "UPDATE card_authorization SET state = 'pending'; UPDATE receivable SET next_attempt_at ="
        " '2020-01-01'"
    )
    assert await sweep_now(product) == 0
    assert await state_of(product, bought) == "pending"
    await product.as_owner("UPDATE card_authorization SET state = 'closed'")

    async def tried() -> bool:
        [debt] = await product.rows("SELECT attempts, next_attempt_at FROM receivable")
        return bool(debt["next_attempt_at"].year > 2020)

    await until(tried, why="the debt is tried when its purchase has ended")


async def sweep_now(product: Product) -> int:
    """Look at what is due, as the worker does; give how many purchases that were."""
    parts = product.parts
    return await sweep(
        parts.sessions, parts.settler, now=parts.clock.now(), real_now=datetime.now(UTC)
    )

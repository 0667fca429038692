"""The process that answers is killed, at each place it passes, whatever Stripe makes of the charge.

Several purchases run at once in as many processes, each killed at another place. What remains is
what Stripe was told, what it did and what is in the database; the worker makes one of it.
"""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from aiohttp import web

from app.failpoints import Place
from tests.crashes.processes import started
from tests.fault_names import KILLED, Count
from tests.faults.arming import arm, fired
from tests.faults.relay import Passage, Way, relaying, shown
from tests.oracle import oracle
from tests.product import Product
from tests.situations import LATER_DECLINES, VISA, Holder, holder, intents, pay

EARLY = (Place.RECEIVED, Place.VERIFIED, Place.RECORDED)
"""Killed before Stripe was asked to charge anything."""
LATE = (Place.CHARGING, Place.CHARGED, Place.WRITTEN, Place.ANSWERED)
STRIPE_TAKES_MS = 300
BY_SIGNAL_9 = -9


class Outcome(msgspec.Struct, frozen=True):
    """What Stripe makes of a charge: by a fault, or because the linked card refuses all.

    `wait_seconds` is what repair waits, longer than the latest effect of a charge.
    """

    name: str
    fault: dict[str, Any] | None = None
    source: str = VISA
    created: bool = False
    wait_seconds: float = 1.5

    @property
    def refuses(self) -> bool:
        return self.source != VISA


OUTCOMES = [
    Outcome("held", created=True),
    Outcome(
        "held after we gave up",
        {"action": "delay", "delay_ms": 1_500},
        created=True,
        wait_seconds=3.5,
    ),
    Outcome(
        "an error though charged",
        {"action": "status", "status": 500, "after_effect": True},
        created=True,
    ),
    Outcome("an error and not charged", {"action": "status", "status": 500}),
    Outcome("too many requests", {"action": "status", "status": 429}),
    Outcome("a card that declines", source=LATER_DECLINES, created=True),
    Outcome("no answer at all", {"action": "hang"}),
]
IN_EACH_RUN_OF_THE_TESTS = {
    ("an error though charged", "decline"),
}


def cases() -> list[Any]:
    return [
        pytest.param(
            outcome,
            default,
            id=f"{outcome.name}, {default} by default",
            marks=() if (outcome.name, default) in IN_EACH_RUN_OF_THE_TESTS else pytest.mark.long,
        )
        for outcome in OUTCOMES
        for default in ("decline", "approve")
    ]


@pytest.fixture
def product_settings(outcome: Outcome) -> dict[str, str]:
    return {"REPAIR_WAIT_SECONDS": str(outcome.wait_seconds)}


@pytest.mark.parametrize(("outcome", "default"), cases())
async def test_every_purchase_ends_paid_once_or_not_at_all(
    product: Product, tmp_path: Path, count: Count, outcome: Outcome, default: str
) -> None:
    people = {
        place: await holder(product, email=f"{place}@example.com", sources=(outcome.source,))
        for place in Place
    }
    bought: dict[Place, dict[str, Any]] = {}
    await when_nobody_says(product, default, STRIPE_TAKES_MS)
    if outcome.fault is not None:
        await arm(product, **outcome.fault, times=len(LATE))
    for places in (LATE, EARLY):  # all at once are more connections than the database takes
        bought |= await killed(product, tmp_path, {place: people[place] for place in places})
        for place in places:
            count(f"{KILLED}: {place}")
    await when_nobody_says(product, default, 0)
    assert await fired(product) == ([] if outcome.fault is None else [len(LATE)])
    again = await all_pay_a_new_process(product, tmp_path, people)

    approved = {one["id"] for one in bought.values() if one["approved"]}
    assert default == "decline" or len(approved) >= len(Place) - 1
    assert [one["approved"] for one in again.values()] == [not outcome.refuses] * len(again)
    await oracle(product, unpaid=approved if outcome.refuses else ())
    if default == "decline":  # where nobody charges again afterwards
        assert await charges(product, people, bought) == (len(LATE) if outcome.created else 0)


async def when_nobody_says(product: Product, default: str, latency_ms: int) -> None:
    """Set what Stripe answers in our place, and how long its own answers take."""
    defaults = {"authorization_timeout": default, "webhook_error": default}
    await product.control("settings", defaults | {"latency_ms": latency_ms})


async def killed(
    product: Product, folder: Path, people: Mapping[Place, Holder]
) -> dict[Place, dict[str, Any]]:
    """Have each pay by a process that is killed at the person's place; give the purchases."""
    environs = [{"FAILPOINT": place.value} for place in people]
    async with (
        started(product.settings, folder, environs) as processes,
        relaying(product, *(process.url for process in processes)) as between,
    ):
        between.way = each_by_its_own(people)
        bought = await all_pay(product, people)
        codes = await asyncio.gather(*(process.ended() for process in processes))
        assert codes == [BY_SIGNAL_9] * len(people)
        return bought


def each_by_its_own(people: Mapping[Place, Holder]) -> Way:
    """Have each card's questions answered by a process of its own."""
    numbers = {person.card.stripe_card_id: n for n, person in enumerate(people.values(), start=1)}

    async def way(passage: Passage) -> web.Response:
        card = json.loads(passage.body)["data"]["object"]["card"]["id"]
        return await asked(passage, numbers[card])

    return way


async def asked(passage: Passage, number: int) -> web.Response:
    """Ask one of the products; Stripe loses its connection when the product does."""
    try:
        return shown(await passage.ask(number))
    except httpx.TransportError:
        passage.hang_up()
        return web.Response()


async def all_pay(product: Product, people: Mapping[Place, Holder]) -> dict[Place, dict[str, Any]]:
    paid = await asyncio.gather(*(pay(product, person.card, 1999) for person in people.values()))
    return dict(zip(people, paid, strict=True))


async def all_pay_a_new_process(
    product: Product, folder: Path, people: Mapping[Place, Holder]
) -> dict[Place, dict[str, Any]]:
    """Have a process in the place of the killed ones answer everybody, while repair goes on."""
    async with (
        started(product.settings, folder, [{}]) as [process],
        relaying(product, process.url) as between,
    ):
        between.way = lambda passage: asked(passage, 1)
        return await all_pay(product, people)


async def charges(
    product: Product, people: Mapping[Place, Holder], bought: Mapping[Place, dict[str, Any]]
) -> int:
    """Count what Stripe has made of the calls of those that were killed."""
    count = 0
    for place, person in people.items():
        for intent in await intents(product, person.customer.stripe_customer_id):
            count += intent["metadata"]["authorization"] == bought[place]["id"]
    return count

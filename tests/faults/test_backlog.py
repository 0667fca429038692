"""The address for events was away for two days, and Stripe sends all it has kept at once."""

import asyncio
import time
from random import Random

from app.domain.issuing.models import Card
from app.jobs.bookkeeping import FILL_GAPS
from app.jobs.catalogue import regular_jobs
from app.jobs.regular import run_named
from tests.controls import later
from tests.oracle import kept_by_purchase, oracle
from tests.product import Product
from tests.signing import EVENTS, post
from tests.situations import helper, holder, pay, refund

PURCHASES = 8
AMOUNT, GIVEN_BACK = 10_000, 4_000
KEPT = 6_330
"""105.50 less the 40.00 that were given back, and 2.20, the same part of the fee of 5.50."""
AT_ONCE = 16
ANSWERED_WITHIN_SECONDS = 1.65


async def test_two_days_of_events_at_once_are_worked_off_while_purchases_are_answered(
    product: Product,
) -> None:
    ada = await holder(product, daily_limit_minor=10_000_000, monthly_limit_minor=10_000_000)
    await product.settled()
    assert product.sandbox is not None
    product.sandbox.world.deliveries.faults.add({"action": "lose", "times": None})
    names = [await _a_purchase_of_two_days(product, ada.card) for _ in range(PURCHASES)]
    kept = [
        event.body
        for event in product.sandbox.world.store.newest_first("event")
        if not event.type.endswith(".request")
    ]
    product.sandbox.world.deliveries.faults.clear()

    told = [bytes(body) for body in kept] * 2
    Random(25).shuffle(told)  # noqa: S311  an order, not a secret
    backlog = asyncio.create_task(_all_of(product, told))
    answered = []
    while not backlog.done():
        began = time.perf_counter()
        bought = await pay(product, ada.card, AMOUNT)
        assert bought["approved"] is True
        answered.append(time.perf_counter() - began)
    assert await backlog == {200}

    await product.settled(seconds=60)
    await oracle(product)
    paid = await kept_by_purchase(product)
    assert {paid[name] for name in names} == {KEPT}
    assert max(answered) < ANSWERED_WITHIN_SECONDS
    assert await _gaps_found(product) == "0 events that never came are fetched"


async def _a_purchase_of_two_days(product: Product, card: Card) -> str:
    name: str = (await pay(product, card, AMOUNT))["id"]
    await later(product, hours=48 // PURCHASES)
    await helper(product, name, "capture")
    await refund(product, name, GIVEN_BACK)
    return name


async def _all_of(product: Product, bodies: list[bytes]) -> set[int]:
    """Post events as Stripe does, several at once; give the answers' statuses."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(body: bytes) -> int:
        async with turns:
            return (await post(product.web, EVENTS, body)).status_code

    return set(await asyncio.gather(*map(one, bodies)))


async def _gaps_found(product: Product) -> str:
    parts = product.parts
    await run_named(parts.sessions, regular_jobs(parts), FILL_GAPS)
    [job] = await product.rows("SELECT outcome FROM regular_job WHERE name = :name", name=FILL_GAPS)
    return str(job["outcome"])

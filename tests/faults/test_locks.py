"""Somebody else holds what the decision has to lock: it says no in time, and its row follows."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from tests.faults.arming import answer_to, arm, fired, reason_of
from tests.oracle import oracle
from tests.product import Product
from tests.situations import holder, intents, pay
from tests.waiting import until

RECORDING = "SELECT 1 FROM customer FOR NO KEY UPDATE"
WRITING = "SELECT 1 FROM authorization_request FOR UPDATE"


@asynccontextmanager
async def locked(product: Product, statement: str) -> AsyncIterator[None]:
    """Hold the locks of a statement for a while."""
    database = await asyncpg.connect(product.settings.owner_url)
    try:
        async with database.transaction():
            await database.execute(statement)
            yield
    finally:
        await database.close()


async def recorded(product: Product, count: int) -> bool:
    return len(await product.rows("SELECT 1 FROM authorization_request")) == count


async def named(product: Product, authorization: str, reason: str) -> bool:
    return await reason_of(product, authorization) == reason


async def declined_in_time(product: Product, authorization: str) -> None:
    answer = await answer_to(product, authorization)
    assert answer["reason"] == "webhook_declined"
    assert answer["duration_ms"] < 2_000


async def test_a_question_that_cannot_be_recorded_in_time_is_recorded_later(
    product: Product,
) -> None:
    ada = await holder(product)

    async with locked(product, RECORDING):
        bought = await pay(product, ada.card, 1000)
        await until(lambda: recorded(product, 1), why="Stripe's word on it is adopted")

    await declined_in_time(product, bought["id"])
    await until(lambda: named(product, bought["id"], "too_slow"), why="our reason follows")
    await oracle(product)
    assert await intents(product, ada.customer.stripe_customer_id) == []


async def test_an_answer_that_cannot_be_written_in_time_is_no_and_its_hold_is_released(
    product: Product,
) -> None:
    ada = await holder(product)
    await arm(product, "delay", delay_ms=300, after_effect=True)
    paying = asyncio.create_task(pay(product, ada.card, 1999))
    await until(lambda: recorded(product, 1))

    async with locked(product, WRITING):
        bought = await paying

    assert await fired(product) == [1]
    await declined_in_time(product, bought["id"])
    [intent] = await intents(product, ada.customer.stripe_customer_id)
    assert intent["status"] == "requires_capture"
    await oracle(product)
    [intent] = await intents(product, ada.customer.stripe_customer_id)
    assert intent["status"] == "canceled"
    assert await reason_of(product, bought["id"]) == "too_slow"


class TestMoreAtOnceThanWeTake:
    @pytest.fixture
    def product_settings(self) -> dict[str, str]:
        return {"MAX_CHARGES_IN_FLIGHT": "3"}

    async def test_keeps_its_reason_though_stripe_s_own_word_comes_first(
        self, product: Product
    ) -> None:
        ada = await holder(product)
        await arm(product, "delay", delay_ms=1_000, times=3)
        running = [asyncio.create_task(pay(product, ada.card, 1000)) for _ in range(3)]
        await until(lambda: recorded(product, 3), why="as many are on their way as we take")

        async with locked(product, RECORDING):
            turned_away = await pay(product, ada.card, 1000)
            await until(lambda: recorded(product, 4), why="Stripe's word on it is adopted")

        assert all(one["approved"] for one in await asyncio.gather(*running))
        assert await fired(product) == [3]
        await until(lambda: named(product, turned_away["id"], "too_busy"), why="our reason follows")
        await oracle(product)

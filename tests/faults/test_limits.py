"""Many purchases at once, and room for some of them."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from tests.faults.arming import arm, fired, reason_of
from tests.faults.relay import Passage, relaying, shown
from tests.faults.test_duplicates import another_instance
from tests.oracle import oracle
from tests.product import Product
from tests.situations import Holder, holder, intents, pay
from tests.waiting import until


async def spree(product: Product, ada: Holder, count: int) -> list[dict[str, Any]]:
    """Pay 10.00 so many times at once, with the customer's cards in turn."""
    cards = [ada.cards[number % len(ada.cards)] for number in range(count)]
    return await asyncio.gather(*(pay(product, card, 1000) for card in cards))


async def reasons_of(product: Product, bought: list[dict[str, Any]]) -> Counter[str | None]:
    return Counter([await reason_of(product, one["id"]) for one in bought])


class TestTwentyPurchasesAtOnceWithTwoCardsAndRoomForTen:
    async def test_are_ten_approved_exactly(self, product: Product) -> None:
        ada = await holder(product, cards=2)
        await product.as_owner("UPDATE customer SET exposure_limit_minor = 10000")

        bought = await spree(product, ada, 20)

        assert Counter(one["approved"] for one in bought) == {True: 10, False: 10}
        await oracle(product)
        assert await reasons_of(product, bought) == {None: 10, "over_exposure_limit": 10}
        assert len(await intents(product, ada.customer.stripe_customer_id)) == 10

    async def test_are_ten_approved_exactly_by_two_instances(self, product: Product) -> None:
        ada = await holder(product, cards=2)
        await product.as_owner("UPDATE customer SET exposure_limit_minor = 10000")
        turn = iter(range(100))

        async def in_turn(passage: Passage) -> Any:
            return shown(await passage.ask(next(turn)))

        async with another_instance(product) as second, relaying(product, second) as between:
            between.way = in_turn
            bought = await spree(product, ada, 20)

        assert Counter(one["approved"] for one in bought) == {True: 10, False: 10}
        await oracle(product)
        assert await reasons_of(product, bought) == {None: 10, "over_exposure_limit": 10}

    async def test_of_one_card_s_day_are_ten_approved_exactly(self, product: Product) -> None:
        ada = await holder(product)
        await product.as_owner("UPDATE card SET daily_limit_minor = 10000")

        bought = await spree(product, ada, 20)

        await oracle(product)
        assert await reasons_of(product, bought) == {None: 10, "over_daily_limit": 10}


async def test_room_that_a_declined_purchase_took_is_free_again(product: Product) -> None:
    ada = await holder(product)
    await product.as_owner("UPDATE customer SET exposure_limit_minor = 1000")
    await arm(product, "status", status=402)

    declined = await pay(product, ada.card, 1000)
    approved = await pay(product, ada.card, 1000)
    full = await pay(product, ada.card, 1)

    assert await fired(product) == [1]
    assert [one["approved"] for one in (declined, approved, full)] == [False, True, False]
    await oracle(product)


class TestMoreAtOnceThanWeTake:
    @pytest.fixture
    def product_settings(self) -> dict[str, str]:
        return {"MAX_CHARGES_IN_FLIGHT": "3"}

    async def test_is_declined_at_once_and_its_row_follows_with_the_reason(
        self, product: Product
    ) -> None:
        ada = await holder(product)
        await product.control("settings", {"latency_ms": 300})

        bought = await spree(product, ada, 25)

        await product.control("settings", {"latency_ms": 0})
        assert Counter(one["approved"] for one in bought) == {True: 3, False: 22}
        await oracle(product)

        async def rows_followed() -> bool:
            return await reasons_of(product, bought) == {None: 3, "too_busy": 22}

        await until(rows_followed, why="each row follows, with its reason")
        answers = await self.declines(product)
        assert max(answer["duration_ms"] for answer in answers) < 500
        assert product.authorizer.in_flight == 0

    async def test_is_taken_again_afterwards(self, product: Product) -> None:
        ada = await holder(product)

        for _ in range(3):
            bought = await spree(product, ada, 3)
            assert all(one["approved"] for one in bought)

        await oracle(product)

    async def declines(self, product: Product) -> list[dict[str, Any]]:
        query = {"type": "issuing_authorization.request"}
        found = (await product.stripe.get("/_sandbox/deliveries", params=query)).json()["data"]
        return [answer for answer in found if answer["approved"] is False]

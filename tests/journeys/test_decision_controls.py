"""What a card, its customer and we ourselves do not allow is declined before anybody is charged."""

from datetime import timedelta
from typing import Any

from app.domain.issuing.states import CardState
from tests.cards import move_card
from tests.faults.arming import reason_of
from tests.oracle import oracle
from tests.product import Product
from tests.situations import helper, holder, pay
from tests.waiting import until

MERCHANT = {"merchant_data[network_id]": "1234567890"}
CONTROLS: list[tuple[str, dict[str, Any]]] = [
    ("category_not_allowed", {"blocked_categories": ["fast_food_restaurants"]}),
    ("category_not_allowed", {"allowed_categories": ["bakeries"]}),
    ("country_not_allowed", {"blocked_countries": ["US"]}),
    ("country_not_allowed", {"allowed_countries": ["CH"]}),
    ("locked_to_merchant", {"merchant_lock": "999"}),
]
OURS = [
    ("over_daily_limit", "UPDATE card SET daily_limit_minor = 1998"),
    ("over_monthly_limit", "UPDATE card SET monthly_limit_minor = 1998"),
    ("over_purchase_limit", "UPDATE card SET purchase_limit_minor = 1998"),
    ("over_exposure_limit", "UPDATE customer SET exposure_limit_minor = 1998"),
    ("card_closed", "UPDATE card SET state = 'closed'"),
    ("card_inactive", "UPDATE card SET state = 'inactive'"),
    ("customer_not_active", "UPDATE customer SET state = 'frozen'"),
    ("no_funding_source", "UPDATE funding_source SET state = 'removed'"),
    ("no_price_plan", "UPDATE price_plan SET effective_from = now() + interval '1 day'"),
]
ALLOWED: dict[str, Any] = {
    "allowed_categories": ["fast_food_restaurants"],
    "blocked_categories": ["bakeries"],
    "allowed_countries": ["US"],
    "merchant_lock": "1234567890",
    "purchase_limit_minor": 1999,
    "daily_limit_minor": 1999,
    "monthly_limit_minor": 1999,
}


async def test_each_of_a_card_s_own_controls_declines_with_its_reason(product: Product) -> None:
    expected, found = [], []
    for number, (reason, controls) in enumerate(CONTROLS):
        ada = await holder(product, email=f"{number}@example.com", **controls)
        bought = await pay(product, ada.card, 1999, **MERCHANT)
        assert bought["request_history"][0]["reason"] == "webhook_declined"
        expected.append(reason)
        found.append(await reason_of(product, bought["id"]))

    assert found == expected
    await oracle(product)
    assert (await product.call("GET", "/v1/payment_intents"))["data"] == []


async def test_each_limit_and_state_of_ours_declines_with_its_reason(product: Product) -> None:
    expected, found = {}, {}
    for number, (reason, change) in enumerate(OURS):
        ada = await holder(product, email=f"{number}@example.com")
        await product.as_owner(change)
        bought = await pay(product, ada.card, 1999)
        await product.settled()
        expected[change] = reason
        found[change] = await reason_of(product, bought["id"])

    assert found == expected
    await oracle(product)
    assert (await product.call("GET", "/v1/payment_intents"))["data"] == []


async def test_all_that_a_card_allows_to_the_last_cent_is_approved(product: Product) -> None:
    ada = await holder(product, **ALLOWED)

    bought = await pay(product, ada.card, 1999, **MERCHANT)

    assert bought["approved"] is True
    await oracle(product)


async def test_a_purchase_at_our_own_name_is_declined(product: Product) -> None:
    ada = await holder(product)

    bought = await pay(product, ada.card, 1999, merchant="PROXYCARD* coffee")

    await oracle(product)
    assert await reason_of(product, bought["id"]) == "own_descriptor"


class TestAFrozenCard:
    async def test_declines_until_it_is_thawed(self, product: Product) -> None:
        ada = await holder(product)
        answers = []
        for state in (CardState.FROZEN, CardState.ACTIVE):
            await move_card(product, ada.card, state)
            answers.append(await pay(product, ada.card, 1999))
            await product.settled()

        assert [answer["approved"] for answer in answers] == [False, True]
        await oracle(product)
        assert await reason_of(product, answers[0]["id"]) == "card_frozen"

    async def test_pays_what_it_approved_before(self, product: Product) -> None:
        ada = await holder(product)
        bought = await pay(product, ada.card, 1999)
        await move_card(product, ada.card, CardState.FROZEN)

        await helper(product, bought["id"], "capture")

        await oracle(product)
        [charge] = await product.rows("SELECT captured_minor FROM charge")
        assert charge == {"captured_minor": 2149}


class TestACardForOnePurchase:
    async def test_declines_the_second(self, product: Product) -> None:
        ada = await holder(product, single_use=True)

        answers = [await pay(product, ada.card, amount) for amount in (0, 1999, 1999)]

        assert [answer["approved"] for answer in answers] == [True, True, False]
        await oracle(product)
        assert await reason_of(product, answers[2]["id"]) == "single_use_spent"

    async def test_lets_the_same_purchase_grow(self, product: Product) -> None:
        ada = await holder(product, single_use=True)
        bought = await pay(product, ada.card, 1999)

        more = await helper(product, bought["id"], "increment", increment_amount=500)

        assert (more["approved"], more["amount"]) == (True, 2499)
        await oracle(product)

    async def test_is_still_good_after_a_purchase_that_was_declined(self, product: Product) -> None:
        ada = await holder(product, single_use=True, purchase_limit_minor=100_000)
        await product.as_owner("UPDATE card SET purchase_limit_minor = 1000")

        answers = [await pay(product, ada.card, amount) for amount in (1999, 999)]

        assert [answer["approved"] for answer in answers] == [False, True]
        await oracle(product)

    async def test_is_still_spent_after_the_purchase_was_captured(self, product: Product) -> None:
        ada = await holder(product, single_use=True)
        bought = await pay(product, ada.card, 1999)
        await helper(product, bought["id"], "capture")
        await product.settled()

        again = await pay(product, ada.card, 1999)

        assert again["approved"] is False
        await oracle(product)


async def test_a_spent_limit_is_free_again_when_the_purchase_was_reversed(
    product: Product,
) -> None:
    ada = await holder(product)
    await product.as_owner("UPDATE card SET daily_limit_minor = 2000")
    bought = await pay(product, ada.card, 1999)
    full = await pay(product, ada.card, 1999)
    await helper(product, bought["id"], "reverse")
    await product.settled()

    again = await pay(product, ada.card, 1999)

    assert [one["approved"] for one in (bought, full, again)] == [True, False, True]
    await oracle(product)


async def test_a_new_day_has_a_limit_of_its_own(product: Product) -> None:
    ada = await holder(product)
    await product.as_owner("UPDATE card SET daily_limit_minor = 2000")
    first = await pay(product, ada.card, 1999)
    await helper(product, first["id"], "capture")
    assert (await pay(product, ada.card, 1999))["approved"] is False

    await product.control("clock", {"advance_seconds": 24 * 3600})
    await until(lambda: product.parts.clock.offset == timedelta(days=1), why="our clock follows")
    tomorrow = await pay(product, ada.card, 1999)

    assert tomorrow["approved"] is True
    await oracle(product)

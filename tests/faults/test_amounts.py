"""Amounts of nothing, of next to nothing, and of what is not an amount at all."""

from typing import Any

import pytest

from tests.faults.arming import reason_of
from tests.oracle import oracle
from tests.product import Product
from tests.signing import AUTHORIZATIONS, post, question
from tests.situations import holder, intents, pay

WITHOUT_LIMITS = (
    "UPDATE card SET daily_limit_minor = 1::bigint << 60, monthly_limit_minor = 1::bigint << 60;"
    "UPDATE customer SET exposure_limit_minor = 1::bigint << 60"
)


@pytest.fixture
def product_settings() -> dict[str, str]:
    return {"REPAIR_WAIT_SECONDS": "0.4"}


async def test_a_check_of_the_card_is_approved_and_charges_nothing(product: Product) -> None:
    ada = await holder(product)

    bought = await pay(product, ada.card, 0)

    assert bought["approved"] is True
    await oracle(product)
    assert await intents(product, ada.customer.stripe_customer_id) == []
    [request] = await product.rows(
        "SELECT state, fee_minor, reserved_minor, stripe_approved FROM authorization_request"
    )
    assert request == {
        "state": "approved",
        "fee_minor": 0,
        "reserved_minor": 0,
        "stripe_approved": True,
    }


async def test_what_stripe_would_find_too_little_is_enough_with_our_fee(product: Product) -> None:
    ada = await holder(product)
    holds = {1: 51, 9: 59, 10: 61, 49: 101, 50: 103}

    bought = {(await pay(product, ada.card, amount))["id"]: amount for amount in holds}

    held = await intents(product, ada.customer.stripe_customer_id)
    found = {bought[intent["metadata"]["authorization"]]: intent["amount"] for intent in held}
    assert found == holds
    await oracle(product)


async def test_an_increment_below_stripe_s_least_charge_holds_the_least(product: Product) -> None:
    ada = await holder(product)
    bought = await pay(product, ada.card, 1000)
    path = f"/v1/test_helpers/issuing/authorizations/{bought['id']}/increment"

    more = await product.call("POST", path, increment_amount=10)

    assert (more["approved"], more["amount"]) == (True, 1010)
    held = await intents(product, ada.customer.stripe_customer_id)
    assert sorted(intent["amount"] for intent in held) == [50, 1100]
    await oracle(product)


class TestAnAmountThatIsOutOfBounds:
    async def test_is_declined_with_its_reason(self, product: Product) -> None:
        ada = await holder(product)
        await product.as_owner(WITHOUT_LIMITS)
        await product.as_owner("DELETE FROM decision_rule")
        amounts = {
            -1: "refund_request",
            -(2**53): "refund_request",
            95_238_048: "amount_out_of_range",
            2**31: "amount_out_of_range",
            2**53: "amount_out_of_range",
        }
        asked = {amount: question(ada.card.stripe_card_id, amount) for amount in amounts}

        for one in asked.values():
            answer = await post(product.web, AUTHORIZATIONS, one)
            assert (answer.status_code, answer.json()) == (200, {"approved": False})

        await oracle(product)
        assert await intents(product, ada.customer.stripe_customer_id) == []
        names = {amount: one["data"]["object"]["id"] for amount, one in asked.items()}
        assert {n: await reason_of(product, name) for n, name in names.items()} == amounts
        [kept] = await product.rows("SELECT max(amount_minor) AS most FROM authorization_request")
        assert kept["most"] == 2**53  # neither wrapped nor rounded

    async def test_is_funded_up_to_the_last_cent_a_charge_may_have(self, product: Product) -> None:
        ada = await holder(product)
        await product.as_owner(WITHOUT_LIMITS)
        await product.as_owner("DELETE FROM decision_rule")

        answer = await post(
            product.web, AUTHORIZATIONS, question(ada.card.stripe_card_id, 95_238_047)
        )

        assert answer.json() == {"approved": True}
        [intent] = await intents(product, ada.customer.stripe_customer_id)
        assert intent["amount"] == 99_999_999
        await oracle(product)


async def test_what_is_not_an_amount_is_declined_and_stored(product: Product) -> None:
    ada = await holder(product)
    too_long, not_whole = [2**53 + 1, 2**64, 10**300, -(2**63)], [19.99, 1999.0]
    amounts: list[Any] = [*too_long, *not_whole, "1999", True, None, [1999], {}]

    answers = [
        await post(product.web, AUTHORIZATIONS, question(ada.card.stripe_card_id, amount))
        for amount in amounts
    ]

    told = [(answer.status_code, answer.json()["approved"]) for answer in answers]
    assert told == [(200, False)] * len(amounts)
    assert await intents(product, ada.customer.stripe_customer_id) == []
    kept = await product.rows("SELECT failure FROM inbound_event WHERE state = 'failed'")
    assert [row["failure"] for row in kept] == ["the request could not be read"] * len(amounts)


async def test_a_question_in_another_currency_is_declined_and_kept(product: Product) -> None:
    ada = await holder(product)
    asked = question(ada.card.stripe_card_id)
    asked["data"]["object"]["pending_request"]["currency"] = "jpy"

    answer = await post(product.web, AUTHORIZATIONS, asked)

    assert answer.json() == {"approved": False}
    assert await intents(product, ada.customer.stripe_customer_id) == []
    [request] = await product.rows("SELECT reason, currency FROM authorization_request")
    assert request == {"reason": "wrong_currency", "currency": "jpy"}

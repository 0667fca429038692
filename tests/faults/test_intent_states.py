"""Stripe answers 200 and the charge is in a state that nobody asked for."""

from typing import Any

import pytest

from tests.books import book_problems
from tests.faults.arming import reason_of
from tests.oracle import oracle
from tests.product import Product
from tests.signing import AUTHORIZATIONS, post, question
from tests.situations import holder, intents, pay
from tests.waiting import until

WAITS_FOR_BANK_SECONDS = 3_600


async def only_intent(product: Product, customer: str | None) -> dict[str, Any]:
    [intent] = await intents(product, customer)
    return intent


@pytest.fixture
def product_settings() -> dict[str, str]:
    return {"REPAIR_WAIT_SECONDS": "0.4"}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("requires_action", "bank_authentication_required"),
        ("requires_payment_method", "bank_declined"),
    ],
)
async def test_a_charge_that_needs_more_is_a_decline(
    product: Product, status: str, reason: str
) -> None:
    ada = await holder(product, sources=(f"sandbox:{status}",))

    bought = await pay(product, ada.card, 1999)

    assert bought["approved"] is False
    assert (await only_intent(product, ada.customer.stripe_customer_id))["status"] == status
    await oracle(product)
    assert await reason_of(product, bought["id"]) == reason


async def test_a_charge_taken_at_once_though_it_was_to_be_held_is_a_charge(
    product: Product,
) -> None:
    ada = await holder(product, sources=("sandbox:succeeded",))

    bought = await pay(product, ada.card, 1999)

    assert bought["approved"] is True
    assert (await only_intent(product, ada.customer.stripe_customer_id))["status"] == "succeeded"
    await oracle(product)
    [charge] = await product.rows("SELECT state, captured_minor FROM charge")
    assert charge == {"state": "captured", "captured_minor": 2149}


async def test_a_charge_the_bank_still_thinks_about_is_a_decline_and_watched_until_it_is_released(
    product: Product,
) -> None:
    ada = await holder(product, sources=("sandbox:processing", "pm_card_mastercard"))

    bought = await pay(product, ada.card, 1999)

    assert bought["approved"] is False
    assert await reason_of(product, bought["id"]) == "funding_outcome_unknown"
    [asked] = await product.rows("SELECT verify_after FROM authorization_request")

    async def looked_again() -> bool:
        [now] = await product.rows("SELECT verify_after, verified_at FROM authorization_request")
        assert now["verified_at"] is None
        return bool(now["verify_after"] > asked["verify_after"])

    await until(looked_again, why="repair has looked, and leaves it for later")
    intent = await only_intent(product, ada.customer.stripe_customer_id)
    assert intent["status"] == "processing"

    await product.control("clock", {"advance_seconds": WAITS_FOR_BANK_SECONDS})

    await oracle(product)
    intent = await only_intent(product, ada.customer.stripe_customer_id)
    assert intent["status"] == "canceled"
    assert intent["amount"] == 2149


@pytest.mark.parametrize(
    "product_settings", [{"FUNDING_MODE": "charge", "REPAIR_WAIT_SECONDS": "0.4"}], ids=["charge"]
)
async def test_what_a_bank_sends_back_of_a_purchase_that_stripe_forgot_is_booked_and_told(
    product: Product,
) -> None:
    ada = await holder(product, sources=("pm_card_refundFail",))

    answer = await post(product.web, AUTHORIZATIONS, question(ada.card.stripe_card_id, 139))

    assert answer.json() == {"approved": True}

    async def told() -> bool:
        [purchase] = await product.rows("SELECT not_handled FROM card_authorization")
        return str(purchase["not_handled"]).startswith("the bank sent back a refund of 1.96")

    await until(told, why="a person is told")
    await product.settled()
    assert await book_problems(product) == []

"""What the bank of the linked card says becomes the purchase's own reason."""

import pytest

from app.domain.issuing.bank_reasons import OUR_OWN_FAULT
from tests.faults.arming import arm, fired, reason_of
from tests.oracle import oracle
from tests.product import Product
from tests.situations import LATER_DECLINES, VISA, holder, intents, pay

MASTERCARD = "pm_card_mastercard"
# By Stripe's test card (https://docs.stripe.com/testing): our reason, and the bank's or Stripe's.
REFUSING = {
    "pm_card_visa_chargeDeclined": ("bank_declined", "generic_decline"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": (
        "bank_insufficient_funds",
        "insufficient_funds",
    ),
    "pm_card_visa_chargeDeclinedLostCard": ("bank_card_lost_or_stolen", "lost_card"),
    "pm_card_visa_chargeDeclinedStolenCard": ("bank_card_lost_or_stolen", "stolen_card"),
    "pm_card_chargeDeclinedExpiredCard": ("bank_card_expired", "expired_card"),
    "pm_card_chargeDeclinedIncorrectCvc": ("bank_incorrect_cvc", "incorrect_cvc"),
    "pm_card_chargeDeclinedProcessingError": ("bank_processing_error", "processing_error"),
    "pm_card_visa_chargeDeclinedVelocityLimitExceeded": (
        "bank_card_velocity_exceeded",
        "card_velocity_exceeded",
    ),
    LATER_DECLINES: ("bank_declined", "generic_decline"),
    "pm_card_authenticationRequired": (
        "bank_authentication_required",
        "authentication_not_handled",
    ),
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": (
        "bank_insufficient_funds",
        "insufficient_funds",
    ),
    "pm_card_radarBlock": ("bank_suspects_fraud", "fraudulent"),
    "pm_card_riskLevelHighest": ("bank_suspects_fraud", "fraudulent"),
}
PAYING = [
    VISA,
    "pm_card_visa_debit",
    MASTERCARD,
    "pm_card_amex",
    "pm_card_authenticationRequiredOnSetup",
    "pm_card_authenticationRequiredSetupForOffSession",
    "pm_card_createDispute",
    "pm_card_pendingRefund",
    "pm_card_refundFail",
    "pm_card_riskLevelElevated",
    "pm_card_bypassPending",
]


async def behave(product: Product, saved: str, token: str) -> None:
    await product.control(f"payment_methods/{saved}/behaves_like", {"token": token})


class TestALinkedCard:
    async def test_that_refuses_gives_its_own_reason(self, product: Product) -> None:
        ada = await holder(product, cards=len(REFUSING))  # one each: a streak has its own reason
        saved = ada.sources[0].stripe_payment_method_id
        bought = {}
        for card, token in zip(ada.cards, REFUSING, strict=True):
            await behave(product, saved, token)
            bought[token] = await pay(product, card, 1999)

        assert not any(one["approved"] for one in bought.values())
        await oracle(product)
        rows = await product.rows(
            "SELECT a.stripe_authorization_id AS name, r.reason, c.decline_code, c.state"
            " FROM authorization_request AS r"
            " JOIN card_authorization AS a ON a.id = r.authorization_id"
            " JOIN charge AS c ON c.request_id = r.id"
        )
        found = {row["name"]: (row["reason"], row["decline_code"]) for row in rows}
        assert {token: found[one["id"]] for token, one in bought.items()} == REFUSING
        assert {row["state"] for row in rows} == {"declined"}

    async def test_that_takes_the_charge_funds_the_purchase(self, product: Product) -> None:
        ada = await holder(product)
        saved = ada.sources[0].stripe_payment_method_id
        bought = {}
        for token in PAYING:
            await behave(product, saved, token)
            bought[token] = (await pay(product, ada.card, 1999))["approved"]

        assert bought == dict.fromkeys(PAYING, True)
        await oracle(product)


class TestTheNextLinkedCard:
    async def test_is_tried_after_a_definite_no(self, product: Product) -> None:
        ada = await holder(product, sources=(LATER_DECLINES, MASTERCARD))

        bought = await pay(product, ada.card, 1999)

        assert bought["approved"] is True
        charges = await product.rows("SELECT attempt, state, decline_code FROM charge ORDER BY 1")
        assert charges == [
            {"attempt": 1, "state": "declined", "decline_code": "generic_decline"},
            {"attempt": 2, "state": "held", "decline_code": None},
        ]
        held = await intents(product, ada.customer.stripe_customer_id)
        assert sorted(intent["status"] for intent in held) == [
            "requires_capture",
            "requires_payment_method",
        ]
        await oracle(product)

    async def test_gives_the_reason_when_all_of_them_refuse(self, product: Product) -> None:
        tokens = (LATER_DECLINES, "pm_card_visa_chargeDeclinedInsufficientFunds")
        ada = await holder(product, sources=tokens)

        bought = await pay(product, ada.card, 1999)

        assert bought["approved"] is False
        await oracle(product)
        assert await reason_of(product, bought["id"]) == "bank_insufficient_funds"

    async def test_is_not_tried_when_the_first_may_have_paid(self, product: Product) -> None:
        ada = await holder(product, sources=(VISA, MASTERCARD))
        await arm(product, "status", status=500, after_effect=True)

        bought = await pay(product, ada.card, 1999)

        assert await fired(product) == [1]
        assert bought["approved"] is False
        assert len(await intents(product, ada.customer.stripe_customer_id)) == 1
        await oracle(product)

    async def test_is_not_tried_when_the_refusal_was_not_the_bank_s(self, product: Product) -> None:
        ada = await holder(product, sources=(VISA, MASTERCARD))
        await arm(product, "status", status=429)

        bought = await pay(product, ada.card, 1999)

        assert await fired(product) == [1]
        await oracle(product)
        assert await reason_of(product, bought["id"]) in OUR_OWN_FAULT
        assert await intents(product, ada.customer.stripe_customer_id) == []

    @pytest.mark.hurried
    async def test_is_not_tried_when_there_is_no_time_left_for_it(self, product: Product) -> None:
        ada = await holder(product, sources=(LATER_DECLINES, MASTERCARD))
        await arm(product, "delay", delay_ms=1_050)

        bought = await pay(product, ada.card, 1999)

        assert await fired(product) == [1]
        assert bought["approved"] is False
        await oracle(product)
        assert await reason_of(product, bought["id"]) == "bank_declined"
        assert len(await intents(product, ada.customer.stripe_customer_id)) == 1

    async def test_is_the_default_when_it_was_made_so(self, product: Product) -> None:
        ada = await holder(product, sources=(VISA, MASTERCARD))
        await product.as_owner(
            "UPDATE funding_source SET is_default = false;"
            "UPDATE funding_source SET is_default = true WHERE brand = 'mastercard'"
        )

        await pay(product, ada.card, 1999)

        [intent] = await intents(product, ada.customer.stripe_customer_id)
        assert intent["payment_method"] == ada.sources[1].stripe_payment_method_id
        await oracle(product)

"""Stripe's PaymentIntents read into what the funding domain asks for."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from app.domain.funding.charges import BookedFee, ChargeOutcome, IntentFacts
from app.domain.funding.states import ChargeState, FundingMode

ON_SESSION = "on_session"
"""Marks, in the metadata, what customers confirm in the browser."""


class CardDetails(msgspec.Struct):
    capture_before: int | None = None


class PaymentMethodDetails(msgspec.Struct):
    card: CardDetails | None = None


class BalanceTransaction(msgspec.Struct):
    """The fields of a balance transaction that we read with its charge."""

    id: str
    fee: int


class StripeCharge(msgspec.Struct):
    """The fields of a charge that we read."""

    id: str
    balance_transaction: BalanceTransaction | str | None = None
    amount: int = 0
    amount_captured: int = 0
    amount_refunded: int = 0
    payment_method_details: PaymentMethodDetails | None = None

    @property
    def given_back(self) -> int:
        """What was taken and returned. Stripe counts the released rest of a hold as refunded too.

        Source: https://docs.stripe.com/payments/place-a-hold-on-a-payment-method#capture-funds
        """
        return max(self.amount_refunded - (self.amount - self.amount_captured), 0)


class StripeError(msgspec.Struct):
    """Stripe's error object: https://docs.stripe.com/api/errors."""

    type: str = ""
    code: str | None = None
    param: str | None = None
    decline_code: str | None = None
    advice_code: str | None = None
    charge: str | None = None
    payment_intent: "StripeIntent | None" = None


class StripeIntent(msgspec.Struct):
    """The fields of a PaymentIntent that we read. Its charge is expanded where we ask for it."""

    id: str
    status: str
    amount: int
    created: int
    amount_received: int = 0
    capture_method: str = "manual"
    metadata: dict[str, str] = {}
    payment_method: str | None = None
    latest_charge: StripeCharge | str | None = None
    last_payment_error: StripeError | None = None


# https://docs.stripe.com/payments/paymentintents/lifecycle
_STATES = {
    "requires_capture": ChargeState.HELD,
    "succeeded": ChargeState.CAPTURED,
    "canceled": ChargeState.CANCELED,
    "requires_payment_method": ChargeState.DECLINED,
    "requires_action": ChargeState.DECLINED,
    "requires_confirmation": ChargeState.DECLINED,
}


def read_intent(data: Any) -> StripeIntent:
    return msgspec.convert(data, StripeIntent)


def outcome_of(intent: StripeIntent) -> ChargeOutcome:
    """Give what a PaymentIntent that answered 200 means; `processing` and the new are unknown."""
    error = intent.last_payment_error
    code = (error.decline_code or error.code) if error else None
    needs_action = intent.status == "requires_action"
    return ChargeOutcome(
        _STATES.get(intent.status, ChargeState.UNKNOWN),
        stripe_payment_intent_id=intent.id,
        stripe_charge_id=_charge_id(intent),
        capture_before=_capture_before(intent),
        decline_code="authentication_required" if needs_action else code,
        advice_code=error.advice_code if error else None,
        detail=f"payment intent {intent.status}",
    )


# Where the customer is there to confirm, it can still become a payment.
_WAITS_FOR_ITS_CUSTOMER = frozenset({"requires_confirmation", "requires_action"})


def facts_of(intent: StripeIntent) -> IntentFacts:
    charge = intent.latest_charge if isinstance(intent.latest_charge, StripeCharge) else None
    state = _STATES.get(intent.status, ChargeState.UNKNOWN)
    if ON_SESSION in intent.metadata and intent.status in _WAITS_FOR_ITS_CUSTOMER:
        state = ChargeState.UNKNOWN
    refunded = charge.given_back if charge else 0
    if state is ChargeState.CAPTURED and refunded >= intent.amount_received > 0:
        state = ChargeState.REFUNDED
    error = intent.last_payment_error
    return IntentFacts(
        id=intent.id,
        state=state,
        mode=FundingMode.HOLD if intent.capture_method == "manual" else FundingMode.CHARGE,
        amount_minor=intent.amount,
        captured_minor=intent.amount_received,
        refunded_minor=refunded,
        created_at=datetime.fromtimestamp(intent.created, UTC),
        authorization=intent.metadata.get("authorization"),
        request=intent.metadata.get("request"),
        attempt=int(intent.metadata.get("attempt", "0")),
        stripe_charge_id=_charge_id(intent),
        capture_before=_capture_before(intent),
        decline_code=(error.decline_code or error.code) if error else None,
        payment_method=intent.payment_method,
        fee=_fee(charge),
    )


def _fee(charge: StripeCharge | None) -> BookedFee | None:
    """Give what Stripe booked for a charge, once it has and where we asked to see it."""
    booked = charge.balance_transaction if charge else None
    return BookedFee(booked.id, booked.fee) if isinstance(booked, BalanceTransaction) else None


def _charge_id(intent: StripeIntent) -> str | None:
    latest = intent.latest_charge
    return latest.id if isinstance(latest, StripeCharge) else latest


def _capture_before(intent: StripeIntent) -> datetime | None:
    latest = intent.latest_charge
    if not isinstance(latest, StripeCharge) or latest.payment_method_details is None:
        return None
    card = latest.payment_method_details.card
    if card is None or card.capture_before is None:
        return None
    return datetime.fromtimestamp(card.capture_before, UTC)

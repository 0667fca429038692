"""Putting money on a linked card: what is asked of Stripe, and every way it can answer."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from app.domain.funding.states import ChargeState, FundingMode, RefundState
from app.money import Currency


class ChargeOrder(msgspec.Struct, frozen=True):
    """One attempt to put an amount on a linked card. Two orders with one key are one charge."""

    key: str
    stripe_customer_id: str
    stripe_payment_method_id: str
    amount_minor: int
    currency: Currency
    mode: FundingMode
    merchant_name: str
    authorization: str
    request: str
    attempt: int


class ChargeOutcome(msgspec.Struct, frozen=True):
    """What came of an order. UNKNOWN covers every answer that proves neither yes nor no."""

    state: ChargeState
    stripe_payment_intent_id: str | None = None
    stripe_charge_id: str | None = None
    capture_before: datetime | None = None
    # A decline: the bank's code where it gave one, else Stripe's; and Stripe's advice on retrying.
    decline_code: str | None = None
    advice_code: str | None = None
    # Why it is unknown or was refused, for the log and for staff; never a body.
    detail: str | None = None


class BookedFee(msgspec.Struct, frozen=True):
    """What Stripe booked for processing a charge, and the balance transaction it did it in."""

    stripe_balance_transaction_id: str
    fee_minor: int


class IntentFacts(msgspec.Struct, frozen=True):
    """A PaymentIntent of ours as Stripe has it now."""

    id: str
    state: ChargeState
    mode: FundingMode
    amount_minor: int
    captured_minor: int
    refunded_minor: int
    created_at: datetime
    authorization: str | None
    request: str | None
    attempt: int
    stripe_charge_id: str | None
    capture_before: datetime | None
    decline_code: str | None
    payment_method: str | None
    # None until Stripe has booked it.
    fee: BookedFee | None = None


class RefundOrder(msgspec.Struct, frozen=True):
    """One refund to ask for. Two orders with one key are one refund; `refund` names our record."""

    key: str
    refund: str
    stripe_payment_intent_id: str
    amount_minor: int


class RefundFacts(msgspec.Struct, frozen=True):
    """A refund as Stripe has it now. Without a balance transaction it waits for money."""

    id: str
    state: RefundState
    amount_minor: int
    stripe_balance_transaction_id: str | None
    failure_reason: str | None
    created_at: datetime


class FundingProcessor(Protocol):
    """What the decision asks of the outside: one charge, within its time, and no retry."""

    async def charge(self, order: ChargeOrder, *, timeout_seconds: float) -> ChargeOutcome:
        """Put the amount on the card. Never raises: what is not known is UNKNOWN."""


class FundingBackOffice(Protocol):
    """What repair and settlement ask of the outside. They may raise; the job is tried again."""

    async def charge(self, order: ChargeOrder) -> ChargeOutcome: ...

    async def intents_of(self, stripe_customer_id: str, since: datetime) -> list[IntentFacts]:
        """List the customer's PaymentIntents made since a moment, from Stripe's list, not ours."""

    async def intent(self, stripe_payment_intent_id: str) -> IntentFacts: ...

    async def capture(self, stripe_payment_intent_id: str, amount_minor: int) -> IntentFacts:
        """Take part or all of a hold, the rest is released; give how it stands then.

        Repeating it changes nothing. A hold that has lapsed meanwhile is told as canceled.
        """

    async def cancel(self, stripe_payment_intent_id: str) -> IntentFacts:
        """Release a hold; give how it stands then. Repeating it changes nothing."""

    async def refund(self, order: RefundOrder) -> RefundFacts:
        """Refund once, however often it is asked for with the same key."""

    async def refund_facts(self, stripe_refund_id: str) -> RefundFacts: ...


def charge_key(authorization: str, request: str, attempt: int) -> str:
    """Give the idempotency key of an attempt: the same question never charges twice.

    Source: https://docs.stripe.com/api/idempotent_requests
    """
    return f"auth:{authorization}:{request}:{attempt}"


class ChargeRecord(msgspec.Struct, frozen=True):
    """An attempt and its outcome, as it is written beside the decision."""

    id: UUID
    funding_source_id: UUID
    attempt: int
    idempotency_key: str
    amount_minor: int
    # The merchant's part of the amount.
    principal_minor: int
    outcome: ChargeOutcome

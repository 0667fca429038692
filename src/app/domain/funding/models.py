"""Linked cards, prices, and what was put on the linked cards."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, false, func
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.domain.funding.pricing import RefundFeePolicy
from app.domain.funding.states import (
    CHARGE_MOVES,
    FUNDING_SOURCE_MOVES,
    ChargePurpose,
    ChargeState,
    FundingMode,
    FundingSourceState,
)
from app.domain.states import IllegalMove, check_move
from app.money import Currency


class FundingSource(Table):
    """A real card that a customer has linked. The lowest priority number is tried first."""

    __tablename__ = "funding_source"
    __table_args__ = (
        Index(
            "ix_funding_source_default",
            "customer_id",
            unique=True,
            postgresql_where="is_default AND state = 'active'",
        ),
        Index("ix_funding_source_customer", "customer_id", "priority"),
        Index("ix_funding_source_fingerprint", "fingerprint"),
        Index("ix_funding_source_last4", "last4"),
    )

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customer.id"))
    stripe_payment_method_id: Mapped[str] = mapped_column(unique=True)
    priority: Mapped[int]
    is_default: Mapped[bool]
    brand: Mapped[str]
    last4: Mapped[str]
    exp_month: Mapped[int]
    exp_year: Mapped[int]
    funding: Mapped[str]
    fingerprint: Mapped[str]
    country: Mapped[str | None]
    # When the bank last confirmed it, by the database's clock; missing where that was not asked.
    confirmed_at: Mapped[datetime | None]
    state: Mapped[FundingSourceState] = mapped_column(default=FundingSourceState.ACTIVE)

    def move_to(self, state: FundingSourceState) -> None:
        self.state = check_move(FUNDING_SOURCE_MOVES, self.state, state)


class PricePlan(Table):
    """What we add to a purchase from a moment on: a share, a fixed part, and at least a minimum."""

    __tablename__ = "price_plan"
    __table_args__ = (
        CheckConstraint("percent_bps >= 0 AND percent_bps <= 10000", name="percent_in_range"),
        CheckConstraint("fixed_minor >= 0 AND minimum_minor >= 0", name="parts_positive"),
    )

    name: Mapped[str]
    effective_from: Mapped[datetime] = mapped_column(unique=True)
    percent_bps: Mapped[int]
    fixed_minor: Mapped[int]
    minimum_minor: Mapped[int] = mapped_column(default=0)
    currency: Mapped[Currency] = mapped_column(default=Currency.USD)
    refund_fee_policy: Mapped[RefundFeePolicy] = mapped_column(
        default=RefundFeePolicy.PROPORTIONAL, server_default=RefundFeePolicy.PROPORTIONAL
    )


class Charge(Table):
    """One PaymentIntent of ours on a linked card: for a request, or for what came afterwards."""

    __tablename__ = "charge"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint(
            "captured_minor BETWEEN 0 AND amount_minor"
            " AND refunded_minor BETWEEN 0 AND captured_minor",
            name="parts_within_amount",
        ),
        CheckConstraint(
            "principal_minor BETWEEN 0 AND amount_minor"
            " AND captured_principal_minor BETWEEN 0 AND captured_minor",
            name="principal_within_amount",
        ),
        Index("ix_charge_purchase", "purchase_id"),
        # Neither is written to by a decision that holds what was asked for.
        Index(
            "ix_charge_rare",
            "created_at",
            postgresql_where="state NOT IN ('held', 'captured')",
        ),
        Index(
            "ix_charge_held_for_ever",
            "created_at",
            postgresql_where="state = 'held' AND capture_before IS NULL",
        ),
        Index(
            "ix_charge_decline_code",
            "decline_code",
            "created_at",
            postgresql_where="decline_code IS NOT NULL",
        ),
        Index(
            "ix_charge_lapsing",
            "capture_before",
            postgresql_where="state = 'held' AND capture_before IS NOT NULL",
        ),
        Index("ix_charge_request", "request_id"),
        Index("ix_charge_created_at", "created_at"),
        Index("ix_charge_customer", "customer_id", "created_at"),
        Index("ix_charge_amount", "amount_minor"),
        Index("ix_charge_captured", "captured_minor", postgresql_where="captured_minor > 0"),
        Index(
            "ix_charge_stripe_charge",
            "stripe_charge_id",
            postgresql_where="stripe_charge_id IS NOT NULL",
        ),
        Index(
            "ix_charge_source",
            "funding_source_id",
            postgresql_where="funding_source_id IS NOT NULL",
        ),
    )

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customer.id"))
    funding_source_id: Mapped[UUID | None] = mapped_column(ForeignKey("funding_source.id"))
    # The authorization and the request live in the issuing domain, which this one does not know.
    purchase_id: Mapped[UUID]
    # Only a charge that a decision asked for belongs to a request.
    request_id: Mapped[UUID | None]
    purpose: Mapped[ChargePurpose] = mapped_column(
        default=ChargePurpose.AUTHORIZATION, server_default=ChargePurpose.AUTHORIZATION
    )
    # The debt that a charge collects.
    receivable_id: Mapped[UUID | None]
    # Held first and taken later, or taken at once.
    mode: Mapped[FundingMode] = mapped_column(
        default=FundingMode.HOLD, server_default=FundingMode.HOLD
    )
    # The customer is there, and confirms it in the browser; unknown until Stripe tells how it went.
    on_session: Mapped[bool] = mapped_column(default=False, server_default=false())
    attempt: Mapped[int]
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    amount_minor: Mapped[int]
    # The merchant's part of the amount; the rest is our fee.
    principal_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    captured_minor: Mapped[int] = mapped_column(default=0)
    # Of what was taken; None until it is known.
    captured_principal_minor: Mapped[int | None]
    refunded_minor: Mapped[int] = mapped_column(default=0)
    currency: Mapped[Currency]
    state: Mapped[ChargeState]
    # Taken, and given back whole because its purchase was not approved.
    undone: Mapped[bool] = mapped_column(default=False, server_default=false())
    # What Stripe booked for processing it, once it has.
    stripe_balance_transaction_id: Mapped[str | None]
    processing_fee_minor: Mapped[int | None]
    # The bank's own words for a decline, and whether trying again makes sense.
    decline_code: Mapped[str | None]
    advice_code: Mapped[str | None]
    capture_before: Mapped[datetime | None]
    stripe_payment_intent_id: Mapped[str | None] = mapped_column(unique=True)
    stripe_charge_id: Mapped[str | None]
    # When it was known what came of it, by the database's clock; missing where a decision wrote it
    # down together with that.
    answered_at: Mapped[datetime | None]

    def move_to(self, state: ChargeState) -> None:
        if self.state is ChargeState.UNKNOWN and state is not ChargeState.UNKNOWN:
            self.answered_at = func.now()
        if self.state is ChargeState.CANCELED and state is ChargeState.UNKNOWN:
            self._check_never_seen()
        self.state = check_move(CHARGE_MOVES, self.state, state)

    def doubt_again(self) -> None:
        """Stripe's list has by now what it did not have when we took it for never made."""
        if self.state is ChargeState.CANCELED and self.stripe_payment_intent_id is None:
            self.move_to(ChargeState.UNKNOWN)

    def _check_never_seen(self) -> None:
        if self.stripe_payment_intent_id is not None:
            raise IllegalMove("what Stripe has canceled is not in doubt any more")

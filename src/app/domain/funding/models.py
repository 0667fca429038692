"""Linked cards, prices, and what was put on the linked cards."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.domain.funding.states import (
    CHARGE_MOVES,
    FUNDING_SOURCE_MOVES,
    ChargeState,
    FundingSourceState,
)
from app.domain.states import check_move
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


class Charge(Table):
    """One PaymentIntent of ours on a linked card, made for one request about a purchase."""

    __tablename__ = "charge"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint(
            "captured_minor BETWEEN 0 AND amount_minor"
            " AND refunded_minor BETWEEN 0 AND captured_minor",
            name="parts_within_amount",
        ),
        Index("ix_charge_purchase", "purchase_id"),
        Index("ix_charge_request", "request_id"),
        Index("ix_charge_created_at", "created_at"),
        Index("ix_charge_customer", "customer_id", "created_at"),
    )

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customer.id"))
    funding_source_id: Mapped[UUID | None] = mapped_column(ForeignKey("funding_source.id"))
    # The authorization and the request live in the issuing domain, which this one does not know.
    purchase_id: Mapped[UUID]
    request_id: Mapped[UUID]
    attempt: Mapped[int]
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    amount_minor: Mapped[int]
    captured_minor: Mapped[int] = mapped_column(default=0)
    refunded_minor: Mapped[int] = mapped_column(default=0)
    currency: Mapped[Currency]
    state: Mapped[ChargeState]
    # The bank's own words for a decline, and whether trying again makes sense.
    decline_code: Mapped[str | None]
    advice_code: Mapped[str | None]
    capture_before: Mapped[datetime | None]
    stripe_payment_intent_id: Mapped[str | None] = mapped_column(unique=True)
    stripe_charge_id: Mapped[str | None]

    def move_to(self, state: ChargeState) -> None:
        self.state = check_move(CHARGE_MOVES, self.state, state)

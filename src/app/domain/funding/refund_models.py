"""What goes back to linked cards, and what customers owe."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, false
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.domain.funding.pricing import MAXIMUM_CHARGE_MINOR, MINIMUM_CHARGE_MINOR
from app.domain.funding.states import (
    RECEIVABLE_MOVES,
    REFUND_MOVES,
    ReceivableState,
    RefundPurpose,
    RefundState,
)
from app.domain.states import check_move
from app.money import Currency


class Refund(Table):
    """One refund of a charge of ours, recorded before Stripe is asked for it."""

    __tablename__ = "refund"
    __table_args__ = (
        CheckConstraint(
            "amount_minor > 0"
            " AND amount_minor = principal_minor + deferred_fee_minor + returned_fee_minor"
            " AND principal_minor >= 0 AND deferred_fee_minor >= 0 AND returned_fee_minor >= 0",
            name="parts_are_whole",
        ),
        CheckConstraint("covered_minor BETWEEN 0 AND principal_minor", name="covered_in_range"),
        CheckConstraint(
            "withdrawn_principal_minor BETWEEN 0 AND principal_minor"
            " AND withdrawn_fee_minor BETWEEN 0 AND returned_fee_minor"
            " AND paid_outside_minor IN"
            " (0, amount_minor - withdrawn_principal_minor - withdrawn_fee_minor)"
            " AND (state = 'failed' OR"
            " withdrawn_principal_minor + withdrawn_fee_minor + paid_outside_minor = 0)",
            name="sent_back_in_range",
        ),
        Index("ix_refund_purchase", "purchase_id"),
        Index("ix_refund_charge", "charge_id"),
        Index("ix_refund_created_at", "created_at"),
        Index("ix_refund_amount", "amount_minor"),
        Index("ix_refund_customer", "customer_id", "created_at"),
    )

    charge_id: Mapped[UUID] = mapped_column(ForeignKey("charge.id"))
    customer_id: Mapped[UUID]
    purchase_id: Mapped[UUID]
    purpose: Mapped[RefundPurpose]
    amount_minor: Mapped[int]
    # What the customer had paid for merchants, for a fee not earned yet, and for an earned one.
    principal_minor: Mapped[int]
    deferred_fee_minor: Mapped[int] = mapped_column(default=0)
    returned_fee_minor: Mapped[int] = mapped_column(default=0)
    # What of one of our own a merchant's refund has covered since; in how many journals.
    covered_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    covers: Mapped[int] = mapped_column(default=0, server_default="0")
    # Of one that the bank sent back: what its merchant took back before the customer had it, and
    # what the customer had from our bank account instead.
    withdrawn_principal_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    withdrawn_fee_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    paid_outside_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    currency: Mapped[Currency] = mapped_column(default=Currency.USD)
    state: Mapped[RefundState] = mapped_column(default=RefundState.SENDING)
    stripe_refund_id: Mapped[str | None] = mapped_column(unique=True)
    # Stripe has booked it on our balance: until then it waits there for money.
    stripe_balance_transaction_id: Mapped[str | None]
    failure_reason: Mapped[str | None]

    @property
    def withdrawn_minor(self) -> int:
        return self.withdrawn_principal_minor + self.withdrawn_fee_minor

    @property
    def to_pay_minor(self) -> int:
        """What the bank sent back of it and the customer is owed still, by another way."""
        if self.state is not RefundState.FAILED:
            return 0
        return self.amount_minor - self.withdrawn_minor - self.paid_outside_minor

    def move_to(self, state: RefundState) -> None:
        self.state = check_move(REFUND_MOVES, self.state, state)


class Receivable(Table):
    """What a customer owes because a merchant's capture could not be collected."""

    __tablename__ = "receivable"
    __table_args__ = (
        CheckConstraint(
            "amount_minor > 0 AND lowered_minor BETWEEN 0 AND amount_minor", name="amounts_in_range"
        ),
        CheckConstraint(
            "(state = 'paid_outside') = (paid_outside_minor IS NOT NULL)"
            " AND paid_outside_minor BETWEEN 1 AND amount_minor",
            name="paid_outside",
        ),
        CheckConstraint(
            "paid_back_minor BETWEEN 0"
            " AND greatest(lowered_minor + coalesce(paid_outside_minor, 0) - amount_minor, 0)",
            name="paid_back_in_range",
        ),
        Index("ix_receivable_purchase", "purchase_id"),
        Index("ix_receivable_customer", "customer_id", postgresql_where="state = 'open'"),
        Index("ix_receivable_due", "next_attempt_at", postgresql_where="state = 'open'"),
        Index("ix_receivable_opened_at", "opened_at"),
    )

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customer.id"))
    purchase_id: Mapped[UUID]
    opened_at: Mapped[datetime]
    # The merchant's part: our fee on it is earned when it is collected.
    amount_minor: Mapped[int]
    # Covered by what merchants gave back while it was open.
    lowered_minor: Mapped[int] = mapped_column(default=0)
    # What the customer paid of it to our bank account, where they did.
    paid_outside_minor: Mapped[int | None]
    # What they had of it from there again, because merchants gave it back.
    paid_back_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    currency: Mapped[Currency] = mapped_column(default=Currency.USD)
    # A merchant took back a refund that we had passed on.
    refund_reversed: Mapped[bool] = mapped_column(default=False, server_default=false())
    state: Mapped[ReceivableState] = mapped_column(default=ReceivableState.OPEN)
    attempts: Mapped[int] = mapped_column(default=0)
    # None: not tried by itself again until the customer links another card.
    next_attempt_at: Mapped[datetime | None]
    decline_code: Mapped[str | None]
    advice_code: Mapped[str | None]
    closed_at: Mapped[datetime | None]

    @property
    def outstanding_minor(self) -> int:
        return self.amount_minor - self.lowered_minor

    @property
    def to_pay_back_minor(self) -> int:
        """What merchants gave back of what was paid outside, and the customer has not had."""
        given = max(self.lowered_minor + (self.paid_outside_minor or 0) - self.amount_minor, 0)
        return given - self.paid_back_minor

    @property
    def can_be_charged(self) -> bool:
        """Whether a card can be charged with it."""
        return not self.is_trifle and self.outstanding_minor <= MAXIMUM_CHARGE_MINOR

    @property
    def is_trifle(self) -> bool:
        """Whether it is too little for a card to be charged with; it stops no card then."""
        return self.outstanding_minor < MINIMUM_CHARGE_MINOR

    def move_to(self, state: ReceivableState) -> None:
        self.state = check_move(RECEIVABLE_MOVES, self.state, state)

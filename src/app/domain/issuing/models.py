"""Cards, what was asked about them, what we answered, and what merchants took."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Enum, ForeignKey, Index, Text, Uuid, false
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.domain.funding.states import FundingMode
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.states import (
    AUTHORIZATION_MOVES,
    CARD_MOVES,
    REQUEST_MOVES,
    AuthorizationState,
    CardState,
    RequestState,
    TransactionKind,
)
from app.domain.states import check_move
from app.money import Currency

DAILY_LIMIT_MINOR = 100_000
MONTHLY_LIMIT_MINOR = 500_000


class Card(Table):
    """A virtual card we issued, with the controls its purchases must pass."""

    __tablename__ = "card"
    __table_args__ = (
        CheckConstraint(
            "daily_limit_minor >= 0 AND monthly_limit_minor >= 0"
            " AND coalesce(purchase_limit_minor, 0) >= 0",
            name="limits_positive",
        ),
        Index("ix_card_customer", "customer_id"),
        Index("ix_card_last4", "last4"),
        Index("ix_card_active", "customer_id", postgresql_where="state = 'active'"),
    )

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customer.id"))
    stripe_card_id: Mapped[str] = mapped_column(unique=True)
    nickname: Mapped[str]
    last4: Mapped[str]
    exp_month: Mapped[int]
    exp_year: Mapped[int]
    state: Mapped[CardState] = mapped_column(default=CardState.INACTIVE)
    currency: Mapped[Currency] = mapped_column(default=Currency.USD)
    daily_limit_minor: Mapped[int] = mapped_column(default=DAILY_LIMIT_MINOR)
    monthly_limit_minor: Mapped[int] = mapped_column(default=MONTHLY_LIMIT_MINOR)
    purchase_limit_minor: Mapped[int | None]
    # Stripe's category words, such as "fast_food_restaurants". Empty lists allow everything.
    allowed_categories: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    blocked_categories: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    # Two-letter countries.
    allowed_countries: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    blocked_countries: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    # The network's id of the only merchant this card may be used at.
    merchant_lock: Mapped[str | None]
    # Or the first merchant it is used at for more than a probe.
    lock_to_first_merchant: Mapped[bool] = mapped_column(default=False, server_default=false())
    single_use: Mapped[bool] = mapped_column(default=False)
    # The linked card that is tried first; missing where the customer's own order is followed.
    funding_source_id: Mapped[UUID | None] = mapped_column(ForeignKey("funding_source.id"))
    # Who froze it, in the words of the trail: only what a customer froze may a customer unfreeze.
    frozen_by: Mapped[str | None]
    # The old card whose place this one took.
    replaces_id: Mapped[UUID | None] = mapped_column(ForeignKey("card.id"), unique=True)
    # Purchases end here, whatever is printed on the card.
    active_until: Mapped[datetime | None]

    def move_to(self, state: CardState) -> None:
        self.state = check_move(CARD_MOVES, self.state, state)


class Authorization(Table):
    """A purchase, as Stripe last told us it stands. May be asked about several times."""

    __tablename__ = "card_authorization"
    __table_args__ = (
        Index("ix_card_authorization_card", "card_id", "created_at"),
        Index("ix_card_authorization_customer", "customer_id", "occurred_at", "id"),
        Index("ix_card_authorization_created_at", "created_at"),
        Index("ix_card_authorization_merchant", "merchant_name", "created_at"),
        # Of what a decision writes none is in it: the amount is Stripe's word, and comes later.
        Index("ix_card_authorization_amount", "amount_minor", postgresql_where="amount_minor <> 0"),
        Index(
            "ix_card_authorization_not_handled",
            "created_at",
            postgresql_where="not_handled IS NOT NULL",
        ),
        Index(
            "ix_card_authorization_pending",
            "occurred_at",
            postgresql_where="state = 'pending'",
        ),
        Index(
            "ix_card_authorization_settle_after",
            "settle_after",
            postgresql_where="settle_after IS NOT NULL",
        ),
    )

    # Where a merchant captured without any authorization, the id of Stripe's transaction.
    stripe_authorization_id: Mapped[str] = mapped_column(unique=True)
    forced: Mapped[bool] = mapped_column(default=False, server_default=false())
    card_id: Mapped[UUID | None] = mapped_column(ForeignKey("card.id"))
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customer.id"))
    occurred_at: Mapped[datetime]
    state: Mapped[AuthorizationState] = mapped_column(default=AuthorizationState.PENDING)
    # Stripe's word on the whole purchase; unknown until its first event or our first look.
    approved: Mapped[bool | None]
    amount_minor: Mapped[int] = mapped_column(default=0)
    # Stripe's word, here and below: what is asked in another currency than ours is kept too.
    currency: Mapped[str]
    merchant_name: Mapped[str]
    merchant_category: Mapped[str]
    merchant_country: Mapped[str | None]
    merchant_city: Mapped[str | None]
    merchant_network_id: Mapped[str | None]
    # What settlement cannot do by itself, in words for staff.
    not_handled: Mapped[str | None]
    # When settlement must look again though no event comes.
    settle_after: Mapped[datetime | None]
    # When Stripe's facts were read for the last settlement, by the database's clock.
    read_at: Mapped[datetime | None]
    # A settlement's claim: it may write only while the fence is still the one it was given.
    leased_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(default=0)

    def move_to(self, state: AuthorizationState) -> None:
        self.state = check_move(AUTHORIZATION_MOVES, self.state, state)


class AuthorizationRequest(Table):
    """One question from Stripe, what we answered, how long it took, and what became true."""

    __tablename__ = "authorization_request"
    __table_args__ = (
        Index("ix_authorization_request_ordinal", "authorization_id", "ordinal", unique=True),
        Index("ix_authorization_request_card", "card_id", "requested_at"),
        Index("ix_authorization_request_customer", "customer_id", "requested_at"),
        Index(
            "ix_authorization_request_allowance",
            "allowance_id",
            postgresql_where="allowance_id IS NOT NULL",
        ),
        Index("ix_authorization_request_requested_at", "requested_at"),
        Index("ix_authorization_request_amount", "amount_minor"),
        Index(
            "ix_authorization_request_declines",
            "requested_at",
            "reason",
            postgresql_where="reason IS NOT NULL",
        ),
        Index(
            "ix_authorization_request_open",
            "customer_id",
            postgresql_where="open AND reserved_minor > 0",
        ),
        Index(
            "ix_authorization_request_unverified",
            "verify_after",
            postgresql_where="verified_at IS NULL",
        ),
        CheckConstraint("reserved_minor >= 0", name="reserved_positive"),
    )

    authorization_id: Mapped[UUID] = mapped_column(ForeignKey("card_authorization.id"))
    card_id: Mapped[UUID | None] = mapped_column(ForeignKey("card.id"))
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customer.id"))
    # The length of Stripe's request_history when it asked: 0 for the first request.
    ordinal: Mapped[int]
    # Missing when Stripe never asked us and the request was adopted from its history.
    stripe_event_id: Mapped[str | None] = mapped_column(unique=True)
    requested_at: Mapped[datetime]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    # What we approved of it: less where the merchant takes less and a limit left no more.
    approved_minor: Mapped[int | None]
    # The network's estimate of fraud, 0 to 99.
    risk_score: Mapped[int | None]
    # The permission to pass some checks once that this request uses; a declined one gives it back.
    allowance_id: Mapped[UUID | None]
    # Approved before this request on the same authorization, as Stripe said when it asked.
    approved_before_minor: Mapped[int] = mapped_column(default=0)
    # The part of the limits this request uses up.
    reserved_minor: Mapped[int] = mapped_column(default=0)
    # True until the purchase has ended, for the customer's exposure limit.
    open: Mapped[bool] = mapped_column(default=True)
    price_plan_id: Mapped[UUID | None] = mapped_column(ForeignKey("price_plan.id"))
    funding_mode: Mapped[FundingMode]
    funding_source_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), default=list)
    fee_minor: Mapped[int] = mapped_column(default=0)
    state: Mapped[RequestState] = mapped_column(default=RequestState.DECIDING)
    # Not checked by the database, as other words are: the list is too long to be read each time.
    reason: Mapped[DeclineReason | None] = mapped_column(
        Enum(
            DeclineReason,
            native_enum=False,
            length=40,
            values_callable=lambda kind: [reason.value for reason in kind],
        )
    )
    decided_at: Mapped[datetime | None]
    # Milliseconds by step, as text keys: verify, record, decide, hold, write, total.
    step_ms: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    # Stripe's word on this request, from its request_history.
    stripe_approved: Mapped[bool | None]
    stripe_reason: Mapped[str | None]
    # When Stripe's word and the charges were seen to agree; until then the repair job looks again.
    verified_at: Mapped[datetime | None]
    verify_after: Mapped[datetime]

    def move_to(self, state: RequestState) -> None:
        self.state = check_move(REQUEST_MOVES, self.state, state)


class CardTransaction(Table):
    """Money a merchant took (capture, negative) or gave back (refund, positive): Stripe's signs.

    Source: https://docs.stripe.com/issuing/purchases/transactions
    """

    __tablename__ = "card_transaction"
    __table_args__ = (
        Index("ix_card_transaction_authorization", "authorization_id"),
        Index("ix_card_transaction_occurred_at", "occurred_at"),
        Index("ix_card_transaction_card", "card_id", "occurred_at"),
        Index("ix_card_transaction_customer", "customer_id", "occurred_at"),
        Index("ix_card_transaction_amount", "amount_minor"),
        Index("ix_card_transaction_merchant", "merchant_name", "occurred_at"),
        Index(
            "ix_card_transaction_waiting",
            "occurred_at",
            postgresql_where="unmatched AND authorization_id IS NULL",
        ),
    )

    stripe_transaction_id: Mapped[str] = mapped_column(unique=True)
    authorization_id: Mapped[UUID | None] = mapped_column(ForeignKey("card_authorization.id"))
    card_id: Mapped[UUID | None] = mapped_column(ForeignKey("card.id"))
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customer.id"))
    kind: Mapped[TransactionKind]
    occurred_at: Mapped[datetime]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    merchant_name: Mapped[str]
    # Our fee on this capture: the fee on all captured so far, less the fee on all before.
    fee_minor: Mapped[int] = mapped_column(default=0)
    # What of that fee is paid, and so is ours.
    earned_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    # A refund that came without saying for which purchase.
    unmatched: Mapped[bool] = mapped_column(default=False, server_default=false())
    not_handled: Mapped[str | None]

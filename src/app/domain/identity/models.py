"""Customers, staff, their sessions, and the trail of what was done."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.domain.identity.states import (
    CUSTOMER_MOVES,
    STAFF_MOVES,
    CustomerState,
    StaffState,
)
from app.domain.states import check_move
from app.money import Currency


class Customer(Table):
    """A person whose real card pays for purchases with our cards. All data is the person's own."""

    __tablename__ = "customer"
    __table_args__ = (
        Index("ix_customer_email", text("lower(email)"), unique=True),
        Index("ix_customer_state", "state"),
        CheckConstraint("exposure_limit_minor >= 0", name="exposure_limit_positive"),
    )

    email: Mapped[str]
    first_name: Mapped[str]
    last_name: Mapped[str]
    birth_date: Mapped[date]
    phone: Mapped[str]
    address_line1: Mapped[str]
    address_line2: Mapped[str | None]
    city: Mapped[str]
    region: Mapped[str | None]
    postal_code: Mapped[str]
    country: Mapped[str]
    terms_accepted_at: Mapped[datetime]
    terms_accepted_ip: Mapped[str]
    state: Mapped[CustomerState] = mapped_column(default=CustomerState.ONBOARDING)
    currency: Mapped[Currency] = mapped_column(default=Currency.USD)
    # What may be open on all cards together: approved and not yet settled.
    exposure_limit_minor: Mapped[int] = mapped_column(default=500_000)
    stripe_customer_id: Mapped[str | None] = mapped_column(unique=True)
    stripe_cardholder_id: Mapped[str | None] = mapped_column(unique=True)

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    def move_to(self, state: CustomerState) -> None:
        self.state = check_move(CUSTOMER_MOVES, self.state, state)


class Staff(Table):
    """A member of finance or support."""

    __tablename__ = "staff"
    __table_args__ = (Index("ix_staff_email", text("lower(email)"), unique=True),)

    email: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[StaffState] = mapped_column(default=StaffState.ACTIVE)

    def move_to(self, state: StaffState) -> None:
        self.state = check_move(STAFF_MOVES, self.state, state)


class StaffSession(Table):
    """A sign-in that lasts. The browser holds the token; we keep only its hash."""

    __tablename__ = "staff_session"
    __table_args__ = (Index("ix_staff_session_staff_id", "staff_id"),)

    staff_id: Mapped[UUID]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    address: Mapped[str]
    user_agent: Mapped[str]


class SignInFailure(Table):
    """A wrong password, kept to slow down whoever guesses."""

    __tablename__ = "sign_in_failure"
    __table_args__ = (
        Index("ix_sign_in_failure_email", "email", "created_at"),
        Index("ix_sign_in_failure_address", "address", "created_at"),
    )

    email: Mapped[str]
    address: Mapped[str]


class AuditEntry(Table):
    """Who did what, when, from where and why. Never changed, never deleted."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_subject", "subject_kind", "subject_id"),
        Index("ix_audit_entry_created_at", "created_at"),
    )

    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    reason: Mapped[str | None]
    address: Mapped[str | None]
    request_id: Mapped[str | None]

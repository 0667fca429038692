"""Customers, staff, and the sessions of staff."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Index, Text, text
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
        Index("ix_customer_in_debt", "in_debt_since", postgresql_where="in_debt_since IS NOT NULL"),
        Index(
            "ix_customer_stop_told",
            "debt_stop_told_at",
            postgresql_where="debt_stop_told_at IS NOT NULL",
        ),
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
    # Since when a debt of more than a trifle is open, for the decision to read.
    in_debt_since: Mapped[datetime | None]
    # When we wrote that the cards are stopped for it; missing once we wrote that they work again.
    debt_stop_told_at: Mapped[datetime | None]
    stripe_customer_id: Mapped[str | None] = mapped_column(unique=True)
    stripe_cardholder_id: Mapped[str | None] = mapped_column(unique=True)

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    def move_to(self, state: CustomerState) -> None:
        self.state = check_move(CUSTOMER_MOVES, self.state, state)


class Staff(Table):
    """A member of the staff. What they sign in with beside a password is derived, never kept.

    The secret of their authenticator comes from our key and `totp_salt`, so a copy of the database
    alone gives nobody a code.
    """

    __tablename__ = "staff"
    __table_args__ = (Index("ix_staff_email", text("lower(email)"), unique=True),)

    email: Mapped[str]
    name: Mapped[str]
    # Missing until an invited member has chosen a password.
    password_hash: Mapped[str | None]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[StaffState] = mapped_column(default=StaffState.ACTIVE)
    # One of the demo's, whose password and secret are public: shut out where money is real.
    demo: Mapped[bool] = mapped_column(default=False)
    # Missing until the authenticator is enrolled, and after it was reset.
    totp_salt: Mapped[bytes | None]
    # The last 30 seconds, counted from 1970, whose code was used: none works twice.
    totp_last_step: Mapped[int] = mapped_column(default=0)

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

"""What customers sign in with, what they were mailed, what they tried, and what they accepted."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, Index, Text, false, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table


class Credential(Table):
    """An e-mail address that was proved, and its password. It comes before the customer.

    The customer is there once the person has said who they are and has accepted the terms.
    """

    __tablename__ = "credential"
    __table_args__ = (Index("ix_credential_email", text("lower(email)"), unique=True),)

    email: Mapped[str]
    email_verified_at: Mapped[datetime]
    password_hash: Mapped[str]
    password_changed_at: Mapped[datetime]
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customer.id"), unique=True)
    # Kinds of letters that this person does not want.
    mail_off: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")


class CustomerSession(Table):
    """A sign-in that lasts. The browser holds the token; we keep only its hash."""

    __tablename__ = "customer_session"
    __table_args__ = (Index("ix_customer_session_credential", "credential_id", "ended_at"),)

    credential_id: Mapped[UUID] = mapped_column(ForeignKey("credential.id"))
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    # The browser's own name for itself, kept for a year: a device that is new says so by mail.
    device_hash: Mapped[bytes]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    # The password was right, and the second step is still to be taken: nobody is signed in yet.
    half: Mapped[bool] = mapped_column(default=False, server_default=false())
    # When the password was last given in this session, for what asks for it again.
    password_at: Mapped[datetime]
    address: Mapped[str]
    user_agent: Mapped[str]


class SecondStep(Table):
    """The app that gives a person's codes, asked for after the password once it is confirmed.

    Its secret comes from our key and the salt, so a copy of the database gives nobody a code.
    """

    __tablename__ = "second_step"

    credential_id: Mapped[UUID] = mapped_column(ForeignKey("credential.id"), unique=True)
    salt: Mapped[bytes]
    confirmed_at: Mapped[datetime | None]
    # The time step of the code that was used last: none is good twice.
    last_step: Mapped[int] = mapped_column(default=0)


class CustomerRecoveryCode(Table):
    """A code for whoever has lost the app. Good once; we keep its hash."""

    __tablename__ = "customer_recovery_code"
    __table_args__ = (Index("ix_customer_recovery_code_credential", "credential_id"),)

    credential_id: Mapped[UUID] = mapped_column(ForeignKey("credential.id"))
    code_hash: Mapped[bytes]
    used_at: Mapped[datetime | None]


class TokenPurpose(StrEnum):
    """What a mailed link is good for."""

    SIGN_UP = "sign_up"
    RESET_PASSWORD = "reset_password"  # noqa: S105  a purpose
    CHANGE_EMAIL = "change_email"


class MailedToken(Table):
    """A link that was, or will be, mailed. It works once and until it expires; we keep its hash.

    Whoever asks for one is answered before we look whether the address is known: a job does that,
    so neither the answer nor its time tells anything.
    """

    __tablename__ = "mailed_token"
    __table_args__ = (
        Index("ix_mailed_token_email", text("lower(email)")),
        Index("ix_mailed_token_created_at", "created_at"),
    )

    purpose: Mapped[TokenPurpose]
    email: Mapped[str]
    # Whose it is: known from the start for a change, or once the letter is written.
    credential_id: Mapped[UUID | None] = mapped_column(ForeignKey("credential.id"))
    # The password that a sign-up begins with.
    password_hash: Mapped[str | None]
    # Missing until the letter is written, and for good when nobody has this address.
    token_hash: Mapped[bytes | None] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Attempt(Table):
    """Something that may be tried only so often: guessing a password, asking for a letter."""

    __tablename__ = "attempt"
    __table_args__ = (
        Index("ix_attempt_subject", "kind", "subject", "created_at"),
        Index("ix_attempt_address", "kind", "address", "created_at"),
    )

    kind: Mapped[str]
    subject: Mapped[str]
    address: Mapped[str]


class IdentityDraft(Table):
    """What a person has said about themselves so far; gone once they are a customer."""

    __tablename__ = "identity_draft"

    credential_id: Mapped[UUID] = mapped_column(ForeignKey("credential.id"), unique=True)
    answers: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Agreement(Table):
    """A text that customers accept, as they saw it. Never changed: a new text is a new row."""

    __tablename__ = "agreement"

    kind: Mapped[str]
    version: Mapped[str]
    text: Mapped[str]
    sha256: Mapped[str] = mapped_column(unique=True)


class Acceptance(Table):
    """Who accepted which text, when, and from where. Never changed, never deleted."""

    __tablename__ = "acceptance"
    __table_args__ = (
        Index("ix_acceptance_credential", "credential_id", "agreement_id", unique=True),
    )

    credential_id: Mapped[UUID] = mapped_column(ForeignKey("credential.id"))
    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"))
    accepted_at: Mapped[datetime]
    address: Mapped[str]
    user_agent: Mapped[str]

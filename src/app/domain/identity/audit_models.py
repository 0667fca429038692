"""The trail of what was done, and the chain of hashes that seals it. Append-only."""

from datetime import datetime
from typing import Any
from uuid import UUID

from advanced_alchemy.base import DefaultBase
from sqlalchemy import BigInteger, Identity, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TRANSACTION_ID, Table


class AuditEntry(Table):
    """Who did what, when, from where and why. Never changed, never deleted."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_subject", "subject_kind", "subject_id"),
        Index("ix_audit_entry_subject_id", "subject_id"),
        Index("ix_audit_entry_request", "request_id"),
        Index("ix_audit_entry_created_at", "created_at"),
        Index("ix_audit_entry_actor", "actor_id", "created_at"),
        Index("ix_audit_entry_action", "action", "created_at"),
        Index(
            "ix_audit_entry_transaction",
            "transaction_id",
            postgresql_using="brin",
            postgresql_with={"autosummarize": "on"},
        ),
    )

    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    # Why: one of a few codes where there are such, and in words.
    reason_code: Mapped[str | None]
    reason: Mapped[str | None]
    address: Mapped[str | None]
    request_id: Mapped[str | None]
    # In which transaction it was written: what is sealed is sealed up to the oldest that runs.
    transaction_id: Mapped[int] = mapped_column(server_default=text(TRANSACTION_ID))


class AuditSeal(DefaultBase):
    """A batch of entries, chained to the one before it by its hash."""

    __tablename__ = "audit_seal"

    number: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    # Every entry of a transaction from the first to before the second belongs to the batch.
    from_transaction: Mapped[int]
    until_transaction: Mapped[int]
    entries: Mapped[int]
    hash: Mapped[str]
    sealed_at: Mapped[datetime] = mapped_column(server_default=func.now())

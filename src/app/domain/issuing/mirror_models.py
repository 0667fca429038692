"""What Stripe is to be told about our cards and cardholders, recorded before it is told."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table


class MirrorKind(StrEnum):
    """CARD: a card's state and limits. CARDHOLDER: whether it may buy. REPLACEMENT: a new card."""

    CARD = "card"
    CARDHOLDER = "cardholder"
    REPLACEMENT = "replacement"


class MirrorOrder(Table):
    """One thing that Stripe is to be told, with the key that makes it happen once: the order's id.

    A newer order of the same kind about the same thing takes the place of one not sent yet.
    """

    __tablename__ = "mirror_order"
    __table_args__ = (
        Index("ix_mirror_order_subject", "subject_id", "created_at"),
        Index("ix_mirror_order_waiting", "next_at", postgresql_where="sent_at IS NULL"),
        Index(
            "ix_mirror_order_replacement",
            "subject_id",
            unique=True,
            postgresql_where="kind = 'replacement'",
        ),
    )

    kind: Mapped[MirrorKind]
    # Our id of the card or the customer; of the old card, for a replacement.
    subject_id: Mapped[UUID]
    # What to ask for, as the adapter takes it.
    wanted: Mapped[dict[str, Any]] = mapped_column(JSONB)
    attempts: Mapped[int] = mapped_column(default=0)
    # When it is tried (again), by the real clock; None when it is not tried by itself any more.
    next_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    failure: Mapped[str | None]

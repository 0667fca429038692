"""What Stripe told us, kept as it came."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.domain.states import check_move, complete


class EventState(StrEnum):
    """IGNORED: stored, and there is nothing to do for its type."""

    RECEIVED = "received"
    DONE = "done"
    IGNORED = "ignored"
    FAILED = "failed"


EVENT_MOVES = complete(
    {
        EventState.RECEIVED: {EventState.DONE, EventState.IGNORED, EventState.FAILED},
        EventState.FAILED: {EventState.RECEIVED, EventState.DONE, EventState.IGNORED},
        EventState.DONE: set(),
        EventState.IGNORED: set(),
    },
    EventState,
)


class InboundEvent(Table):
    """An event Stripe sent us. Its id makes a second delivery a no-op."""

    __tablename__ = "inbound_event"
    __table_args__ = (
        Index("ix_inbound_event_waiting", "created_at", postgresql_where="state = 'received'"),
        Index("ix_inbound_event_failed", "created_at", postgresql_where="state = 'failed'"),
        Index("ix_inbound_event_object", "object_id"),
        Index("ix_inbound_event_created_at", "created_at"),
        Index("ix_inbound_event_type", "type", "created_at"),
    )

    stripe_event_id: Mapped[str] = mapped_column(unique=True)
    type: Mapped[str]
    object_id: Mapped[str | None]
    occurred_at: Mapped[datetime]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[EventState] = mapped_column(default=EventState.RECEIVED)
    attempts: Mapped[int] = mapped_column(default=0)
    failure: Mapped[str | None]
    processed_at: Mapped[datetime | None]

    def move_to(self, state: EventState) -> None:
        self.state = check_move(EVENT_MOVES, self.state, state)

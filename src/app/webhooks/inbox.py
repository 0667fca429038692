"""Events are stored first and acted on afterwards, each exactly once.

A stored event and the job to process it commit together. When a handler fails, what it did is
undone, the reason is kept beside the event, and the job comes again with a growing delay; after the
last attempt the event waits, visible, for a person to run it again.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

import structlog
from pgqueuer.domain.errors import RetryRequested
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db import Sessions
from app.errors import AppError, Busy
from app.queue import enqueue
from app.webhooks.models import EventState, InboundEvent
from app.webhooks.reading import Event

log = structlog.get_logger()

PROCESS_EVENT = "process_event"
MOST_ATTEMPTS = 8
FIRST_DELAY = timedelta(seconds=1)
LONGEST_DELAY = timedelta(minutes=10)

Handler = Callable[[InboundEvent], Awaitable[None]]


class EventNotFound(AppError, status=404):
    """No stored event has this id."""


async def keep(sessions: Sessions, event: Event) -> bool:
    """Store an event and queue its processing. False when it was stored before."""
    async with sessions.begin() as session:
        if not await _insert(session, event, EventState.RECEIVED, None):
            return False
        await enqueue(session, PROCESS_EVENT, {"event": event.id}, key=event.id)
        return True


async def keep_unreadable(sessions: Sessions, event: Event) -> None:
    """Store a real-time question that was declined because it could not be read."""
    async with sessions.begin() as session:
        await _insert(session, event, EventState.FAILED, "the request could not be read")


async def run_again(session: AsyncSession, event_id: str) -> None:
    """Put a failed event back to be processed. Raise EventNotFound, or IllegalMove when done."""
    event = await session.scalar(
        select(InboundEvent)
        .where(InboundEvent.stripe_event_id == event_id)
        .with_for_update(key_share=True)
    )
    if event is None:
        raise EventNotFound(event_id)
    event.move_to(EventState.RECEIVED)
    event.attempts = 0
    await enqueue(session, PROCESS_EVENT, {"event": event_id}, key=event_id)


class Inbox:
    """Processes stored events with the handlers it is given, by event type."""

    def __init__(self, sessions: Sessions, handlers: Mapping[str, Handler]) -> None:
        self.sessions = sessions
        self.handlers = handlers

    async def process(self, event_id: str) -> None:
        """Act on a stored event; a repeat finds nothing to do.

        Handlers bring our records in line with Stripe's objects, so running one twice is the same
        as once. They open transactions of their own, because they talk to Stripe in between. Raises
        RetryRequested when not even the outcome could be noted, or another worker is at the same
        purchase: the job then comes again.
        """
        try:
            await self._act(event_id)
        except Busy as busy:
            raise RetryRequested(delay=FIRST_DELAY, reason=str(busy)) from busy
        except Exception as error:
            log.exception("event_not_noted", stripe_event=event_id)
            raise RetryRequested(delay=FIRST_DELAY, reason=type(error).__name__) from error

    async def _act(self, event_id: str) -> None:
        event = await self._waiting(event_id)
        if event is None:
            return
        handler = self.handlers.get(event.type)
        try:
            if handler is not None:
                await handler(event)
        except Busy:
            raise
        except Exception as error:  # noqa: BLE001 - kept beside the event, for a person to see
            await self._failed(event, error)
            return
        await self._set(event, EventState.DONE if handler else EventState.IGNORED)

    async def _waiting(self, event_id: str) -> InboundEvent | None:
        async with self.sessions() as session:
            return await session.scalar(
                select(InboundEvent).where(
                    InboundEvent.stripe_event_id == event_id,
                    InboundEvent.state == EventState.RECEIVED,
                )
            )

    async def _set(self, event: InboundEvent, state: EventState) -> None:
        waiting = (InboundEvent.id == event.id, InboundEvent.state == event.state)
        event.move_to(state)
        done = {"state": state, "processed_at": datetime.now(UTC), "failure": None}
        async with self.sessions.begin() as session:
            await session.execute(update(InboundEvent).where(*waiting).values(done))

    async def _failed(self, event: InboundEvent, error: Exception) -> None:
        attempts = event.attempts + 1
        last = attempts >= MOST_ATTEMPTS
        log.warning(
            "event_failed", stripe_event=event.stripe_event_id, attempts=attempts, exc_info=error
        )
        async with self.sessions.begin() as session:
            await session.execute(
                update(InboundEvent)
                .where(InboundEvent.id == event.id)
                .values(
                    attempts=attempts,
                    failure=f"{type(error).__name__}: {error}"[:500],
                    state=EventState.FAILED if last else EventState.RECEIVED,
                )
            )
            if not last:
                delay = min(FIRST_DELAY * 2 ** (attempts - 1), LONGEST_DELAY)
                name = event.stripe_event_id
                key = f"{name}:{attempts}"
                await enqueue(session, PROCESS_EVENT, {"event": name}, key=key, delay=delay)


async def _insert(
    session: AsyncSession, event: Event, state: EventState, failure: str | None
) -> bool:
    row = {
        "id": uuid7(),
        "stripe_event_id": event.id,
        "type": event.type[:100],
        "object_id": event.object_id,
        "occurred_at": _moment(event.created),
        "payload": event.data.object,
        "state": state,
        "failure": failure,
        "attempts": 0,
    }
    statement = insert(InboundEvent).values(row).on_conflict_do_nothing()
    stored = await session.scalar(statement.returning(InboundEvent.id))
    return stored is not None


def _moment(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.now(UTC)

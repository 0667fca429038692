"""Fetch from Stripe the events that never reached us, and act on them like on any other.

Source: https://docs.stripe.com/webhooks/process-undelivered-events
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy import select

from app.db import Sessions
from app.webhooks.inbox import keep
from app.webhooks.models import InboundEvent
from app.webhooks.reading import Event, NotAnEvent, read_event

log = structlog.get_logger()

STRIPE_KEEPS = timedelta(days=30)
"""For so long can events be listed: https://docs.stripe.com/api/events."""
DELIVERIES_MAY_TAKE = timedelta(hours=2)
"""What is older is surely here, or was lost."""
AT_ONCE = 100


class EventRecords(Protocol):
    """Stripe's record of its events."""

    def events(self, since: datetime, types: Sequence[str]) -> AsyncIterator[bytes]: ...


async def fill_gaps(
    sessions: Sessions,
    records: EventRecords,
    types: Sequence[str],
    since: datetime,
    *,
    livemode: bool,
) -> int:
    """Store every event of these types since a moment that is missing here. Give how many were."""
    missing: list[Event] = []
    batch: list[Event] = []
    async for body in records.events(since, types):
        try:
            batch.append(read_event(body, livemode=livemode))
        except NotAnEvent as error:
            log.warning("listed_event_not_read", error=str(error))
        if len(batch) == AT_ONCE:
            missing += await _missing(sessions, batch)
            batch = []
    missing += await _missing(sessions, batch)
    # Oldest first, as they happened.
    stored = [await keep(sessions, event) for event in reversed(missing)]
    return sum(stored)


async def _missing(sessions: Sessions, events: Sequence[Event]) -> list[Event]:
    names = [event.id for event in events]
    async with sessions() as session:
        found = await session.scalars(
            select(InboundEvent.stripe_event_id).where(InboundEvent.stripe_event_id.in_(names))
        )
        known = set(found)
    return [event for event in events if event.id not in known]

"""Stored events whose job ended without them: put back into the queue.

A job and its event commit together, but a job whose ending could not even be noted, because the
database only read for a moment, is held by the queue while its event still waits.
"""

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.queue import enqueue
from app.webhooks.inbox import PROCESS_EVENT

AFTER = timedelta(seconds=3)
AT_ONCE = 50
STRANDED = text("""
WITH waiting AS (
    SELECT stripe_event_id AS event,
           stripe_event_id || CASE WHEN attempts > 0 THEN ':' || attempts ELSE '' END AS key
    FROM inbound_event
    WHERE state = 'received' AND created_at < :before
)
SELECT event, key FROM waiting
WHERE NOT EXISTS (
    SELECT FROM pgqueuer
    WHERE status IN ('queued', 'picked') AND dedupe_key = :job || ':' || key
)
LIMIT :at_once
""")
FORGET_HELD = text("DELETE FROM pgqueuer WHERE status = 'failed' AND dedupe_key = :name")


async def requeue_stranded(sessions: Sessions, now: datetime) -> int:
    """Queue every event that waits without a job. Give how many there were."""
    async with sessions.begin() as session:
        found = await session.execute(
            STRANDED, {"before": now - AFTER, "job": PROCESS_EVENT, "at_once": AT_ONCE}
        )
        stranded = list(found)
        for event, key in stranded:
            await _requeue(session, event, key)
    return len(stranded)


async def _requeue(session: AsyncSession, event: str, key: str) -> None:
    await session.execute(FORGET_HELD, {"name": f"{PROCESS_EVENT}:{key}"})
    await enqueue(session, PROCESS_EVENT, {"event": event}, key=key)

"""Later work: the one way to put a job into the queue, inside the transaction that needs it."""

from datetime import timedelta
from typing import Any

import msgspec
from pgqueuer.adapters.persistence.qb import QueryQueueBuilder
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_ENQUEUE = QueryQueueBuilder().build_enqueue_query("skip")


async def enqueue(
    session: AsyncSession,
    job: str,
    payload: dict[str, Any],
    *,
    key: str,
    delay: timedelta = timedelta(0),
) -> None:
    """Queue a job that exists if, and only if, the session's transaction commits.

    A second job with the same key is left out while the first one waits or runs. SQLAlchemy begins
    lazily: without a statement first, the driver would commit the insert on its own.
    """
    await session.execute(text("SELECT 1"))
    connection = (await (await session.connection()).get_raw_connection()).driver_connection
    assert connection is not None
    assert connection.is_in_transaction()
    await connection.fetch(
        _ENQUEUE, [0], [job], [msgspec.json.encode(payload)], [delay], [f"{job}:{key}"], ["{}"]
    )


_AGAIN = text("""
UPDATE pgqueuer SET status = 'queued', attempts = 0, updated = now(), execute_after = now()
 WHERE id = :id AND status = 'failed'
   AND NOT EXISTS (
       SELECT FROM pgqueuer AS other
        WHERE other.dedupe_key = pgqueuer.dedupe_key AND other.status IN ('queued', 'picked'))
RETURNING id
""")


async def queue_again(session: AsyncSession, job: int) -> bool:
    """Queue a job that is held after its last attempt. False when it is not, or another one is."""
    return await session.scalar(_AGAIN, {"id": job}) is not None

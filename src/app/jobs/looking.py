"""How far a job has looked at what is new at Stripe."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import select, update

from app.db import Sessions
from app.regular_job import RegularJob

Given = TypeVar("Given")


async def look_since(
    sessions: Sessions,
    name: str,
    now: datetime,
    work: Callable[[datetime], Awaitable[Given]],
    *,
    overlap: timedelta,
    at_most: timedelta,
) -> Given:
    """Do a job's work since it has looked last, less the overlap; note that once it is done.

    What fails is looked at again next time. `now` is by the business clock, as Stripe's times are.
    """
    async with sessions() as session:
        before = await session.scalar(
            select(RegularJob.looked_until).where(RegularJob.name == name)
        )
    earliest = now - at_most
    since = max(min(before, now) - overlap, earliest) if before else earliest
    given = await work(since)
    async with sessions.begin() as session:
        await session.execute(
            update(RegularJob).where(RegularJob.name == name).values(looked_until=now)
        )
    return given

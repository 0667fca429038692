"""How often something may be tried, counted in the database, so that every process counts alike.

An attempt is counted before it is looked at, so that attempts sent all at once count as well. A
wait is told in seconds and is never longer than the window: nobody can lock somebody else out for
good.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.card_numbers import without_card_numbers
from app.domain.identity.credential_models import Attempt
from app.domain.identity.sign_in import LONGEST_WAIT_SECONDS, TooManyAttempts

KEPT_FOR = timedelta(days=1)


class Limit(msgspec.Struct, frozen=True):
    """How often within a window: for one subject, and from one network address.

    After `free` attempts on a subject each next one has to wait, twice as long each time; or, where
    that is None, there are `most_per_subject` and no more.
    """

    kind: str
    most_per_address: int
    free: int | None = None
    most_per_subject: int = 0
    window: timedelta = timedelta(minutes=15)


SIGN_IN = Limit("sign_in", most_per_address=30, free=2)
PASSWORD_AGAIN = Limit("password_again", most_per_address=30, free=2)
SIGN_UP = Limit("sign_up", most_per_address=20, most_per_subject=4)
RESET = Limit("reset", most_per_address=20, most_per_subject=4)
CODE = Limit("code", most_per_address=30, free=3)
STAFF_PASSWORD = Limit("staff_password", most_per_address=30, free=2)
STAFF_CODE = Limit("staff_code", most_per_address=30, free=2)
LINK = Limit("link", most_per_address=30, free=5)
CHANGE_EMAIL = Limit("change_email", most_per_address=20, most_per_subject=4)
LINK_CARD = Limit("link_card", most_per_address=20, most_per_subject=6, window=timedelta(hours=1))
PAY_DEBT = Limit("pay_debt", most_per_address=40, most_per_subject=12, window=timedelta(hours=1))
OPEN_CARD = Limit("open_card", most_per_address=60, most_per_subject=12, window=timedelta(days=1))
TEST_PURCHASE = Limit("test_purchase", most_per_address=120, most_per_subject=30)
SHOW_CARD = Limit("show_card", most_per_address=30, most_per_subject=6, window=timedelta(hours=1))


async def count_attempt(
    session: AsyncSession, limit: Limit, subject: str, address: str, now: datetime
) -> None:
    """Count an attempt in the caller's transaction. Raises TooManyAttempts when it has to wait."""
    subject = without_card_numbers(subject)
    for what in (f"{limit.kind}:{subject}", f"{limit.kind}@{address}"):
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(what, 0))))
    await _refuse_by_subject(session, limit, subject, now)
    of_address = Attempt.address == address
    count, first, _ = await _counted(session, limit, of_address, now)
    if count >= limit.most_per_address:
        raise TooManyAttempts(first + limit.window - now)
    session.add(
        Attempt(id=uuid7(), kind=limit.kind, subject=subject, address=address, created_at=now)
    )


async def forgive(session: AsyncSession, limit: Limit, subject: str) -> None:
    """Take a subject's counts back: it has shown that it was the right one who tried."""
    whose = without_card_numbers(subject)
    await session.execute(
        delete(Attempt).where(Attempt.kind == limit.kind, Attempt.subject == whose)
    )


async def forget_attempts(session: AsyncSession, now: datetime) -> int:
    """Delete what no limit counts any more. Give how many there were."""
    gone = await session.scalars(
        delete(Attempt).where(Attempt.created_at < now - KEPT_FOR).returning(Attempt.id)
    )
    return len(gone.all())


async def _refuse_by_subject(
    session: AsyncSession, limit: Limit, subject: str, now: datetime
) -> None:
    count, first, last = await _counted(session, limit, Attempt.subject == subject, now)
    if limit.free is None:
        if count >= limit.most_per_subject:
            raise TooManyAttempts(first + limit.window - now)
    elif count > limit.free:
        until = last + timedelta(seconds=min(2 ** (count - limit.free - 1), LONGEST_WAIT_SECONDS))
        if now < until:
            raise TooManyAttempts(until - now)


async def _counted(
    session: AsyncSession, limit: Limit, whose: Any, now: datetime
) -> tuple[int, datetime, datetime]:
    made = Attempt.created_at
    found = await session.execute(
        select(func.count(), func.min(made), func.max(made)).where(
            Attempt.kind == limit.kind, whose, made > now - limit.window
        )
    )
    count, first, last = found.one()
    return count, first or now, last or now

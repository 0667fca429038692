"""A form does what it is for once, however often it is sent."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.identity.audit import Actor
from app.domain.identity.submission_models import Submission
from app.errors import AppError

KEPT = timedelta(days=7)


class SentBefore(AppError, status=409):
    """The same form was sent before, and has done what it is for."""


async def once(session: AsyncSession, key: UUID, action: str, *, by: Actor) -> None:
    """Take a form's key in the transaction of what it does. Raises SentBefore.

    Where the same form is being worked on at this moment, this waits for how that ends.
    """
    statement = insert(Submission).values(id=key, staff_id=by.id, action=action)
    taken = statement.on_conflict_do_nothing().returning(Submission.id)
    if await session.scalar(taken) is None:
        raise SentBefore("This form was sent before, and has done what it is for.")


async def forget_submissions(session: AsyncSession, now: datetime) -> int:
    """Delete the keys of forms that nobody can still have open. Give how many."""
    old = delete(Submission).where(Submission.created_at < now - KEPT).returning(Submission.id)
    deleted = (await session.execute(old)).all()
    return len(deleted)

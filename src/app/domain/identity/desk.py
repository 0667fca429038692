"""Who has taken what on: one member at a time works on a thing that waits."""

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.card_numbers import without_card_numbers
from app.domain.identity.audit import Actor, Subject, record
from app.domain.identity.desk_models import CustomerNote, TakenWork
from app.domain.identity.mentions import tell_mentioned
from app.domain.identity.models import Customer, Staff
from app.errors import AppError

LONGEST_NOTE = 2_000


class AlreadyTaken(AppError, status=409):
    """Another member works on it."""


class NotYours(AppError, status=409):
    """It is not the member's to give back."""


class EmptyNote(AppError, status=422):
    """A note has no words, or too many."""


async def take(session: AsyncSession, queue: str, key: str, actor: Actor) -> None:
    """Take something in a queue on, in the caller's transaction. Raises AlreadyTaken.

    What one has already is left as it is.
    """
    row = {"id": uuid7(), "queue": queue, "key": key, "staff_id": actor.id}
    inserted = await session.scalar(
        insert(TakenWork).values(row).on_conflict_do_nothing().returning(TakenWork.id)
    )
    if inserted is not None:
        record(session, actor, "work.take", subject=Subject(queue, key))
        return
    holder = await session.execute(
        select(TakenWork.staff_id, Staff.name)
        .join(Staff, Staff.id == TakenWork.staff_id)
        .where(TakenWork.queue == queue, TakenWork.key == key)
    )
    whose = holder.one_or_none()
    if whose is not None and whose.staff_id != actor.id:
        raise AlreadyTaken(f"{whose.name} has taken this on already.")


async def give_back(session: AsyncSession, queue: str, key: str, actor: Actor) -> None:
    """Leave something to the others again, in the caller's transaction. Raises NotYours."""
    gone = await session.scalar(
        delete(TakenWork)
        .where(TakenWork.queue == queue, TakenWork.key == key, TakenWork.staff_id == actor.id)
        .returning(TakenWork.id)
    )
    if gone is None:
        raise NotYours("Somebody else has taken this on, or nobody has.")
    record(session, actor, "work.give_back", subject=Subject(queue, key))


async def taken(session: AsyncSession) -> dict[tuple[str, str], tuple[UUID, str]]:
    """Give who has taken what, by queue and key: the member's id and name."""
    found = await session.execute(
        select(TakenWork.queue, TakenWork.key, Staff.id, Staff.name).join(
            Staff, Staff.id == TakenWork.staff_id
        )
    )
    return {(queue, key): (staff_id, name) for queue, key, staff_id, name in found}


async def add_note(
    session: AsyncSession, customer: Customer, words: str, actor: Actor
) -> list[str]:
    """Add a note to a customer, in the caller's transaction. Raises EmptyNote.

    Gives the names of the colleagues whom it mentions, who are told of it by mail. The trail says
    that there is one, and not what it says.
    """
    words = words.strip()
    if not words or len(words) > LONGEST_NOTE:
        raise EmptyNote(f"A note has 1 to {LONGEST_NOTE:,} characters.")
    words = without_card_numbers(words)
    assert actor.id is not None
    note = CustomerNote(id=uuid7(), customer_id=customer.id, staff_id=actor.id, text=words)
    session.add(note)
    told = await tell_mentioned(session, words, customer, actor)
    after = {"note": str(note.id), "told": told}
    record(session, actor, "customer.note", subject=customer, after=after)
    return told

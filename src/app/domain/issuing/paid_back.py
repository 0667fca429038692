"""What customers are paid from our bank account, because no linked card can have it.

A refund that a bank sent back, or what merchants gave back of a debt that was paid outside. Staff
pay it and note it here, and it is owed no longer.
"""

from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.postings import paid_back_journal, refund_paid_outside_journal
from app.domain.funding.refund_models import Receivable, Refund
from app.domain.identity.audit import Actor, record
from app.domain.identity.reasons import Reason
from app.domain.issuing.goodwill import locked
from app.domain.ledger.posting import post
from app.domain.states import IllegalMove
from app.errors import AppError


class NothingToPay(AppError, status=404):
    """No refund or debt has this id."""


async def refund_paid_outside(
    session: AsyncSession,
    refund_id: UUID,
    expected_minor: int,
    *,
    actor: Actor,
    why: Reason,
    now: datetime,
    wall: datetime,
) -> None:
    """Note that a customer had what a bank sent back of a refund; the caller settles its purchase.

    `now` is business time, `wall` the real one. Raises NothingToPay, PurchaseBusy while it is being
    settled, and IllegalMove when nothing is owed of it any more, or another amount.
    """
    refund = await _locked(session, Refund, refund_id, wall)
    _check(refund.to_pay_minor, expected_minor)
    refund.paid_outside_minor = expected_minor
    await post(session, refund_paid_outside_journal(refund, now))
    _record(session, "refund.paid_outside", refund, actor=actor, why=why, paid_minor=expected_minor)


async def debt_paid_back(
    session: AsyncSession,
    debt_id: UUID,
    expected_minor: int,
    *,
    actor: Actor,
    why: Reason,
    now: datetime,
    wall: datetime,
) -> None:
    """Note that a customer had back what merchants gave back of a debt that was paid outside.

    As `refund_paid_outside`.
    """
    debt = await _locked(session, Receivable, debt_id, wall)
    _check(debt.to_pay_back_minor, expected_minor)
    debt.paid_back_minor += expected_minor
    await post(session, paid_back_journal(debt, expected_minor, now))
    _record(session, "receivable.paid_back", debt, actor=actor, why=why, paid_minor=expected_minor)


Row = TypeVar("Row", Refund, Receivable)


async def _locked(session: AsyncSession, table: type[Row], key: UUID, wall: datetime) -> Row:
    """Take a row, and before it its purchase, from whoever settles that next."""
    row = await session.get(table, key)
    if row is None:
        raise NothingToPay("No refund or debt has this id.")
    await locked(session, row.purchase_id, wall)
    return await session.get_one(table, key, with_for_update=True, populate_existing=True)


def _check(owed_minor: int, expected_minor: int) -> None:
    if owed_minor <= 0:
        raise IllegalMove("nothing of it is owed to the customer any more")
    if owed_minor != expected_minor:
        raise IllegalMove("another amount is owed by now than was said to be paid")


def _record(
    session: AsyncSession,
    action: str,
    row: Refund | Receivable,
    *,
    actor: Actor,
    why: Reason,
    paid_minor: int,
) -> None:
    after = {"paid_minor": paid_minor}
    record(session, actor, action, subject=row, after=after, reason_code=why.code, reason=why.note)

"""Four eyes: one member of staff asks for something, another one approves it, and then it is done.

What a kind of request does when it is approved is told by whoever knows: `approve` is handed a
table of executors by kind. Times are the real clock's.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.domain.identity.audit import SYSTEM, Actor, Subject, record
from app.domain.identity.reasons import Reason
from app.domain.identity.staff_models import Approval
from app.domain.identity.states import ApprovalState
from app.errors import AppError

LASTS = timedelta(hours=24)
WAITING = ApprovalState.WAITING

Executor = Callable[[AsyncSession, Approval, Actor], Awaitable[dict[str, Any] | None]]
"""Does what was asked for in the session's transaction; gives what is different afterwards.

It looks again whether that can still be done, and raises an AppError when not: then the request
stays as it is. What has to be done at Stripe it puts into the queue.
"""


class ApprovalNotFound(AppError, status=404):
    """No request for approval has this id."""


class AskedAlready(AppError, status=409):
    """The same is asked for already."""


class DecidedAlready(AppError, status=409):
    """Somebody was faster, or the request has expired."""


class OwnRequest(AppError, status=403):
    """Nobody approves what they asked for themselves."""


async def ask(
    session: AsyncSession,
    kind: str,
    *,
    subject: Subject,
    arguments: dict[str, Any],
    reason: Reason,
    by: Actor,
    now: datetime,
) -> Approval:
    """Ask for something that another member has to approve within a day; on the trail.

    `arguments`: all that the executor needs, in words that JSON has. Raises AskedAlready while the
    same kind of thing is asked for about the same subject.
    """
    await _refuse_second(session, kind, subject, now)
    wanted = Approval(
        id=uuid7(),
        created_at=now,
        kind=kind,
        subject_kind=subject.kind,
        subject_id=subject.id,
        arguments=arguments,
        reason_code=reason.code,
        note=reason.note,
        state=WAITING,
        requested_by=_member(by),
        expires_at=now + LASTS,
    )
    session.add(wanted)
    await session.flush()
    told = {"kind": kind, "subject": f"{subject.kind} {subject.id}", "arguments": arguments}
    code, note = reason.code, reason.note
    record(session, by, "approval.ask", subject=wanted, after=told, reason_code=code, reason=note)
    return wanted


async def approve(
    session: AsyncSession,
    approval_id: UUID,
    *,
    executors: Mapping[str, Executor],
    by: Actor,
    now: datetime,
    note: str | None = None,
) -> Approval:
    """Approve a request and do what it asks for, all in the session's transaction.

    Raises ApprovalNotFound, DecidedAlready, OwnRequest, and whatever the executor raises; then
    nothing is changed.
    """
    wanted = await _locked(session, approval_id, by, now)
    _decide(wanted, ApprovalState.APPROVED, by, now, note)
    outcome = await executors[wanted.kind](session, wanted, by)
    record(session, by, "approval.approve", subject=wanted, after=outcome, reason=note)
    return wanted


async def refuse(
    session: AsyncSession, approval_id: UUID, *, note: str, by: Actor, now: datetime
) -> Approval:
    """Refuse a request, saying why. Raises ApprovalNotFound, DecidedAlready and OwnRequest."""
    wanted = await _locked(session, approval_id, by, now)
    _decide(wanted, ApprovalState.REFUSED, by, now, note)
    record(session, by, "approval.refuse", subject=wanted, reason=note)
    return wanted


async def withdraw(
    session: AsyncSession, approval_id: UUID, *, by: Actor, now: datetime
) -> Approval:
    """Take back what one has asked for oneself. Raises ApprovalNotFound and DecidedAlready."""
    wanted = await _found(session, approval_id, now)
    if wanted.requested_by != by.id:
        raise OwnRequest("Only who asked for it takes it back; another one refuses it.")
    wanted.move_to(ApprovalState.WITHDRAWN)
    wanted.decided_at = now
    record(session, by, "approval.withdraw", subject=wanted)
    return wanted


async def expire_old(session: AsyncSession, now: datetime) -> int:
    """Move what nobody decided in time to its end. Give how many there were."""
    found = await session.scalars(
        select(Approval)
        .where(Approval.state == WAITING, Approval.expires_at <= now)
        .with_for_update(skip_locked=True)
    )
    old = found.all()
    for one in old:
        _expire(session, one, now)
    return len(old)


async def count_waiting(session: AsyncSession, now: datetime) -> int:
    """Count the requests that somebody could still approve."""
    counted = select(func.count()).where(Approval.state == WAITING, Approval.expires_at > now)
    return await session.scalar(counted) or 0


async def waiting_about(session: AsyncSession, subject: Subject, now: datetime) -> list[Approval]:
    """Give what is asked for about something, and can still be approved; the oldest first."""
    found = await session.scalars(
        select(Approval)
        .where(
            Approval.subject_kind == subject.kind,
            Approval.subject_id == subject.id,
            Approval.state == WAITING,
            Approval.expires_at > now,
        )
        .order_by(Approval.created_at)
    )
    return list(found)


async def _refuse_second(session: AsyncSession, kind: str, subject: Subject, now: datetime) -> None:
    """Raise AskedAlready, or move what has expired out of the way."""
    key = f"{kind}:{subject.id}"
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))
    earlier = await session.scalar(
        select(Approval)
        .where(
            Approval.kind == kind,
            Approval.subject_kind == subject.kind,
            Approval.subject_id == subject.id,
            Approval.state == WAITING,
        )
        .with_for_update()
    )
    if earlier is None:
        return
    if earlier.expires_at > now:
        raise AskedAlready("The same is asked for already, and waits for somebody to approve it.")
    _expire(session, earlier, now)
    await session.flush()


async def _found(session: AsyncSession, approval_id: UUID, now: datetime) -> Approval:
    wanted = await session.get(Approval, approval_id, with_for_update=True)
    if wanted is None:
        raise ApprovalNotFound("No request for approval has this id.")
    if wanted.state is not WAITING:
        raise DecidedAlready(f"This request is {wanted.state} already.")
    if wanted.expires_at <= now:
        raise DecidedAlready("This request has expired: it was open for a day. Ask again.")
    return wanted


async def _locked(session: AsyncSession, approval_id: UUID, by: Actor, now: datetime) -> Approval:
    wanted = await _found(session, approval_id, now)
    if wanted.requested_by == _member(by):
        raise OwnRequest("You asked for this yourself: another member has to decide.")
    return wanted


def _decide(
    wanted: Approval, state: ApprovalState, by: Actor, now: datetime, note: str | None
) -> None:
    wanted.move_to(state)
    wanted.decided_by, wanted.decided_at, wanted.decision_note = by.id, now, note


def _expire(session: AsyncSession, one: Approval, now: datetime) -> None:
    one.move_to(ApprovalState.EXPIRED)
    one.decided_at = now
    record(session, SYSTEM, "approval.expire", subject=one)


def _member(by: Actor) -> UUID:
    assert by.kind == "staff"
    assert by.id is not None
    return by.id

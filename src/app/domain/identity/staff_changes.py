"""What is changed about a member of staff: roles, authenticator, sessions, and being one at all.

Each change ends the member's sessions in the same transaction, so that it holds at once.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import any_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.identity.audit import Actor, record
from app.domain.identity.models import Staff, StaffSession
from app.domain.identity.reasons import Reason
from app.domain.identity.staff import StaffNotFound, UnusableMember
from app.domain.identity.staff_letters import AUTHENTICATOR_RESET, write_to
from app.domain.identity.staff_models import RecoveryCode
from app.domain.identity.states import Role, StaffState
from app.domain.states import IllegalMove
from app.errors import AppError


class LastOwner(AppError, status=409):
    """Somebody has to hold all roles, or nobody could give them back."""


class Oneself(AppError, status=409):
    """Nobody changes this about themselves."""


async def member_of_staff(session: AsyncSession, staff_id: UUID) -> Staff:
    """Give a member, locked. Raises StaffNotFound."""
    found = await session.get(Staff, staff_id, with_for_update=True)
    if found is None:
        raise StaffNotFound("No member of staff has this id.")
    return found


def read_roles(given: Iterable[str]) -> list[Role]:
    """Give the roles that a form or an approval names, in order. Raises UnusableMember."""
    wanted = set(given)
    if not wanted:
        raise UnusableMember("Roles: choose one or more; who is to hold none is disabled.")
    if not wanted <= set(Role):
        raise UnusableMember("Roles: choose among those of the list.")
    return [role for role in Role if role in wanted]


async def change_roles(
    session: AsyncSession,
    member: Staff,
    roles: Iterable[Role],
    *,
    reason: Reason,
    actor: Actor,
    now: datetime,
) -> None:
    """Give a member exactly these roles. Raises LastOwner when nobody would be left to be one."""
    before, after = sorted(member.roles), sorted(role.value for role in roles)
    if Role.OWNER in before and Role.OWNER not in after:
        await _refuse_without_owner(session, member)
    member.roles = after
    await end_sessions(session, member, now)
    record(
        session,
        actor,
        "staff.roles",
        subject=member,
        before={"roles": before},
        after={"roles": after},
        reason_code=reason.code,
        reason=reason.note,
    )


async def shut_out(
    session: AsyncSession, member: Staff, *, reason: Reason, actor: Actor, now: datetime
) -> None:
    """Disable a member. Raises Oneself, LastOwner, and IllegalMove for one who is out already."""
    if actor.id == member.id:
        raise Oneself("Nobody disables themselves: another member does.")
    if member.state is StaffState.DISABLED:
        raise IllegalMove(f"{member.name} is disabled already.")
    await _refuse_without_owner(session, member)
    member.move_to(StaffState.DISABLED)
    await end_sessions(session, member, now)
    _tell(session, actor, "staff.disable", member, reason)


async def reset_totp(
    session: AsyncSession, member: Staff, *, reason: Reason, actor: Actor, now: datetime
) -> None:
    """Forget a member's authenticator and recovery codes: the next sign-in enrols a new one."""
    member.totp_salt = None
    await session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == member.id))
    await end_sessions(session, member, now)
    _tell(session, actor, "staff.reset_totp", member, reason)
    await write_to(session, member, AUTHENTICATOR_RESET)


async def end_member_sessions(
    session: AsyncSession, member: Staff, *, reason: Reason, actor: Actor, now: datetime
) -> None:
    """Sign a member out everywhere, on the trail."""
    ended = await end_sessions(session, member, now)
    _tell(session, actor, "staff.end_sessions", member, reason, {"sessions": ended})


async def end_sessions(session: AsyncSession, member: Staff, now: datetime) -> int:
    """End every session that a member has. Give how many there were."""
    ended = await session.scalars(
        update(StaffSession)
        .where(StaffSession.staff_id == member.id, StaffSession.ended_at.is_(None))
        .values(ended_at=now)
        .returning(StaffSession.id)
    )
    return len(ended.all())


async def _refuse_without_owner(session: AsyncSession, member: Staff) -> None:
    """Raise LastOwner when no other active owner is left; two at once are taken one by one."""
    if Role.OWNER not in member.roles:
        return
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("owner", 0))))
    others = await session.scalar(
        select(func.count()).where(
            Staff.id != member.id,
            Staff.state == StaffState.ACTIVE,
            any_(Staff.roles) == Role.OWNER.value,
        )
    )
    if not others:
        raise LastOwner("This is the only owner: make another member one first.")


def _tell(  # noqa: PLR0917  what the trail wants, in order
    session: AsyncSession,
    actor: Actor,
    action: str,
    member: Staff,
    reason: Reason,
    after: dict[str, Any] | None = None,
) -> None:
    code, note = reason.code, reason.note
    record(session, actor, action, subject=member, after=after, reason_code=code, reason=note)

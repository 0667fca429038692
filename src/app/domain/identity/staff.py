"""Members of staff: who works here, and in which roles."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.identity.audit import Actor, record
from app.domain.identity.models import Staff, StaffSession
from app.domain.identity.password_rules import refuse_guessable
from app.domain.identity.passwords import hash_password, matches
from app.domain.identity.states import Role, StaffState
from app.errors import AppError


class StaffEmailTaken(AppError, status=409):
    """A member of staff with this e-mail address exists."""


class StaffNotFound(AppError, status=404):
    """No member of staff has this e-mail address."""


class UnusableMember(AppError, status=422):
    """The e-mail address, the name or the roles are missing or not usable."""


async def add_staff(
    session: AsyncSession,
    email: str,
    name: str,
    password: str,
    roles: Iterable[Role],
    *,
    actor: Actor,
    demo: bool = False,
) -> Staff:
    """Add a member of staff to the session's transaction, with an entry in the trail.

    `demo`: one who signs in by one click where the card network is simulated, and nowhere else.
    Raises UnusablePassword, UnusableMember and StaffEmailTaken.
    """
    email, name = email.strip(), name.strip()
    held = sorted(set(roles))
    if "@" not in email or not name or not held:
        raise UnusableMember("a member of staff has an e-mail address, a name and a role")
    if not demo:
        refuse_guessable(password, email)
    kept = await hash_password(password)
    if await staff_by_email(session, email) is not None:
        raise StaffEmailTaken(f"{email} is a member of staff already")
    roles_held = [role.value for role in held]
    member = Staff(email=email, name=name, password_hash=kept, roles=roles_held, demo=demo)
    session.add(member)
    await session.flush()
    record(session, actor, "staff.add", subject=member, after={"roles": member.roles})
    return member


async def disable_staff(
    session: AsyncSession, email: str, *, reason: str, actor: Actor, now: datetime
) -> Staff:
    """Shut a member of staff out, ending every session they have. Raise StaffNotFound."""
    member = await staff_by_email(session, email)
    if member is None:
        raise StaffNotFound(f"nobody on the staff has the e-mail address {email}")
    member.move_to(StaffState.DISABLED)
    await session.execute(
        update(StaffSession)
        .where(StaffSession.staff_id == member.id, StaffSession.ended_at.is_(None))
        .values(ended_at=now)
    )
    record(session, actor, "staff.disable", subject=member, reason=reason)
    return member


async def staff_by_email(session: AsyncSession, email: str) -> Staff | None:
    return await session.scalar(
        select(Staff).where(func.lower(Staff.email) == email.strip().lower())
    )


async def keep_demo_password(member: Staff, password: str) -> None:
    """Let a member of the demo sign in with this password: the demo's may have changed."""
    assert member.demo
    if not await matches(password, member.password_hash):
        member.password_hash = await hash_password(password)


async def demo_staff(session: AsyncSession) -> list[Staff]:
    """Give the active members who can sign in by one click where that is allowed."""
    found = await session.scalars(
        select(Staff)
        .where(Staff.demo, Staff.state == StaffState.ACTIVE)
        .order_by(Staff.created_at, Staff.id)
    )
    return list(found)

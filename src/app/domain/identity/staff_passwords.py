"""A member's password: changed by themselves with the one before, or from the command line."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.domain.identity.audit import Actor, record
from app.domain.identity.models import Staff
from app.domain.identity.password_rules import refuse_guessable
from app.domain.identity.passwords import hash_password, matches
from app.domain.identity.sessions import SignedIn, end_others
from app.domain.identity.sign_in import WrongPassword
from app.domain.identity.staff_changes import end_sessions
from app.domain.identity.staff_letters import PASSWORD_CHANGED, write_to
from app.domain.identity.throttle import STAFF_PASSWORD, count_attempt, forgive


async def change_own_password(
    sessions: Sessions,
    signed_in: SignedIn,
    current: str,
    wanted: str,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Give a member another password, and end all their sessions but this one.

    Raises WrongPassword, TooManyAttempts and UnusablePassword.
    """
    whose = str(signed_in.id)
    async with sessions.begin() as session:
        await count_attempt(session, STAFF_PASSWORD, whose, actor.address or "", now)
        member = await session.get_one(Staff, signed_in.id)
    if not await matches(current, member.password_hash):
        raise WrongPassword("Your password now: this is not it.")
    if not member.demo:
        refuse_guessable(wanted, member.email)
    kept = await hash_password(wanted)
    async with sessions.begin() as session:
        locked = await session.get_one(Staff, signed_in.id, with_for_update=True)
        locked.password_hash = kept
        await forgive(session, STAFF_PASSWORD, whose)
        record(session, actor, "staff.password", subject=locked)
        await write_to(session, locked, PASSWORD_CHANGED)
        await end_others(session, signed_in, actor, now)


async def set_password(
    session: AsyncSession, member: Staff, wanted: str, *, reason: str, actor: Actor, now: datetime
) -> None:
    """Give a member another password, and end all their sessions. Raises UnusablePassword."""
    if not member.demo:
        refuse_guessable(wanted, member.email)
    member.password_hash = await hash_password(wanted)
    await end_sessions(session, member, now)
    record(session, actor, "staff.password", subject=member, reason=reason)
    await write_to(session, member, PASSWORD_CHANGED)

"""The second step of a member's sign-in: a code of their authenticator, or a recovery code, once.

After the right password the browser holds a challenge, which is worth a session only together with
a code. Who has no authenticator yet enrols one then, and is given recovery codes to keep.
"""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db import Sessions
from app.domain.identity.audit import Actor, record
from app.domain.identity.models import Staff
from app.domain.identity.one_time_codes import (
    new_recovery_codes,
    recovery_hash,
    secret_of,
    step_of,
)
from app.domain.identity.sessions import start
from app.domain.identity.staff_challenges import OVER, ChallengeOver, found
from app.domain.identity.staff_letters import (
    AUTHENTICATOR_ENROLLED,
    RECOVERY_CODES_NEW,
    write_to,
)
from app.domain.identity.staff_models import RecoveryCode, StaffChallenge
from app.domain.identity.throttle import STAFF_CODE, count_attempt, forgive
from app.errors import AppError


class WrongStaffCode(AppError, status=401):
    """The code is not one of this moment, or was used already."""


class EnrolledAlready(AppError, status=409):
    """The member has an authenticator; another one is for two others to agree on."""


class Secrets(msgspec.Struct, frozen=True):
    """What secrets come from: our key, and the demo's secret, None where money is real."""

    key: str
    demo: str | None = None

    def of(self, member: Staff) -> str | None:
        """Give the secret of a member's authenticator; None where none is enrolled."""
        if member.demo:
            return self.demo
        return secret_of(member.totp_salt, self.key) if member.totp_salt else None


class Challenged(msgspec.Struct, frozen=True):
    """Who has given the password. `secret`: to be enrolled, where there is none yet."""

    name: str
    email: str
    secret: str | None


class Browser(msgspec.Struct, frozen=True):
    """Where a sign-in comes from, and when."""

    actor: Actor
    user_agent: str
    now: datetime


async def challenged(
    sessions: Sessions, token: str, keys: Secrets, now: datetime
) -> Challenged | None:
    """Tell whose password a browser has given; None when that is over."""
    async with sessions() as session:
        row = await found(session, token, now)
    if row is None:
        return None
    begun, member = row
    fresh = None if keys.of(member) else _fresh(begun, keys)
    return Challenged(member.name, member.email, fresh)


async def give_code(
    sessions: Sessions, token: str, typed: str, *, keys: Secrets, browser: Browser
) -> str:
    """Sign in with a code of the authenticator, or a recovery code; give the session's token.

    Raises WrongStaffCode, ChallengeOver and TooManyAttempts.
    """
    await _count(sessions, token, browser)
    try:
        async with sessions.begin() as session:
            begun, member = await _taken(session, token, browser.now)
            recovered = await use_code(session, member, typed, keys=keys, now=browser.now)
            action = "staff.recovery_code" if recovered else None
            return await _let_in(session, begun, member, browser, action)
    except WrongStaffCode:
        await _note_failure(sessions, token, browser)
        raise


async def enrol(
    sessions: Sessions, token: str, typed: str, *, keys: Secrets, browser: Browser
) -> tuple[str, list[str]]:
    """Sign in with the first code of a new authenticator; give the token, and recovery codes.

    The recovery codes are shown once. Raises WrongStaffCode, ChallengeOver, EnrolledAlready and
    TooManyAttempts.
    """
    await _count(sessions, token, browser)
    async with sessions.begin() as session:
        begun, member = await _taken(session, token, browser.now)
        if keys.of(member) is not None:
            raise EnrolledAlready("You have an authenticator already: sign in with its code.")
        step = step_of(_fresh(begun, keys), typed, browser.now)
        if step is None:
            raise WrongStaffCode("Code: this is not what the authenticator shows now.")
        member.totp_salt, member.totp_last_step = begun.totp_salt, step
        codes = await keep_new_codes(session, member)
        await write_to(session, member, AUTHENTICATOR_ENROLLED)
        return await _let_in(session, begun, member, browser, "staff.enrol_totp"), codes


async def use_code(
    session: AsyncSession, member: Staff, typed: str, *, keys: Secrets, now: datetime
) -> bool:
    """Use a code up; tell whether it was a recovery code. `member` is locked.

    Raises WrongStaffCode for a wrong one, and for one that was used already.
    """
    secret = keys.of(member)
    step = step_of(secret, typed, now) if secret else None
    if step is not None and step > member.totp_last_step:
        member.totp_last_step = step
        return False
    kept = await session.scalar(
        select(RecoveryCode)
        .where(
            RecoveryCode.staff_id == member.id,
            RecoveryCode.code_hash == recovery_hash(typed),
            RecoveryCode.used_at.is_(None),
        )
        .with_for_update()
    )
    if kept is None:
        raise WrongStaffCode("Code: this is not the code of this moment, or it was used already.")
    kept.used_at = now
    return True


async def renew_codes(
    sessions: Sessions, staff_id: UUID, typed: str, *, keys: Secrets, browser: Browser
) -> list[str]:
    """Give a signed-in member new recovery codes instead of all earlier ones, for a code.

    Raises WrongStaffCode and TooManyAttempts.
    """
    await _count_for(sessions, staff_id, browser)
    async with sessions.begin() as session:
        member = await session.get_one(Staff, staff_id, with_for_update=True)
        await use_code(session, member, typed, keys=keys, now=browser.now)
        await forgive(session, STAFF_CODE, str(staff_id))
        record(session, browser.actor, "staff.new_recovery_codes", subject=member)
        await write_to(session, member, RECOVERY_CODES_NEW)
        return await keep_new_codes(session, member)


async def keep_new_codes(session: AsyncSession, member: Staff) -> list[str]:
    """Give a member recovery codes instead of all earlier ones; only their hashes are kept."""
    await session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == member.id))
    codes = new_recovery_codes()
    session.add_all(
        RecoveryCode(id=uuid7(), staff_id=member.id, code_hash=recovery_hash(code))
        for code in codes
    )
    return codes


async def _let_in(
    session: AsyncSession,
    begun: StaffChallenge,
    member: Staff,
    browser: Browser,
    action: str | None,
) -> str:
    begun.used_at = browser.now
    await forgive(session, STAFF_CODE, str(member.id))
    told = Actor("staff", member.id, browser.actor.address, browser.actor.request_id)
    if action is not None:
        record(session, told, action, subject=member)
    agent, now = browser.user_agent, browser.now
    return await start(session, member, actor=told, user_agent=agent, now=now)


async def _count(sessions: Sessions, token: str, browser: Browser) -> None:
    """Count a try before it is looked at. Raises ChallengeOver and TooManyAttempts."""
    async with sessions() as session:
        row = await found(session, token, browser.now)
    if row is None:
        raise ChallengeOver(OVER)
    await _count_for(sessions, row[1].id, browser)


async def _count_for(sessions: Sessions, staff_id: UUID, browser: Browser) -> None:
    address = browser.actor.address or ""
    async with sessions.begin() as session:
        await count_attempt(session, STAFF_CODE, str(staff_id), address, browser.now)


async def _note_failure(sessions: Sessions, token: str, browser: Browser) -> None:
    async with sessions.begin() as session:
        row = await found(session, token, browser.now)
        if row is not None:
            came = browser.actor
            told = Actor("staff", row[1].id, came.address, came.request_id)
            record(session, told, "staff.code_failed", subject=row[1])


async def _taken(session: AsyncSession, token: str, now: datetime) -> tuple[StaffChallenge, Staff]:
    row = await found(session, token, now, lock=True)
    if row is None:
        raise ChallengeOver(OVER)
    return row


def _fresh(begun: StaffChallenge, keys: Secrets) -> str:
    assert begun.totp_salt is not None
    return secret_of(begun.totp_salt, keys.key)

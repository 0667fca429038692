"""Signing in with a password, slowed down for whoever guesses. A code has to follow it.

An attempt is counted before the password is looked at, so that guesses sent all at once count as
well; the right password takes the member's counts back. A known and an unknown e-mail address get
the same answers after the same time.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.card_numbers import without_card_numbers
from app.db import Sessions, Table
from app.domain.identity.audit import Actor, record
from app.domain.identity.models import SignInFailure, Staff
from app.domain.identity.passwords import matches, needs_new_hash
from app.domain.identity.sessions import start
from app.domain.identity.staff import staff_by_email
from app.domain.identity.staff_challenges import challenge
from app.domain.identity.states import StaffState
from app.errors import AppError

WINDOW = timedelta(minutes=15)
FREE_FAILURES = 2
LONGEST_WAIT_SECONDS = 60
MOST_PER_ADDRESS = 30


class WrongPassword(AppError, status=401):
    """The e-mail address and the password do not belong together."""


class TooManyAttempts(AppError, status=429):
    """Too many wrong passwords of late."""

    def __init__(self, wait: timedelta) -> None:
        self.seconds = max(1, round(wait.total_seconds()))
        super().__init__(f"Too many attempts. Try again in {_long(self.seconds)}.")


async def give_password(
    sessions: Sessions, email: str, password: str, *, actor: Actor, now: datetime, demo: bool
) -> str:
    """Give the token of a challenge: with a code of the member's it is worth a session.

    `actor` carries the address and the request; `demo`: whether the demo's members, whose password
    everybody can read, may sign in here. The connection is given back while the password is
    compared, which takes long. Raises WrongPassword and TooManyAttempts.
    """
    email = without_card_numbers(email.strip().lower()[:200])
    attempt = SignInFailure(id=uuid7(), email=email, address=actor.address or "", created_at=now)
    async with sessions.begin() as session:
        await _refuse_hurry(session, attempt, now)
        session.add(attempt)
        staff = await staff_by_email(session, email)
    open_ = staff is not None and staff.state is StaffState.ACTIVE and (demo or not staff.demo)
    right = await matches(password, staff.password_hash if staff and open_ else None)
    kept = staff.password_hash if staff and right else None
    newer = await needs_new_hash(password, kept) if kept else None
    async with sessions.begin() as session:
        if staff is None or not right:
            subject: Table = staff or attempt
            record(session, _as(staff, actor), "staff.sign_in_failed", subject=subject)
        else:
            await session.execute(delete(SignInFailure).where(SignInFailure.email == email))
            if newer:
                (await session.get_one(Staff, staff.id)).password_hash = newer
            return challenge(session, staff, now)
    raise WrongPassword("The e-mail address or the password is wrong.")


async def sign_in_demo(
    sessions: Sessions, email: str, *, actor: Actor, user_agent: str, now: datetime
) -> str:
    """Give the token of a new session of a demo member, who needs no password. For simulations.

    Raises WrongPassword for anybody else.
    """
    async with sessions.begin() as session:
        staff = await staff_by_email(session, email)
        if staff is None or staff.state is not StaffState.ACTIVE or not staff.demo:
            raise WrongPassword("Nobody of the demo has this e-mail address.")
        told = _as(staff, actor)
        return await start(session, staff, actor=told, user_agent=user_agent, now=now)


async def _refuse_hurry(session: AsyncSession, attempt: SignInFailure, now: datetime) -> None:
    """Raise TooManyAttempts while this e-mail address or this network address has to wait."""
    for what in (f"email:{attempt.email}", f"address:{attempt.address}"):
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(what, 0))))
    since = now - WINDOW
    count, last = await _counted(session, SignInFailure.email == attempt.email, since, func.max)
    if count > FREE_FAILURES:
        wait = min(2 ** (count - FREE_FAILURES - 1), LONGEST_WAIT_SECONDS)
        until = last + timedelta(seconds=wait)
        if now < until:
            raise TooManyAttempts(until - now)
    of_address = SignInFailure.address == attempt.address
    count, first = await _counted(session, of_address, since, func.min)
    if count >= MOST_PER_ADDRESS:
        raise TooManyAttempts(first + WINDOW - now)


async def _counted(
    session: AsyncSession, whose: Any, since: datetime, edge: Any
) -> tuple[int, datetime]:
    found = await session.execute(
        select(func.count(), edge(SignInFailure.created_at)).where(
            whose, SignInFailure.created_at > since
        )
    )
    count, moment = found.one()
    return count, moment or since


def _long(seconds: int) -> str:
    """Say how long to wait, in the unit that people would count it in."""
    for unit, length in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{-(-seconds // length)} {unit}"
    return f"{seconds} s"


def _as(staff: Staff | None, actor: Actor) -> Actor:
    """Name the member as the one who acts, at the address and in the request that is told."""
    who = staff.id if staff else None
    return Actor("staff", who, actor.address, actor.request_id)

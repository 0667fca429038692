"""Challenges: who has given the right password, and still has to give a code."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.domain.identity.models import Staff
from app.domain.identity.one_time_codes import new_salt
from app.domain.identity.staff_models import StaffChallenge
from app.domain.identity.states import StaffState
from app.errors import AppError

LASTS = timedelta(minutes=10)
OVER = "This took too long. Begin again with your password."
_TOKEN_BYTES = 32


class ChallengeOver(AppError, status=401):
    """The password was given too long ago, or not at all."""


def challenge(session: AsyncSession, member: Staff, now: datetime) -> str:
    """Note that the password was right; give the token that only the browser keeps."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    begun = StaffChallenge(
        id=uuid7(),
        staff_id=member.id,
        token_hash=_hashed(token),
        totp_salt=new_salt(),
        expires_at=now + LASTS,
    )
    session.add(begun)
    return token


async def found(
    session: AsyncSession, token: str, now: datetime, *, lock: bool = False
) -> tuple[StaffChallenge, Staff] | None:
    """Give a challenge that is open and whose it is, both locked if wanted; None for no other."""
    query = (
        select(StaffChallenge, Staff)
        .join(Staff, Staff.id == StaffChallenge.staff_id)
        .where(
            StaffChallenge.token_hash == _hashed(token),
            StaffChallenge.used_at.is_(None),
            StaffChallenge.expires_at > now,
            Staff.state == StaffState.ACTIVE,
        )
    )
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    return (row[0], row[1]) if row is not None else None


async def forget_challenges(session: AsyncSession, now: datetime) -> int:
    """Delete challenges that are over. Give how many there were."""
    gone = await session.scalars(
        delete(StaffChallenge).where(StaffChallenge.expires_at < now).returning(StaffChallenge.id)
    )
    return len(gone.all())


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()

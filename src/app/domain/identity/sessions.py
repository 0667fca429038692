"""Sessions of staff: a secret in the browser, its hash in the table, and an end.

Times are the real clock's. A session ends at sign-out, after a quarter of an hour without a
request, eight hours after sign-in, and when its member is disabled.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.card_numbers import without_card_numbers
from app.db import Sessions
from app.domain.identity.audit import Actor, Subject, record
from app.domain.identity.audit_models import AuditEntry
from app.domain.identity.models import Staff, StaffSession
from app.domain.identity.staff_letters import new_device, write_to
from app.domain.identity.states import Role, StaffState

IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=8)
_TOKEN_BYTES = 32
# Being seen is written down this often at most, so that a page is not also a write.
_SEEN_EVERY = timedelta(seconds=30)


class SignedIn(msgspec.Struct, frozen=True):
    """The member of staff behind a request."""

    session_id: UUID
    id: UUID
    name: str
    email: str
    roles: frozenset[Role]


async def start(
    session: AsyncSession, staff: Staff, *, actor: Actor, user_agent: str, now: datetime
) -> str:
    """Begin a session in the caller's transaction; give the token that only the browser keeps.

    A browser of a kind that is new to a member who has signed in before is told of by mail.
    """
    earlier = await session.scalars(
        select(StaffSession.user_agent).where(StaffSession.staff_id == staff.id).distinct()
    )
    known, agent = set(earlier), without_card_numbers(user_agent)[:300]
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    begun = StaffSession(
        id=uuid7(),
        staff_id=staff.id,
        token_hash=_hashed(token),
        last_seen_at=now,
        expires_at=now + LONGEST,
        address=actor.address or "",
        user_agent=agent,
    )
    session.add(begun)
    if known and agent not in known:
        await write_to(session, staff, new_device(now, begun.address, agent))
    record(session, actor, "staff.sign_in", subject=staff, after={"session": str(begun.id)})
    return token


async def current(
    sessions: Sessions, token: str, now: datetime, *, seen: bool = True
) -> SignedIn | None:
    """Give whose token this is while its session lasts, and note that it was seen.

    Not `seen`: what an open page asks for by itself, without anybody there, keeps no session alive.
    """
    async with sessions() as session:
        row = await session.execute(
            select(StaffSession, Staff)
            .join(Staff, Staff.id == StaffSession.staff_id)
            .where(
                StaffSession.token_hash == _hashed(token),
                StaffSession.ended_at.is_(None),
                StaffSession.expires_at > now,
                StaffSession.last_seen_at > now - IDLE,
                Staff.state == StaffState.ACTIVE,
            )
        )
        found = row.one_or_none()
    if found is None:
        return None
    begun, staff = found
    if seen and begun.last_seen_at < now - _SEEN_EVERY:
        await _seen(sessions, begun.id, now)
    roles = frozenset(Role(role) for role in staff.roles)
    return SignedIn(begun.id, staff.id, staff.name, staff.email, roles)


async def end(session: AsyncSession, signed_in: SignedIn, actor: Actor, now: datetime) -> None:
    """Sign out: the token is worth nothing from here on."""
    begun = await session.get_one(StaffSession, signed_in.session_id)
    staff = await session.get_one(Staff, signed_in.id)
    begun.ended_at = begun.ended_at or now
    record(session, actor, "staff.sign_out", subject=staff, after={"session": str(begun.id)})


async def note_replay(sessions: Sessions, token: str, came: Actor) -> None:
    """Write down, once for each, that the token of a session that was ended is still sent."""
    async with sessions.begin() as session:
        ended = await session.scalar(
            select(StaffSession)
            .where(StaffSession.token_hash == _hashed(token), StaffSession.ended_at.is_not(None))
            .with_for_update()
        )
        if ended is None:
            return
        about = Subject("staff_session", str(ended.id))
        noted = await session.scalar(
            select(AuditEntry.id).where(
                AuditEntry.subject_kind == about.kind, AuditEntry.subject_id == about.id
            )
        )
        if noted is None:
            who = Actor("staff", ended.staff_id, came.address, came.request_id)
            record(session, who, "staff.session_replayed", subject=about)


async def end_own(
    session: AsyncSession, signed_in: SignedIn, session_id: UUID, actor: Actor, now: datetime
) -> bool:
    """End one of a member's own sessions; tell whether they have such a one."""
    begun = await session.get(StaffSession, session_id, with_for_update=True)
    if begun is None or begun.staff_id != signed_in.id:
        return False
    begun.ended_at = begun.ended_at or now
    await _tell_ended(session, signed_in, actor, [session_id])
    return True


async def end_others(
    session: AsyncSession, signed_in: SignedIn, actor: Actor, now: datetime
) -> None:
    """End all of a member's sessions but the one they use."""
    ended = await session.scalars(
        update(StaffSession)
        .where(
            StaffSession.staff_id == signed_in.id,
            StaffSession.id != signed_in.session_id,
            StaffSession.ended_at.is_(None),
        )
        .values(ended_at=now)
        .returning(StaffSession.id)
    )
    await _tell_ended(session, signed_in, actor, ended.all())


async def _tell_ended(
    session: AsyncSession, signed_in: SignedIn, actor: Actor, ended: Sequence[UUID]
) -> None:
    staff = await session.get_one(Staff, signed_in.id)
    told = {"sessions": [str(one) for one in ended]}
    record(session, actor, "staff.end_sessions", subject=staff, after=told)


async def _seen(sessions: Sessions, session_id: UUID, now: datetime) -> None:
    async with sessions.begin() as session:
        await session.execute(
            update(StaffSession)
            .where(StaffSession.id == session_id, StaffSession.last_seen_at < now)
            .values(last_seen_at=now)
        )


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()

"""Sessions of customers: a secret in the browser, its hash in the table, and an end.

Times are the real clock's. A session ends at sign-out, after half an hour without a request, a day
after sign-in, when the person ends it from another one, and when the password is changed.
Source: https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.card_numbers import without_card_numbers
from app.db import Sessions
from app.domain.identity.audit import Actor, record
from app.domain.identity.credential_models import Credential, CustomerSession
from app.domain.identity.letters import new_device
from app.domain.identity.models import Customer
from app.domain.identity.states import CustomerState
from app.domain.mailing.outbox import post
from app.errors import AppError

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=24)
PASSWORD_GOOD_FOR = timedelta(minutes=5)
_TOKEN_BYTES = 32
# Being seen is written down this often at most, so that a page is not also a write.
_SEEN_EVERY = timedelta(seconds=30)


class SessionNotFound(AppError, status=404):
    """No session of this customer that still lasts has this id."""


class PasswordNeeded(AppError, status=403):
    """What was asked for wants the password to have been given within the last five minutes."""


class Browser(msgspec.Struct, frozen=True):
    """What signs in: the secret it keeps for a year, and what it says it is."""

    device: str
    user_agent: str


class CustomerSignedIn(msgspec.Struct, frozen=True):
    """The person behind a request. They are a customer once they have said who they are."""

    session_id: UUID
    credential_id: UUID
    email: str
    password_at: datetime
    customer_id: UUID | None = None
    name: str | None = None
    state: CustomerState | None = None

    def gave_password(self, now: datetime) -> bool:
        """Tell whether the password was given within the last five minutes."""
        return now - self.password_at < PASSWORD_GOOD_FOR

    def actor(self, visitor: Actor) -> Actor:
        """Name the person as the one who acts, at the address and in the request that is told."""
        who = self.customer_id or self.credential_id
        return Actor("customer", who, visitor.address, visitor.request_id)


async def start(
    session: AsyncSession,
    credential: Credential,
    browser: Browser,
    *,
    actor: Actor,
    now: datetime,
    half: bool = False,
) -> str:
    """Begin a session in the caller's transaction; give the token that only the browser keeps.

    A browser that is new to a person who has signed in before is told of by mail. `half`: the
    person still has to give a code.
    """
    token, device = new_token(), hashed(browser.device)
    earlier = await session.scalars(
        select(CustomerSession.device_hash)
        .where(CustomerSession.credential_id == credential.id)
        .distinct()
    )
    known = set(earlier)
    begun = CustomerSession(
        id=uuid7(),
        credential_id=credential.id,
        token_hash=hashed(token),
        device_hash=device,
        last_seen_at=now,
        expires_at=now + LONGEST,
        password_at=now,
        address=actor.address or "",
        user_agent=without_card_numbers(browser.user_agent)[:300],
        half=half,
    )
    session.add(begun)
    if known and device not in known:
        letter = new_device(now, begun.address, begun.user_agent)
        await post(session, credential.email, letter, credential_id=credential.id)
    record(session, actor, "customer.sign_in", subject=credential, after={"session": str(begun.id)})
    return token


async def current(
    sessions: Sessions, token: str, now: datetime, *, seen: bool = True
) -> CustomerSignedIn | None:
    """Give whose token this is while its session lasts, and note that it was seen.

    Not `seen`: what an open page asks for by itself, without anybody there, keeps no session alive.
    """
    async with sessions() as session:
        row = await session.execute(
            select(CustomerSession, Credential, Customer)
            .join(Credential, Credential.id == CustomerSession.credential_id)
            .outerjoin(Customer, Customer.id == Credential.customer_id)
            .where(
                CustomerSession.token_hash == hashed(token),
                *_lasts(now),
                or_(Customer.id.is_(None), Customer.state != CustomerState.CLOSED),
            )
        )
        found = row.one_or_none()
    if found is None:
        return None
    begun, credential, customer = found
    if seen and begun.last_seen_at < now - _SEEN_EVERY:
        await _seen(sessions, begun.id, now)
    return CustomerSignedIn(
        session_id=begun.id,
        credential_id=credential.id,
        email=credential.email,
        password_at=begun.password_at,
        customer_id=credential.customer_id,
        name=customer.name if customer else None,
        state=customer.state if customer else None,
    )


async def renew(session: AsyncSession, session_id: UUID, now: datetime) -> str:
    """Give a session a new token once the password was given again; the old one is void."""
    token = new_token()
    begun = await session.get_one(CustomerSession, session_id)
    begun.token_hash, begun.password_at, begun.last_seen_at = hashed(token), now, now
    return token


async def lasting(
    session: AsyncSession, credential_id: UUID, now: datetime
) -> list[CustomerSession]:
    """List a person's sessions that still last, the one seen last first."""
    found = await session.scalars(
        select(CustomerSession)
        .where(CustomerSession.credential_id == credential_id, *_lasts(now))
        .order_by(CustomerSession.last_seen_at.desc())
    )
    return list(found)


async def end(
    session: AsyncSession,
    signed_in: CustomerSignedIn,
    session_id: UUID,
    actor: Actor,
    now: datetime,
) -> None:
    """End one of the person's sessions, their own one too. Raises SessionNotFound."""
    begun = await session.get(CustomerSession, session_id)
    if begun is None or begun.credential_id != signed_in.credential_id or begun.ended_at:
        raise SessionNotFound("This session has ended already.")
    begun.ended_at = now
    credential = await session.get_one(Credential, signed_in.credential_id)
    record(
        session, actor, "customer.sign_out", subject=credential, after={"session": str(begun.id)}
    )


async def end_all(
    session: AsyncSession, credential_id: UUID, now: datetime, *, but: UUID | None = None
) -> None:
    """End every session of a person, but for one where it is named."""
    ended = (
        update(CustomerSession)
        .where(CustomerSession.credential_id == credential_id, CustomerSession.ended_at.is_(None))
        .values(ended_at=now)
    )
    await session.execute(ended if but is None else ended.where(CustomerSession.id != but))


def new_token() -> str:
    """Give a secret of 256 bits for a cookie or a link."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _lasts(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        CustomerSession.half.is_(False),
        CustomerSession.ended_at.is_(None),
        CustomerSession.expires_at > now,
        CustomerSession.last_seen_at > now - IDLE,
    )


async def _seen(sessions: Sessions, session_id: UUID, now: datetime) -> None:
    async with sessions.begin() as session:
        await session.execute(
            update(CustomerSession)
            .where(CustomerSession.id == session_id, CustomerSession.last_seen_at < now)
            .values(last_seen_at=now)
        )

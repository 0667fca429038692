"""Signing up, signing in and giving the password again, slowed down for whoever guesses.

An address that is known and one that is not get the same answers after the same time: a sign-up
hashes the password and leaves the rest to a job, and a sign-in hashes one where there is nothing to
compare. Source:
https://cheatsheetseries.owasp.org/cheatsheets/Authentication_Cheat_Sheet.html#authentication-and-error-messages
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db import Sessions
from app.domain.identity.audit import Actor, record
from app.domain.identity.credential_models import (
    Credential,
    MailedToken,
    SecondStep,
    TokenPurpose,
)
from app.domain.identity.customer_sessions import Browser, CustomerSignedIn, renew, start
from app.domain.identity.email_addresses import tidy_email
from app.domain.identity.mailed_tokens import LinkSpent, ask_for_letter, usable, use
from app.domain.identity.models import Customer
from app.domain.identity.password_rules import refuse_guessable
from app.domain.identity.passwords import hash_password, matches, needs_new_hash
from app.domain.identity.second_steps import check_code
from app.domain.identity.sign_in import WrongPassword
from app.domain.identity.states import CustomerState
from app.domain.identity.throttle import (
    LINK,
    PASSWORD_AGAIN,
    SIGN_IN,
    SIGN_UP,
    count_attempt,
    forgive,
)

SIGN_UP_WITHIN = timedelta(hours=24)
DEMO_EMAIL = "customer@example.com"
"""Who has it signs in by one click where the card network is simulated."""
_WRONG = "The e-mail address or the password is wrong."


async def sign_up(
    sessions: Sessions, email: str, password: str, *, actor: Actor, now: datetime
) -> None:
    """Have a letter written that opens the account, or says that there is one already.

    Raises UnusableEmail, UnusablePassword and TooManyAttempts. The account comes only with the
    link and the password together: neither somebody else's password nor somebody else's address
    can be slipped in.
    """
    email = tidy_email(email)
    refuse_guessable(password, email)
    async with sessions.begin() as session:
        await count_attempt(session, SIGN_UP, email, actor.address or "", now)
    kept = await hash_password(password)
    asked = MailedToken(
        purpose=TokenPurpose.SIGN_UP,
        email=email,
        password_hash=kept,
        expires_at=now + SIGN_UP_WITHIN,
    )
    async with sessions.begin() as session:
        await ask_for_letter(session, asked, now)


async def confirm_sign_up(
    sessions: Sessions, token: str, password: str, browser: Browser, *, actor: Actor, now: datetime
) -> str:
    """Open the account that a link belongs to; give the token of its first session.

    Raises LinkSpent, WrongPassword and TooManyAttempts.
    """
    async with sessions.begin() as session:
        asked = await usable(session, token, TokenPurpose.SIGN_UP, now)
        await count_attempt(session, LINK, str(asked.id), actor.address or "", now)
    if not await matches(password, asked.password_hash):
        raise WrongPassword("This is not the password you signed up with.")
    async with sessions.begin() as session:
        asked = await use(session, token, TokenPurpose.SIGN_UP, now)
        if await credential_by_email(session, asked.email) is not None:
            raise LinkSpent
        assert asked.password_hash is not None
        credential = Credential(
            id=uuid7(),
            email=asked.email,
            email_verified_at=now,
            password_hash=asked.password_hash,
            password_changed_at=now,
        )
        asked.password_hash = None
        session.add(credential)
        await session.flush()
        told = _as(credential, actor)
        record(session, told, "customer.sign_up", subject=credential)
        return await start(session, credential, browser, actor=told, now=now)


async def sign_in(
    sessions: Sessions, email: str, password: str, browser: Browser, *, actor: Actor, now: datetime
) -> str:
    """Give the token of a new session: half of one, where a code is wanted still.

    Raises WrongPassword and TooManyAttempts. The connection is given back while the password is
    compared, which takes long.
    """
    email = email.strip().lower()[:254]
    async with sessions.begin() as session:
        await count_attempt(session, SIGN_IN, email, actor.address or "", now)
        credential = await _open_credential(session, email)
    if not await matches(password, credential.password_hash if credential else None):
        if credential is not None:
            await _note_failure(sessions, credential, actor)
        raise WrongPassword(_WRONG)
    assert credential is not None
    newer = await needs_new_hash(password, credential.password_hash)
    async with sessions.begin() as session:
        await forgive(session, SIGN_IN, email)
        credential = await session.get_one(Credential, credential.id)
        if newer:
            credential.password_hash = newer
        step = await session.scalar(
            select(SecondStep.id).where(
                SecondStep.credential_id == credential.id, SecondStep.confirmed_at.is_not(None)
            )
        )
        told, half = _as(credential, actor), step is not None
        return await start(session, credential, browser, actor=told, now=now, half=half)


async def sign_in_demo(sessions: Sessions, browser: Browser, *, actor: Actor, now: datetime) -> str:
    """Give the token of a new session of the demo's customer. For simulations.

    Raises WrongPassword where there is no such customer.
    """
    async with sessions.begin() as session:
        credential = await _open_credential(session, DEMO_EMAIL)
        if credential is None:
            raise WrongPassword("The demo's customer is not there.")
        return await start(session, credential, browser, actor=_as(credential, actor), now=now)


async def give_password_again(
    sessions: Sessions,
    signed_in: CustomerSignedIn,
    password: str,
    *,
    code: str,
    key: str,
    actor: Actor,
    now: datetime,
) -> str:
    """Give the session's new token once the password is right; what asks for it is then open.

    `code`: of the second step, where it is on; `key` is ours. Raises WrongPassword, WrongCode and
    TooManyAttempts.
    """
    subject = str(signed_in.credential_id)
    async with sessions.begin() as session:
        await count_attempt(session, PASSWORD_AGAIN, subject, actor.address or "", now)
        credential = await session.get_one(Credential, signed_in.credential_id)
    if not await matches(password, credential.password_hash):
        await _note_failure(sessions, credential, actor)
        raise WrongPassword("The password is wrong.")
    await check_code(sessions, credential.id, code, key=key, actor=actor, now=now)
    async with sessions.begin() as session:
        await forgive(session, PASSWORD_AGAIN, subject)
        record(session, actor, "customer.password_again", subject=credential)
        return await renew(session, signed_in.session_id, now)


async def keep_demo_credential(
    sessions: Sessions, customer_id: UUID, password: str, *, actor: Actor, now: datetime
) -> None:
    """Let a customer of the demo sign in, with this password or by one click, as of now."""
    kept = await hash_password(password)
    async with sessions.begin() as session:
        if await credential_by_email(session, DEMO_EMAIL) is not None:
            return
        credential = Credential(
            id=uuid7(),
            email=DEMO_EMAIL,
            email_verified_at=now,
            password_hash=kept,
            password_changed_at=now,
            customer_id=customer_id,
        )
        session.add(credential)
        await session.flush()
        record(session, actor, "customer.sign_up", subject=credential)


async def credential_by_email(session: AsyncSession, email: str) -> Credential | None:
    return await session.scalar(
        select(Credential).where(func.lower(Credential.email) == email.lower())
    )


async def _open_credential(session: AsyncSession, email: str) -> Credential | None:
    """Give the credential with this address, unless its customer has closed."""
    found = await session.execute(
        select(Credential, Customer.state)
        .outerjoin(Customer, Customer.id == Credential.customer_id)
        .where(func.lower(Credential.email) == email)
    )
    row = found.one_or_none()
    return None if row is None or row[1] is CustomerState.CLOSED else row[0]


async def _note_failure(sessions: Sessions, credential: Credential, actor: Actor) -> None:
    async with sessions.begin() as session:
        record(session, _as(credential, actor), "customer.sign_in_failed", subject=credential)


def _as(credential: Credential, actor: Actor) -> Actor:
    who = credential.customer_id or credential.id
    return Actor("customer", who, actor.address, actor.request_id)

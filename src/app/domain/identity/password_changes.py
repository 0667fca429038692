"""New passwords and new e-mail addresses: each ends what the old one had opened."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.domain.identity.audit import Actor, record
from app.domain.identity.credential_models import Credential, MailedToken, TokenPurpose
from app.domain.identity.credentials import credential_by_email
from app.domain.identity.customer_sessions import (
    CustomerSignedIn,
    PasswordNeeded,
    end_all,
    renew,
)
from app.domain.identity.customers import TELL_EMAIL, by_email
from app.domain.identity.email_addresses import tidy_email
from app.domain.identity.letters import PASSWORD_CHANGED, email_changed
from app.domain.identity.mailed_tokens import LinkSpent, ask_for_letter, spend_all, usable, use
from app.domain.identity.models import Customer
from app.domain.identity.password_rules import refuse_guessable
from app.domain.identity.passwords import hash_password, matches
from app.domain.identity.sign_in import WrongPassword
from app.domain.identity.throttle import (
    CHANGE_EMAIL,
    LINK,
    PASSWORD_AGAIN,
    RESET,
    SIGN_IN,
    count_attempt,
    forgive,
)
from app.domain.mailing.outbox import post
from app.queue import enqueue

LINK_GOOD_FOR = timedelta(minutes=30)


async def forgot(sessions: Sessions, email: str, *, actor: Actor, now: datetime) -> None:
    """Have a letter written to who has this address. Raises UnusableEmail, TooManyAttempts."""
    email = tidy_email(email)
    asked = MailedToken(
        purpose=TokenPurpose.RESET_PASSWORD, email=email, expires_at=now + LINK_GOOD_FOR
    )
    async with sessions.begin() as session:
        await count_attempt(session, RESET, email, actor.address or "", now)
        await ask_for_letter(session, asked, now)


async def reset_password(
    sessions: Sessions, token: str, password: str, *, actor: Actor, now: datetime
) -> None:
    """Set a new password with a mailed link, and sign the person out everywhere.

    Raises LinkSpent, UnusablePassword and TooManyAttempts. Nobody is signed in by this.
    """
    async with sessions.begin() as session:
        await count_attempt(session, LINK, actor.address or "", actor.address or "", now)
    async with sessions() as session:
        asked = await usable(session, token, TokenPurpose.RESET_PASSWORD, now)
    refuse_guessable(password, asked.email)
    kept = await hash_password(password)
    async with sessions.begin() as session:
        asked = await use(session, token, TokenPurpose.RESET_PASSWORD, now)
        assert asked.credential_id is not None
        credential = await session.get_one(Credential, asked.credential_id, with_for_update=True)
        if credential.email != asked.email:
            raise LinkSpent
        await forgive(session, SIGN_IN, credential.email)
        await _set_password(session, credential, kept, now)
        await end_all(session, credential.id, now)
        who = credential.customer_id or credential.id
        told = Actor("customer", who, actor.address, actor.request_id)
        record(session, told, "customer.reset_password", subject=credential)


async def change_password(
    sessions: Sessions,
    signed_in: CustomerSignedIn,
    password: str,
    new: str,
    *,
    actor: Actor,
    now: datetime,
) -> str:
    """Set a new password with the old one, and end every other session; give the new token.

    Raises WrongPassword, UnusablePassword and TooManyAttempts.
    """
    refuse_guessable(new, signed_in.email)
    subject = str(signed_in.credential_id)
    async with sessions.begin() as session:
        await count_attempt(session, PASSWORD_AGAIN, subject, actor.address or "", now)
        credential = await session.get_one(Credential, signed_in.credential_id)
    if not await matches(password, credential.password_hash):
        raise WrongPassword("The password you have now is another one.")
    kept = await hash_password(new)
    async with sessions.begin() as session:
        credential = await session.get_one(Credential, credential.id, with_for_update=True)
        await forgive(session, PASSWORD_AGAIN, subject)
        await _set_password(session, credential, kept, now)
        await end_all(session, credential.id, now, but=signed_in.session_id)
        record(session, actor, "customer.change_password", subject=credential)
        return await renew(session, signed_in.session_id, now)


async def ask_to_change_email(
    sessions: Sessions, signed_in: CustomerSignedIn, email: str, *, actor: Actor, now: datetime
) -> None:
    """Have a letter written to the new address; until its link is used nothing changes.

    Raises PasswordNeeded, UnusableEmail and TooManyAttempts.
    """
    if not signed_in.gave_password(now):
        raise PasswordNeeded("Give your password again to change your e-mail address.")
    email = tidy_email(email)
    subject = str(signed_in.credential_id)
    asked = MailedToken(
        purpose=TokenPurpose.CHANGE_EMAIL,
        email=email,
        credential_id=signed_in.credential_id,
        expires_at=now + LINK_GOOD_FOR,
    )
    async with sessions.begin() as session:
        await count_attempt(session, CHANGE_EMAIL, subject, actor.address or "", now)
        await ask_for_letter(session, asked, now)


async def confirm_email(sessions: Sessions, token: str, *, actor: Actor, now: datetime) -> UUID:
    """Move an account to its new address, and tell the old one. Raises LinkSpent.

    Gives whose credential it is.
    """
    async with sessions.begin() as session:
        await count_attempt(session, LINK, actor.address or "", actor.address or "", now)
    async with sessions.begin() as session:
        asked = await use(session, token, TokenPurpose.CHANGE_EMAIL, now)
        assert asked.credential_id is not None
        if await credential_by_email(session, asked.email) or await by_email(session, asked.email):
            raise LinkSpent
        credential = await session.get_one(Credential, asked.credential_id, with_for_update=True)
        old, credential.email, credential.email_verified_at = credential.email, asked.email, now
        await spend_all(session, credential.id, TokenPurpose.RESET_PASSWORD, now)
        await spend_all(session, credential.id, TokenPurpose.CHANGE_EMAIL, now)
        if credential.customer_id is not None:
            customer = await session.get_one(Customer, credential.customer_id)
            customer.email = asked.email
            told_of = str(customer.id)
            await enqueue(session, TELL_EMAIL, {"customer": told_of}, key=str(asked.id))
        await post(session, old, email_changed(asked.email), credential_id=credential.id)
        who = credential.customer_id or credential.id
        told = Actor("customer", who, actor.address, actor.request_id)
        record(session, told, "customer.change_email", subject=credential)
        return credential.id


async def _set_password(
    session: AsyncSession, credential: Credential, kept: str, now: datetime
) -> None:
    credential.password_hash, credential.password_changed_at = kept, now
    await spend_all(session, credential.id, TokenPurpose.RESET_PASSWORD, now)
    await post(session, credential.email, PASSWORD_CHANGED, credential_id=credential.id)

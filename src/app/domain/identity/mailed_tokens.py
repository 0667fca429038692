"""Links in letters: 256 random bits, hashed at rest, good once and not for long.

Asking for one only notes the wish and queues a job. The job looks whether the address is known and
writes the letter, so that nobody learns from our answer, or from how long it took, who is a
customer. Source:
https://cheatsheetseries.owasp.org/cheatsheets/Forgot_Password_Cheat_Sheet.html
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db import Sessions
from app.domain.identity.credential_models import Credential, MailedToken, TokenPurpose
from app.domain.identity.customer_sessions import hashed, new_token
from app.domain.identity.letters import (
    ALREADY_SIGNED_UP,
    CHANGE_EMAIL,
    RESET_PASSWORD,
    VERIFY_EMAIL,
)
from app.domain.mailing.outbox import Letter, post
from app.errors import AppError
from app.queue import enqueue

WRITE_LETTER = "write_letter"
_LETTERS = {
    TokenPurpose.SIGN_UP: VERIFY_EMAIL,
    TokenPurpose.RESET_PASSWORD: RESET_PASSWORD,
    TokenPurpose.CHANGE_EMAIL: CHANGE_EMAIL,
}


class LinkSpent(AppError, status=410):
    """The link was used, has expired, or never was one."""

    def __init__(self) -> None:
        super().__init__("This link has been used, or it is too old. Ask for a new one.")


async def ask_for_letter(session: AsyncSession, asked: MailedToken, now: datetime) -> None:
    """Note the wish for a link, and queue the letter, in the caller's transaction."""
    asked.id = uuid7()
    asked.created_at = now
    session.add(asked)
    await session.flush()  # the job may be taken as soon as the transaction commits
    await enqueue(session, WRITE_LETTER, {"token": str(asked.id)}, key=str(asked.id))


async def write_letter(sessions: Sessions, token_id: UUID) -> None:
    """Write the letter that was asked for, where its address may have one; a repeat writes none."""
    async with sessions.begin() as session:
        asked = await session.get(MailedToken, token_id, with_for_update=True)
        if asked is None or asked.token_hash is not None:
            return
        known = await session.scalar(
            select(Credential).where(func.lower(Credential.email) == asked.email.lower())
        )
        letter = _letter_for(asked, known)
        if letter is None:
            return
        token, of_whom = new_token(), asked.credential_id or (known.id if known else None)
        secret = token if letter is _LETTERS[asked.purpose] else None
        asked.token_hash, asked.credential_id = hashed(token), of_whom
        if secret is None:
            asked.password_hash = None
        await post(session, asked.email, letter, credential_id=of_whom, secret=secret)


async def usable(
    session: AsyncSession, token: str, purpose: TokenPurpose, now: datetime
) -> MailedToken:
    """Give what a link is for, while it works. Raises LinkSpent."""
    found = await session.scalar(_working(token, purpose, now))
    if found is None:
        raise LinkSpent
    return found


async def use(
    session: AsyncSession, token: str, purpose: TokenPurpose, now: datetime
) -> MailedToken:
    """Use a link up, in the caller's transaction. Raises LinkSpent, also for who comes second."""
    found = await session.scalar(_working(token, purpose, now).with_for_update())
    if found is None:
        raise LinkSpent
    found.used_at = now
    return found


async def spend_all(
    session: AsyncSession, credential_id: UUID, purpose: TokenPurpose, now: datetime
) -> None:
    """Make every link of a person for a purpose worthless."""
    await session.execute(
        update(MailedToken)
        .where(
            MailedToken.credential_id == credential_id,
            MailedToken.purpose == purpose,
            MailedToken.used_at.is_(None),
        )
        .values(used_at=now)
    )


async def forget_links(session: AsyncSession, now: datetime) -> int:
    """Delete links that have been over for a month, and the addresses and passwords with them."""
    over = MailedToken.expires_at < now - timedelta(days=30)
    gone = await session.scalars(delete(MailedToken).where(over).returning(MailedToken.id))
    return len(gone.all())


def _letter_for(asked: MailedToken, known: Credential | None) -> Letter | None:
    """Choose the letter; none where nobody may learn that there is nobody."""
    if asked.purpose is TokenPurpose.SIGN_UP:
        return ALREADY_SIGNED_UP if known else VERIFY_EMAIL
    if asked.purpose is TokenPurpose.RESET_PASSWORD:
        return RESET_PASSWORD if known else None
    return ALREADY_SIGNED_UP if known else CHANGE_EMAIL


def _working(token: str, purpose: TokenPurpose, now: datetime) -> Select[MailedToken]:
    return select(MailedToken).where(
        MailedToken.token_hash == hashed(token),
        MailedToken.purpose == purpose,
        MailedToken.used_at.is_(None),
        MailedToken.expires_at > now,
    )

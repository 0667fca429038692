"""The outbox: a letter commits with what it tells of, and a job sends it afterwards.

A server that refuses or is silent is asked again with a growing delay; after the last attempt the
letter waits, visible, for a person.
"""

from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import msgspec
import structlog
from pgqueuer.domain.errors import RetryRequested
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db import Sessions
from app.domain.mailing.models import Mail, MailKind, MailState
from app.errors import AppError
from app.queue import enqueue

log = structlog.get_logger()

SEND_MAIL = "send_mail"
MOST_ATTEMPTS = 10
FIRST_DELAY = timedelta(seconds=2)
LONGEST_DELAY = timedelta(minutes=15)
STRANDED_AFTER = timedelta(seconds=10)
_STRANDED = text("""
SELECT id, attempts FROM mail
 WHERE state = 'waiting' AND created_at < :before
   AND NOT EXISTS (
       SELECT FROM pgqueuer
        WHERE status IN ('queued', 'picked')
          AND dedupe_key = :job || ':' || mail.id || ':' || mail.attempts)
 LIMIT 50
""")
_FORGET_HELD = text("DELETE FROM pgqueuer WHERE status = 'failed' AND dedupe_key = :name")


class MailNotFound(AppError, status=404):
    """No letter has this id."""


class Bounced(Exception):
    """The server will never take this letter: there is no such address, or it wants no mail."""


class Letter(msgspec.Struct, frozen=True):
    """What a letter says. Its text has `{site}`, `{office}` and `{token}` where those belong."""

    kind: MailKind
    subject: str
    text: str


class MailServer(Protocol):
    """Where letters are given away."""

    @property
    def is_there(self) -> bool:
        """Whether there is one; without, letters are only kept."""

    async def send(self, recipient: str, subject: str, text: str) -> None:
        """Give a letter away. Raises Bounced; whatever else is raised means: not taken now."""


async def post(
    session: AsyncSession,
    recipient: str,
    letter: Letter,
    *,
    credential_id: UUID | None = None,
    secret: str | None = None,
) -> Mail:
    """Put a letter into the outbox and queue its sending, in the caller's transaction."""
    mail = Mail(
        id=uuid7(),
        credential_id=credential_id,
        recipient=recipient,
        kind=letter.kind,
        subject=letter.subject,
        text=letter.text,
        secret=secret,
        attempts=0,
        state=MailState.WAITING,
    )
    session.add(mail)
    await session.flush()  # the job may be taken as soon as the transaction commits
    await _queue(session, mail.id, 0)
    return mail


async def post_once(
    session: AsyncSession, recipient: str, letter: Letter, *, about: str, credential_id: UUID
) -> bool:
    """Put a letter about something into the outbox, unless one about it was put there before."""
    row = {
        "id": uuid7(),
        "credential_id": credential_id,
        "about": about,
        "recipient": recipient,
        "kind": letter.kind,
        "subject": letter.subject,
        "text": letter.text,
        "attempts": 0,
        "state": MailState.WAITING,
    }
    statement = insert(Mail).values(row).on_conflict_do_nothing(index_elements=[Mail.about])
    written = await session.scalar(statement.returning(Mail.id))
    if written is None:
        return False
    await _queue(session, written, 0)
    return True


async def send_again(session: AsyncSession, mail_id: UUID) -> Mail:
    """Put a letter that was given up back into the outbox. The caller records who and why.

    Raises MailNotFound, or IllegalMove when it was not given up.
    """
    mail = await session.get(Mail, mail_id, with_for_update=True)
    if mail is None:
        raise MailNotFound(f"no letter {mail_id}")
    mail.move_to(MailState.WAITING)
    mail.attempts, mail.failure = 0, None
    name = f"{SEND_MAIL}:{mail_id}:0"
    await session.execute(_FORGET_HELD, {"name": name})
    await _queue(session, mail_id, 0)
    return mail


def full_text(mail: Mail, site: str, office: str) -> str:
    """Write a letter out for its recipient. `site`, `office`: where portal and back office are."""
    text = mail.text.replace("{site}", site).replace("{office}", office)
    return text.replace("{token}", mail.secret or "…")


class Postman:
    """Takes letters out of the outbox to the server, each once."""

    def __init__(self, sessions: Sessions, server: MailServer, site: str, office: str) -> None:
        self.sessions = sessions
        self.server = server
        self.site = site
        self.office = office

    async def deliver(self, mail_id: UUID, now: datetime) -> None:
        """Send a waiting letter; a repeat finds nothing to do.

        Raises RetryRequested when not even the outcome could be noted. A server may then be given
        the letter a second time, which is better than never.
        """
        try:
            await self._deliver(mail_id, now)
        except Exception as error:
            log.exception("mail_not_noted", job=SEND_MAIL)
            raise RetryRequested(delay=FIRST_DELAY, reason=type(error).__name__) from error

    async def _deliver(self, mail_id: UUID, now: datetime) -> None:
        async with self.sessions() as session:
            mail = await session.get(Mail, mail_id)
        if mail is None or mail.state is not MailState.WAITING:
            return
        if not self.server.is_there:
            await self._note(mail_id, MailState.KEPT, now)
            return
        try:
            text = full_text(mail, self.site, self.office)
            await self.server.send(mail.recipient, mail.subject, text)
        except Exception as error:  # noqa: BLE001 - kept beside the letter, for a person to see
            await self._failed(mail_id, error)
            return
        await self._note(mail_id, MailState.SENT, now)

    async def _note(self, mail_id: UUID, state: MailState, now: datetime) -> None:
        async with self.sessions.begin() as session:
            mail = await session.get_one(Mail, mail_id, with_for_update=True)
            mail.move_to(state)
            mail.attempts += 1
            mail.failure = None
            if state is MailState.SENT:
                mail.sent_at, mail.secret = now, None

    async def _failed(self, mail_id: UUID, error: Exception) -> None:
        async with self.sessions.begin() as session:
            mail = await session.get_one(Mail, mail_id, with_for_update=True)
            if mail.state is not MailState.WAITING:
                return  # another worker has given it away meanwhile
            mail.attempts += 1
            # Only the kind of error: a server's own words may repeat the letter.
            mail.failure = type(error).__name__
            log.warning("mail_failed", attempts=mail.attempts, error=mail.failure)
            if mail.attempts >= MOST_ATTEMPTS or isinstance(error, Bounced):
                mail.move_to(MailState.FAILED)
                return
            delay = min(FIRST_DELAY * 2 ** (mail.attempts - 1), LONGEST_DELAY)
            await _queue(session, mail.id, mail.attempts, delay)


async def requeue_letters(sessions: Sessions, now: datetime) -> int:
    """Queue every letter that waits without a job. Give how many there were."""
    async with sessions.begin() as session:
        given = {"before": now - STRANDED_AFTER, "job": SEND_MAIL}
        stranded = list(await session.execute(_STRANDED, given))
        for mail_id, attempts in stranded:
            name = f"{SEND_MAIL}:{mail_id}:{attempts}"
            await session.execute(_FORGET_HELD, {"name": name})
            await _queue(session, mail_id, attempts)
    return len(stranded)


async def latest(session: AsyncSession, most: int) -> list[Mail]:
    """Give the latest letters, newest first."""
    found = await session.scalars(select(Mail).order_by(Mail.created_at.desc()).limit(most))
    return list(found)


async def _queue(
    session: AsyncSession, mail_id: UUID, attempts: int, delay: timedelta = timedelta(0)
) -> None:
    key = f"{mail_id}:{attempts}"
    await enqueue(session, SEND_MAIL, {"mail": str(mail_id)}, key=key, delay=delay)

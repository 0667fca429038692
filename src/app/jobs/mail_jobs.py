"""The jobs behind letters: writing what was asked for, giving it away, moving to a new address."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import structlog
from pgqueuer.core.applications import PgQueuer
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job

from app.adapters.mail import SmtpServer
from app.adapters.stripe_people import StripePeople
from app.db import Sessions
from app.domain.identity.customers import TELL_EMAIL, tell_email
from app.domain.identity.mailed_tokens import WRITE_LETTER, forget_links, write_letter
from app.domain.identity.staff_challenges import forget_challenges
from app.domain.identity.submissions import forget_submissions
from app.domain.identity.throttle import forget_attempts
from app.domain.mailing.outbox import SEND_MAIL, Postman
from app.parts import Parts

log = structlog.get_logger()

AGAIN_AFTER = timedelta(seconds=2)
STRIPE_AGAIN_AFTER = timedelta(minutes=1)


class AskedLetter(msgspec.Struct, frozen=True):
    token: UUID


class WaitingMail(msgspec.Struct, frozen=True):
    mail: UUID


class MovedCustomer(msgspec.Struct, frozen=True):
    customer: UUID


def add_mail_jobs(queue: PgQueuer, parts: Parts) -> None:
    """Name the jobs that write and send letters."""
    settings = parts.settings
    server = SmtpServer(settings.mail_url, settings.mail_from)
    site, office = settings.app_url.rstrip("/"), settings.office_url.rstrip("/")
    postman = Postman(parts.sessions, server, site, office)

    @queue.entrypoint(WRITE_LETTER, on_failure="hold")
    async def write(job: Job) -> None:
        assert job.payload is not None
        asked = msgspec.json.decode(job.payload, type=AskedLetter)
        try:
            await write_letter(parts.sessions, asked.token)
        except Exception as error:
            log.exception("letter_not_written", job=WRITE_LETTER)
            raise RetryRequested(delay=AGAIN_AFTER, reason=type(error).__name__) from error

    @queue.entrypoint(SEND_MAIL, on_failure="hold")
    async def send(job: Job) -> None:
        assert job.payload is not None
        waiting = msgspec.json.decode(job.payload, type=WaitingMail)
        await postman.deliver(waiting.mail, datetime.now(UTC))

    people = StripePeople(parts.stripe.other, parts.network)

    @queue.entrypoint(TELL_EMAIL, on_failure="hold")
    async def tell(job: Job) -> None:
        assert job.payload is not None
        moved = msgspec.json.decode(job.payload, type=MovedCustomer)
        try:
            await tell_email(parts.sessions, people, moved.customer)
        except Exception as error:
            log.exception("email_not_told", job=TELL_EMAIL)
            raise RetryRequested(delay=STRIPE_AGAIN_AFTER, reason=type(error).__name__) from error


async def forget(sessions: Sessions) -> str:
    """Delete what was counted and asked for and is long over; give how much, in words."""
    now = datetime.now(UTC)
    async with sessions.begin() as session:
        links, attempts = await forget_links(session, now), await forget_attempts(session, now)
        forms = await forget_submissions(session, now)
        await forget_challenges(session, now)
    return f"{links} old links, {attempts} old attempts and {forms} old forms deleted"

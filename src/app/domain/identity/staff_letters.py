"""The letters to members of staff: about their own sign-in, and about notes that name them."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.identity.devices import device_in_words
from app.domain.identity.models import Staff
from app.domain.mailing.models import MailKind
from app.domain.mailing.outbox import Letter, post

_END = (
    "\n\nIf this was not you, somebody else may have what you sign in with. Tell another member at"
    " once: they end your sessions, and you choose a new password.\n\nProxycard\n{office}/admin/\n"
)


def _letter(kind: MailKind, subject: str, text: str) -> Letter:
    return Letter(kind, subject, text + _END)


PASSWORD_CHANGED = _letter(
    MailKind.PASSWORD_CHANGED,
    "Your back office password was changed",
    "The password that you sign in to the back office with was changed just now.",
)
AUTHENTICATOR_ENROLLED = _letter(
    MailKind.SECOND_STEP,
    "An authenticator was enrolled for your back office sign-in",
    "From now on signing in to the back office as you asks for the codes of an authenticator that"
    " was enrolled just now.",
)
AUTHENTICATOR_RESET = _letter(
    MailKind.SECOND_STEP,
    "Your back office authenticator was reset",
    "Your authenticator and your recovery codes open the back office no more. The next sign-in with"
    " your password enrols a new one.",
)
RECOVERY_CODES_NEW = _letter(
    MailKind.SECOND_STEP,
    "You have new back office recovery codes",
    "Your recovery codes for the back office were made anew just now. Those before open nothing any"
    " more.",
)


def new_device(when: datetime, address: str, user_agent: str) -> Letter:
    """Tell of a sign-in with a browser of another kind than before."""
    return _letter(
        MailKind.NEW_DEVICE,
        "A new sign-in to the back office",
        "Somebody signed in to the back office as you, with a browser that we have not seen with"
        f" you before.\n\nWhen: {when:%d %B %Y, %H:%M} UTC\nWith: {device_in_words(user_agent)}\n"
        f"From: {address}",
    )


def mentioned(author: str, path: str) -> Letter:
    """Tell that a note names the reader; `path` is where it stands. The note itself stays there."""
    return Letter(
        MailKind.MENTIONED,
        f"{author} mentioned you in a note",
        f"{author} mentioned you in a note about a customer. Read it in the back office:\n\n"
        f"{{office}}{path}\n\nProxycard\n",
    )


async def write_to(session: AsyncSession, member: Staff, letter: Letter) -> None:
    """Write to a member, in the caller's transaction. The demo's members are nobody."""
    if not member.demo:
        await post(session, member.email, letter)

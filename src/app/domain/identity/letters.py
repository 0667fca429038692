"""The letters about signing in, in words. `{site}` and `{token}` are filled in as they are sent."""

from datetime import datetime

from app.domain.identity.devices import device_in_words
from app.domain.mailing.models import MailKind
from app.domain.mailing.outbox import Letter

_SIGNED = "\n\nProxycard\n{site}/\n"
_RESCUE = (
    "If this was not you, somebody else may know your password. Choose a new one at once, which"
    " signs everybody out:\n\n{site}/forgot"
)


def _letter(kind: MailKind, subject: str, text: str) -> Letter:
    return Letter(kind, subject, text + _SIGNED)


VERIFY_EMAIL = _letter(
    MailKind.VERIFY_EMAIL,
    "Confirm your e-mail address",
    "Welcome to Proxycard.\n\nTo open your account, confirm that this address is yours:\n\n"
    "{site}/verify?token={token}\n\nThe link works once, for 24 hours, and asks for the password"
    " you chose.\n\nIf you did not sign up, do nothing: no account is opened.",
)
ALREADY_SIGNED_UP = _letter(
    MailKind.ALREADY_SIGNED_UP,
    "You have an account already",
    "Somebody, probably you, has just signed up to Proxycard with this address. You have an"
    " account already, and nothing was changed.\n\nSign in:\n\n{site}/sign-in\n\nIf you do not"
    " remember the password, choose a new one:\n\n{site}/forgot",
)
RESET_PASSWORD = _letter(
    MailKind.RESET_PASSWORD,
    "Choose a new password",
    "Somebody, probably you, has asked for a new password.\n\nChoose it here:\n\n"
    "{site}/reset?token={token}\n\nThe link works once, for 30 minutes. Choosing a new password"
    " signs you out everywhere.\n\nIf you did not ask, do nothing: your password stays as it is.",
)
PASSWORD_CHANGED = _letter(
    MailKind.PASSWORD_CHANGED,
    "Your password was changed",
    f"Your password was changed just now.\n\nIf it was you, there is nothing to do. {_RESCUE}",
)
CHANGE_EMAIL = _letter(
    MailKind.CHANGE_EMAIL,
    "Confirm your new e-mail address",
    "To use this address for your Proxycard account from now on, confirm that it is yours:\n\n"
    "{site}/confirm-email?token={token}\n\nThe link works once, for 30 minutes.\n\nIf you did not"
    " ask for this, do nothing: nothing changes.",
)


SECOND_STEP_ON = _letter(
    MailKind.SECOND_STEP,
    "Your second step is on",
    "From now on signing in to Proxycard asks for a code of your app after the password. Keep the"
    f" recovery codes where you find them without your phone.\n\n{_RESCUE}",
)
SECOND_STEP_OFF = _letter(
    MailKind.SECOND_STEP,
    "Your second step is off",
    "From now on signing in to Proxycard asks for your password alone.\n\nIf it was you, there is"
    f" nothing to do. {_RESCUE}",
)
RECOVERY_CODES_NEW = _letter(
    MailKind.SECOND_STEP,
    "You have new recovery codes",
    "The recovery codes of your second step were made anew just now. Those you had before open"
    f" nothing any more.\n\nIf it was you, keep the new ones in their place. {_RESCUE}",
)


def staff_invitation(name: str, office: str, days: int) -> Letter:
    """Invite somebody to the back office, which is at `office`, for so many days."""
    return _letter(
        MailKind.STAFF_INVITATION,
        "You are invited to the back office",
        f"{name}, you are a member of the staff of Proxycard from now on.\n\nChoose your password"
        f" here:\n\n{office}/admin/login/join?token={{token}}\n\nThe link works once, for {days}"
        " days. The step after it enrols an authenticator app: have your phone at hand.\n\nNobody"
        " else can see the password you choose, and nobody will ever ask you for it.",
    )


def email_changed(new_email: str) -> Letter:
    """Tell the old address about the new one, most of which stays hidden."""
    name, _, host = new_email.partition("@")
    return _letter(
        MailKind.EMAIL_CHANGED,
        "Your e-mail address was changed",
        f"Your Proxycard account now belongs to another e-mail address: {name[:1]}…@{host}."
        " Letters no longer come here.\n\nIf it was you, there is nothing to do. If it was not,"
        " write to us at once: somebody else has your account.",
    )


def new_device(when: datetime, address: str, user_agent: str) -> Letter:
    """Tell of a sign-in from a browser that has not signed in before."""
    return _letter(
        MailKind.NEW_DEVICE,
        "A new sign-in to your account",
        f"Somebody signed in to your account with a browser that we have not seen before.\n\n"
        f"When: {when:%d %B %Y, %H:%M} UTC\nWith: {device_in_words(user_agent)}\n"
        f"From: {address}\n\nIf it was you, there is nothing to do. {_RESCUE}",
    )

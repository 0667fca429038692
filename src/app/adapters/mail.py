"""Gives letters to a mail server by SMTP.

The address says how: `smtps://user:password@host` speaks TLS from the start, `smtp://host:587`
begins in the clear and changes over to TLS where the server offers it, as one that asks for a
password must. Source: https://aiosmtplib.readthedocs.io/en/stable/encryption.html
"""

from email.message import EmailMessage
from email.policy import SMTP
from urllib.parse import unquote, urlsplit

import aiosmtplib

from app.domain.mailing.outbox import Bounced

SEND_WITHIN_SECONDS = 20
FOR_GOOD = 500
"""Source: https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1"""


class SmtpServer:
    """A `MailServer`. With a blank address there is none."""

    def __init__(self, url: str, sender: str) -> None:
        self.url = urlsplit(url)
        self.sender = sender

    @property
    def is_there(self) -> bool:
        return bool(self.url.hostname)

    async def send(self, recipient: str, subject: str, text: str) -> None:
        """Give a letter away. Raises Bounced, and else what aiosmtplib raises."""
        try:
            await self._send(recipient, subject, text)
        except aiosmtplib.SMTPRecipientsRefused as refused:
            if all(one.code >= FOR_GOOD for one in refused.recipients):
                raise Bounced from refused
            raise
        except (aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPDataError) as refused:
            if refused.code >= FOR_GOOD:
                raise Bounced from refused
            raise

    async def _send(self, recipient: str, subject: str, text: str) -> None:
        password = self.url.password
        tls = self.url.scheme == "smtps"
        await aiosmtplib.send(
            self._message(recipient, subject, text),
            hostname=self.url.hostname,
            port=self.url.port or (465 if tls else 25),
            username=unquote(self.url.username) if self.url.username else None,
            password=unquote(password) if password else None,
            timeout=SEND_WITHIN_SECONDS,
            use_tls=tls,
            # A password never goes in the clear: then TLS must come about.
            start_tls=None if tls or not password else True,
        )

    def _message(self, recipient: str, subject: str, text: str) -> EmailMessage:
        """Write the letter down. Raises ValueError for a line break in what becomes a header."""
        message = EmailMessage(policy=SMTP)
        message["From"] = self.sender
        message["To"] = recipient
        message["Subject"] = subject
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        return message

"""Letters: given to a mail server once, tried again while it refuses, kept where there is none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email import message_from_string
from email.policy import SMTP

import pytest

from app.adapters.mail import SmtpServer
from app.domain.mailing.models import MailKind
from app.domain.mailing.outbox import MOST_ATTEMPTS, Letter, Postman, post, requeue_letters
from tests.portal import EMAIL, PASSWORD, browser, letters, link_in, send
from tests.product import Product
from tests.waiting import until

SITE, OFFICE = "https://cards.example.com", "https://office.example.com"
NO_MAIL_HERE = {"MAIL_URL": "smtp://127.0.0.1:9"}


class FakeServer:
    """Takes letters as an SMTP server does (RFC 5321), or refuses them."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.refuses = False
        self.answer = b""
        self.port = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 tests\r\n")
        while line := await reader.readline():
            word = line.split(maxsplit=1)[0].upper() if line.strip() else b""
            if word == b"RCPT" and self.answer:
                writer.write(self.answer)
            elif word == b"RCPT" and self.refuses:
                writer.write(b"450 not now, for ada@example.com\r\n")
            elif word == b"DATA":
                writer.write(b"354 go on\r\n")
                letter = await reader.readuntil(b"\r\n.\r\n")
                self.taken.append(letter.decode())
                writer.write(b"250 taken\r\n")
            elif word == b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 yes\r\n")
        writer.close()


@asynccontextmanager
async def mail_server() -> AsyncIterator[FakeServer]:
    fake = FakeServer()
    server = await asyncio.start_server(fake.talk, "127.0.0.1", 0)
    fake.port = server.sockets[0].getsockname()[1]
    async with server:
        yield fake


def postman(product: Product, fake: FakeServer) -> Postman:
    server = SmtpServer(f"smtp://127.0.0.1:{fake.port}", "Proxycard <cards@example.com>")
    return Postman(product.parts.sessions, server, SITE, OFFICE)


LETTER = Letter(
    MailKind.RESET_PASSWORD, "Grüße", "Öffne {site}/reset?token={token}\n{office}/admin/\n"
)


async def put(product: Product) -> str:
    async with product.parts.sessions.begin() as session:
        mail = await post(session, EMAIL, LETTER, secret="the-secret")
    return str(mail.id)


@pytest.mark.parametrize("product_settings", [NO_MAIL_HERE])
async def test_a_letter_is_given_away_once_and_its_secret_forgotten(product: Product) -> None:
    async with mail_server() as fake:
        await put(product)
        [row] = await product.rows("SELECT id FROM mail")
        for _ in range(2):
            await postman(product, fake).deliver(row["id"], datetime.now(UTC))
    [taken] = fake.taken
    read = message_from_string(taken, policy=SMTP)
    assert read["From"] == "Proxycard <cards@example.com>"
    assert (read["To"], read["Subject"]) == (EMAIL, "Grüße")
    assert read["Auto-Submitted"] == "auto-generated"
    text = read.get_content()
    assert text.startswith("Öffne https://cards.example.com/reset?token=the-secret\n")
    assert "\nhttps://office.example.com/admin/\n" in text
    [kept] = await product.rows("SELECT * FROM mail")
    assert (kept["state"], kept["secret"]) == ("sent", None)
    assert kept["sent_at"] is not None
    assert "the-secret" not in str(kept)


@pytest.mark.parametrize("product_settings", [NO_MAIL_HERE])
async def test_a_refused_letter_is_tried_again_and_at_last_waits_for_a_person(
    product: Product,
) -> None:
    async with mail_server() as fake:
        fake.refuses = True
        await put(product)
        [row] = await product.rows("SELECT id FROM mail")
        tries = 0
        while tries < MOST_ATTEMPTS:
            await postman(product, fake).deliver(row["id"], datetime.now(UTC))
            [kept] = await product.rows("SELECT * FROM mail")
            tries = kept["attempts"]
    assert kept["state"] == "failed"
    assert kept["failure"] in {"SMTPRecipientsRefused", "SMTPConnectError"}
    assert EMAIL not in kept["failure"]  # a server's words stay out
    assert fake.taken == []


async def test_without_a_server_letters_are_kept_and_shown_to_this_machine(
    product: Product,
) -> None:
    async with browser(product) as client:
        await send(client, "/sign-up", {"email": EMAIL, "password": PASSWORD})
        [letter] = await letters(product, "verify_email")
        page = await client.get("/mailbox")
        link = f"{product.settings.app_url}{link_in(letter)}"
        assert f'<a href="{link}">' in page.text
        assert EMAIL in page.text
    assert letter["state"] == "kept"


async def test_a_letter_that_lost_its_job_gets_another(product: Product) -> None:
    await put(product)
    await letters(product, "reset_password")
    await product.as_owner(
        "UPDATE mail SET state = 'waiting', attempts = 0, created_at = now() - interval '1 minute'"
    )
    await requeue_letters(product.parts.sessions, datetime.now(UTC))

    async def taken() -> bool:
        return bool(await product.rows("SELECT 1 FROM mail WHERE state = 'kept'"))

    await until(taken)


async def test_a_line_break_never_becomes_a_header() -> None:
    async with mail_server() as fake:
        server = SmtpServer(f"smtp://127.0.0.1:{fake.port}", "cards@example.com")
        with pytest.raises(ValueError, match=r"linefeed|newline|header"):
            await server.send(EMAIL, "Hello\r\nBcc: eve@example.com", "text")
    assert fake.taken == []

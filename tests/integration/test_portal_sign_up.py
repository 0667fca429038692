"""Opening an account over HTTP: the letter, the link, the password, and what strangers learn."""

import re
from datetime import timedelta

import pytest

from tests.portal import (
    COOKIE,
    EMAIL,
    PASSWORD,
    browser,
    letters,
    link_in,
    send,
    sign_in,
    sign_up,
    signed_up,
)
from tests.product import Product


async def test_the_link_and_the_password_together_open_the_account(product: Product) -> None:
    async with browser(product) as client:
        asked = await send(client, "/sign-up", {"email": " Ada@Example.com ", "password": PASSWORD})
        assert "Look into your mailbox" in asked.text
        assert await product.rows("SELECT 1 FROM credential") == []
        [letter] = await letters(product, "verify_email")
        assert (letter["recipient"], letter["state"]) == (EMAIL, "kept")
        link = link_in(letter)
        assert (await client.get(link)).status_code == 200  # as a mail program opens it
        token = {"token": link.partition("token=")[2]}
        wrong = await send(client, "/verify", token | {"password": "not it at all"}, opened=link)
        assert wrong.status_code == 401
        entered = await send(client, "/verify", token | {"password": PASSWORD}, opened=link)
        assert (entered.status_code, entered.headers["location"]) == (303, "/onboarding")
        assert (await client.get("/onboarding")).status_code == 200
    [kept] = await product.rows("SELECT * FROM credential")
    assert kept["email"] == EMAIL
    assert kept["email_verified_at"] is not None
    assert kept["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_a_link_works_once_and_for_a_day(product: Product) -> None:
    async with browser(product) as client:
        await sign_up(product, client)
    [used] = await letters(product, "verify_email")
    token = {"token": used["secret"], "password": PASSWORD}
    async with browser(product) as other:
        again = await send(other, "/verify", token, opened="/sign-in")
        assert again.status_code == 410
        assert "used, or it is too old" in again.text
        await send(other, "/sign-up", {"email": "grace@example.com", "password": PASSWORD})
        [_, late] = await letters(product, "verify_email", at_least=2)
        await product.as_owner(
            "UPDATE mailed_token SET expires_at = now() - interval '1 second' WHERE used_at IS NULL"
        )
        token = {"token": late["secret"], "password": PASSWORD}
        assert (await send(other, "/verify", token, opened="/sign-in")).status_code == 410
    lasts = "SELECT expires_at - created_at AS lasts FROM mailed_token ORDER BY id LIMIT 1"
    [first] = await product.rows(lasts)
    assert first["lasts"] == timedelta(hours=24)


async def test_a_known_address_is_answered_like_an_unknown_one_and_told_by_mail(
    product: Product,
) -> None:
    async with signed_up(product):
        pass
    answers = {}
    async with browser(product) as client:
        for email in (EMAIL, "nobody@example.com"):
            answer = await send(client, "/sign-up", {"email": email, "password": PASSWORD + "!"})
            page = re.sub(r'value="[0-9a-f]{64}"|nonce="[^"]+"', "", answer.text)
            answers[email] = (answer.status_code, page.replace(email, ""))
    assert answers[EMAIL] == answers["nobody@example.com"]
    [told] = await letters(product, "already_signed_up")
    assert (told["recipient"], told["secret"]) == (EMAIL, None)
    async with browser(product) as client:
        assert (await sign_in(client)).status_code == 303  # nothing was changed


async def test_somebody_elses_password_cannot_be_slipped_in(product: Product) -> None:
    """Who signs up with a stranger's address gets nothing, even when the stranger clicks."""
    async with browser(product) as thief:
        await send(thief, "/sign-up", {"email": EMAIL, "password": "chosen by the thief"})
    [letter] = await letters(product, "verify_email")
    async with browser(product) as ada:
        token = {"token": letter["secret"], "password": PASSWORD}
        assert (await send(ada, "/verify", token, opened="/sign-in")).status_code == 401
        await sign_up(product, ada)
    async with browser(product) as thief:
        token = {"token": letter["secret"], "password": "chosen by the thief"}
        assert (await send(thief, "/verify", token, opened="/sign-in")).status_code == 410


async def test_any_characters_and_two_hundred_of_them_are_a_password(product: Product) -> None:
    password = ("  пароль 🌷 \t'\"<&>; " * 20)[:199] + " "
    async with browser(product) as client:
        await sign_up(product, client, password=password)
    async with browser(product) as client:
        assert (await sign_in(client, password=password.strip())).status_code == 401
        assert (await sign_in(client, password=password)).status_code == 303


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("elevenchars", "12 to 200 characters"),
        ("x" * 201, "12 to 200 characters"),
        ("1qaz2wsx3edc", "first that are tried"),
        ("qwertyuiopasdf", "first that are tried"),
        ("abababababab", "repeats a few characters"),
        ("ada-proxycard", "too close to your e-mail address"),
    ],
)
async def test_a_password_that_is_easy_to_guess_is_refused_at_its_field(
    product: Product, password: str, why: str
) -> None:
    async with browser(product) as client:
        answer = await send(client, "/sign-up", {"email": EMAIL, "password": password})
    assert answer.status_code == 422
    assert why in answer.text
    assert f'value="{EMAIL}"' in answer.text
    assert password not in answer.text
    assert 'aria-describedby="password-wanted"' in answer.text


@pytest.mark.parametrize("email", ["ada", "ada@", "a b@example.com", "a@b", f"{'x' * 260}@a.com"])
async def test_what_is_no_address_is_refused_at_its_field(product: Product, email: str) -> None:
    async with browser(product) as client:
        answer = await send(client, "/sign-up", {"email": email, "password": PASSWORD})
    assert answer.status_code == 422
    assert "Write an e-mail address like" in answer.text


async def test_letters_to_one_address_are_limited(product: Product) -> None:
    async with browser(product) as client:
        fields = {"email": EMAIL, "password": PASSWORD}
        codes = [(await send(client, "/sign-up", fields)).status_code for _ in range(5)]
        late = await send(client, "/sign-up", fields)
    assert codes == [200, 200, 200, 200, 429]
    assert int(late.headers["retry-after"]) > 600
    assert COOKIE not in client.cookies


async def test_the_secret_of_a_letter_is_nowhere_else(product: Product) -> None:
    async with browser(product) as client:
        await send(client, "/sign-up", {"email": EMAIL, "password": PASSWORD})
    [letter] = await letters(product, "verify_email")
    assert len(letter["secret"]) >= 22
    tables = ("mailed_token", "audit_entry", "pgqueuer", "pgqueuer_log", "attempt")
    for table in tables:
        rows = await product.rows(f"SELECT row_to_json(t)::text AS row FROM {table} t")  # noqa: S608  our own names
        assert not any(letter["secret"] in row["row"] for row in rows), table

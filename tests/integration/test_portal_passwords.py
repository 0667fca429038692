"""Forgotten and changed passwords, the password again, and the e-mail address that moves."""

import re
from datetime import timedelta

import pytest

from tests.portal import (
    COOKIE,
    EMAIL,
    PASSWORD,
    browser,
    customer,
    letters,
    link_in,
    send,
    sign_in,
    signed_up,
)
from tests.product import Product
from tests.waiting import until

NEW = "a whole new set of words"


async def test_a_mailed_link_sets_a_new_password_and_signs_out_everywhere(product: Product) -> None:
    async with signed_up(product) as client, browser(product) as other:
        other.headers["Host"] = "evil.example"
        asked = await send(other, "/forgot", {"email": EMAIL})
        assert asked.status_code == 200
        del other.headers["Host"]
        [letter] = await letters(product, "reset_password")
        link = link_in(letter)
        sent = f"{product.settings.app_url}{link}"  # whatever host the asking named
        assert sent in (await other.get("/mailbox")).text
        fields = {"token": letter["secret"], "password": NEW}
        done = await send(other, "/reset", fields, opened=link)
        assert (done.status_code, done.headers["location"]) == (303, "/sign-in?done=password")
        assert COOKIE not in other.cookies  # nobody is signed in by it
        assert (await client.get("/settings")).status_code == 303
        assert (await sign_in(other)).status_code == 401
        assert (await sign_in(other, password=NEW)).status_code == 303
        again = await send(client, "/reset", fields, opened=link)
        assert again.status_code == 410
    [told] = await letters(product, "password_changed")
    assert told["recipient"] == EMAIL


async def test_an_unknown_address_is_answered_alike_and_gets_no_letter(product: Product) -> None:
    pages = {}
    async with signed_up(product), browser(product) as client:
        for email in ("nobody@example.com", EMAIL):
            answer = await send(client, "/forgot", {"email": email})
            page = re.sub(r'nonce="[^"]+"', "", answer.text).replace(email, "")
            pages[email] = (answer.status_code, page)
    assert pages[EMAIL] == pages["nobody@example.com"]
    [letter] = await letters(product, "reset_password")
    assert letter["recipient"] == EMAIL


async def test_a_reset_link_lasts_half_an_hour_and_the_next_ends_the_ones_before(
    product: Product,
) -> None:
    async with signed_up(product), browser(product) as client:
        await send(client, "/forgot", {"email": EMAIL})
        await send(client, "/forgot", {"email": EMAIL})
        first, second = await letters(product, "reset_password", at_least=2)
        for letter, status in ((second, 303), (first, 410)):
            fields = {"token": letter["secret"], "password": NEW}
            answer = await send(client, "/reset", fields, opened=link_in(letter))
            assert answer.status_code == status
    asked = (
        "SELECT expires_at - created_at AS lasts FROM mailed_token WHERE purpose = 'reset_password'"
    )
    assert {row["lasts"] for row in await product.rows(asked)} == {timedelta(minutes=30)}


async def test_a_weak_password_does_not_use_the_link_up(product: Product) -> None:
    async with signed_up(product), browser(product) as client:
        await send(client, "/forgot", {"email": EMAIL})
        [letter] = await letters(product, "reset_password")
        fields = {"token": letter["secret"], "password": "short"}
        assert (await send(client, "/reset", fields, opened=link_in(letter))).status_code == 422
        fields["password"] = NEW
        assert (await send(client, "/reset", fields, opened=link_in(letter))).status_code == 303


async def test_changing_the_password_ends_the_other_sessions_and_renews_this_one(
    product: Product,
) -> None:
    async with signed_up(product) as client, browser(product) as other:
        await sign_in(other)
        before = client.cookies[COOKIE]
        changed = {"password": "not this one", "new_password": NEW}
        wrong = await send(client, "/settings/password", changed, opened="/settings")
        assert wrong.status_code == 401
        changed["password"] = PASSWORD
        done = await send(client, "/settings/password", changed, opened="/settings")
        assert done.headers["location"] == "/settings?done=password"
        assert client.cookies[COOKIE] != before
        assert (await client.get("/settings")).status_code == 200
        assert (await other.get("/settings")).status_code == 303
        client.cookies.set(COOKIE, before, domain="127.0.0.1", path="/")
    await letters(product, "password_changed")


async def test_the_password_again_makes_a_new_token_and_is_good_for_five_minutes(
    product: Product,
) -> None:
    async with signed_up(product) as client:
        await product.as_owner(
            "UPDATE customer_session SET password_at = now() - interval '5 minutes'"
        )
        page = await client.get("/settings")
        assert "/password-again?next=/settings" in page.text
        asked = await send(
            client, "/settings/email", {"email": "new@example.com"}, opened="/settings"
        )
        assert asked.headers["location"] == "/password-again?next=/settings"
        old = client.cookies[COOKIE]
        wrong = await send(client, "/password-again", {"password": "wrong", "next": "/settings"})
        assert wrong.status_code == 401
        right = {"password": PASSWORD, "next": "/settings"}
        done = await send(client, "/password-again", right)
        assert done.headers["location"] == "/settings"
        assert client.cookies[COOKIE] != old
        assert "New e-mail address" in (await client.get("/settings")).text
        async with browser(product) as thief:
            thief.cookies.set(COOKIE, old, domain="127.0.0.1", path="/")
            assert (await thief.get("/settings")).status_code == 303


async def test_a_new_address_is_proved_first_and_the_old_one_is_told(product: Product) -> None:
    async with customer(product) as client:
        fields = {"email": "Byron@Example.org"}
        asked = await send(client, "/settings/email", fields, opened="/settings")
        assert asked.headers["location"] == "/settings?done=email-asked"
        [letter] = await letters(product, "change_email")
        assert letter["recipient"] == "byron@example.org"
        assert EMAIL in (await client.get("/settings")).text
        link = link_in(letter)
        done = await send(client, "/confirm-email", {"token": letter["secret"]}, opened=link)
        assert done.headers["location"] == "/settings?done=email"
        again = await send(client, "/confirm-email", {"token": letter["secret"]}, opened=link)
        assert again.status_code == 410
    [told] = await letters(product, "email_changed")
    assert told["recipient"] == EMAIL
    [row] = await product.rows(
        "SELECT c.email, k.email AS customer, stripe_customer_id, stripe_cardholder_id"
        " FROM credential c JOIN customer k ON k.id = customer_id"
    )
    assert row["email"] == row["customer"] == "byron@example.org"

    async def told_at_stripe() -> bool:
        known = await product.call("GET", f"/v1/customers/{row['stripe_customer_id']}")
        holder = await product.call("GET", f"/v1/issuing/cardholders/{row['stripe_cardholder_id']}")
        return {known["email"], holder["email"]} == {"byron@example.org"}

    await until(told_at_stripe)


async def test_a_taken_address_is_not_told_and_cannot_be_moved_to(product: Product) -> None:
    async with signed_up(product), signed_up(product, "grace@example.com") as client:
        asked = await send(client, "/settings/email", {"email": EMAIL}, opened="/settings")
        assert asked.headers["location"] == "/settings?done=email-asked"
        [told] = await letters(product, "already_signed_up")
    assert (told["recipient"], told["secret"]) == (EMAIL, None)


@pytest.mark.parametrize("path", ["/reset", "/verify", "/confirm-email"])
async def test_links_that_never_were_are_not_guessed_in_a_row(product: Product, path: str) -> None:
    async with browser(product) as client:
        codes = [
            (
                await send(client, path, {"token": f"guess{n}", "password": NEW}, opened="/sign-in")
            ).status_code
            for n in range(9)
        ]
    assert codes[0] == 410
    if path != "/verify":  # whose password is asked for as well
        assert 429 in codes

"""Signing in to the portal: cookies, wrong passwords, the throttle, new devices, the demo."""

import math
import re
import time
from datetime import UTC, datetime

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.domain.identity.audit import SYSTEM
from app.domain.identity.credentials import DEMO_EMAIL, keep_demo_credential
from app.domain.identity.states import Role
from tests.back_office import member
from tests.factories import CredentialFactory, CustomerFactory
from tests.portal import (
    COOKIE,
    EMAIL,
    PASSWORD,
    browser,
    form_token_on,
    letters,
    send,
    sign_in,
    signed_up,
)
from tests.product import Product

WRONG = "not the password at all"
FEWEST_TRIES, TRIES = 9, 60
"""On a busy machine it takes more until both have had a moment to themselves."""
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/148.0.0.0 Safari/537.36"


async def test_a_session_is_a_cookie_that_no_script_reads(product: Product) -> None:
    async with signed_up(product), browser(product) as client:
        entered = await sign_in(client)
        assert (entered.status_code, entered.headers["location"]) == (303, "/dashboard")
        cookies = entered.headers.get_list("set-cookie")
        [cookie] = [c for c in cookies if c.startswith(f"{COOKIE}=")]
        flags = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"httponly", "samesite=lax", "path=/", "max-age=86400"} <= flags
        assert "secure" not in flags
        token = client.cookies[COOKIE]
    assert len(token) >= 43  # 256 bits
    kept = await product.rows("SELECT token_hash FROM customer_session")
    assert all(len(row["token_hash"]) == 32 for row in kept)
    assert all(token.encode() not in row["token_hash"] for row in kept)


@pytest.mark.parametrize("product_settings", [{"APP_URL": "https://cards.example.com"}])
async def test_over_https_every_cookie_is_bound_to_the_host(product: Product) -> None:
    page = await product.web.get("/sign-in")
    [cookie] = page.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-proxycard_forms=")
    assert "; Secure" in cookie
    assert page.headers["strict-transport-security"].startswith("max-age=31536000")


async def test_a_sign_in_makes_a_new_token_whatever_the_browser_brought(product: Product) -> None:
    async with signed_up(product), browser(product) as client:
        client.cookies.set(COOKIE, "chosen by somebody else", domain="127.0.0.1", path="/")
        await sign_in(client)
        first = client.cookies[COOKIE]
        assert "chosen" not in first
        client.cookies.delete(COOKIE)
        await sign_in(client)
        assert client.cookies[COOKIE] != first


async def test_strangers_are_sent_to_sign_in_and_back(product: Product) -> None:
    async with signed_up(product), browser(product) as client:
        for path in ("/dashboard", "/onboarding", "/settings", "/password-again"):
            sent = await client.get(path)
            assert sent.status_code == 303
            back = "" if path == "/dashboard" else f"?next={path}"
            assert sent.headers["location"] == f"/sign-in{back}"
        for onward, location in {
            "/settings?done=email": "/settings?done=email",
            "https://evil.example/dashboard": "/dashboard",
            "//evil.example/": "/dashboard",
            "/\\evil.example": "/dashboard",
            "/sign-in": "/dashboard",
            "javascript:alert(1)": "/dashboard",
        }.items():
            entered = await sign_in(client, next=onward)
            assert entered.headers["location"] == location
            client.cookies.delete(COOKIE)


NO_HURRY = "UPDATE attempt SET created_at = created_at + interval '20 seconds'"
"""After the third it is one second that has to be waited: a busy machine takes that for a page."""


async def test_wrong_passwords_are_refused_alike_then_slowed_down(product: Product) -> None:
    answers = {}
    async with signed_up(product), browser(product) as client:
        for email in (EMAIL, "nobody@example.com"):
            tries = [await sign_in(client, email, "wrong") for _ in range(3)]
            await product.as_owner(NO_HURRY)
            tries.append(await sign_in(client, email, "wrong"))
            page = re.sub(r'value="[0-9a-f]{64}"|nonce="[^"]+"', "", tries[0].text)
            answers[email] = ([t.status_code for t in tries], page.replace(email, ""))
        late = await sign_in(client)
    assert answers[EMAIL] == answers["nobody@example.com"]
    assert answers[EMAIL][0] == [401, 401, 401, 429]
    assert late.status_code == 429  # the right password has to wait as well
    assert 1 <= int(late.headers["retry-after"]) <= 60
    assert "Try again in" in late.text


async def test_an_unknown_address_takes_as_long_as_a_known_one(product: Product) -> None:
    async with signed_up(product), browser(product) as client:
        token = form_token_on(await client.get("/sign-in"))
        for path, status in (("/sign-in", 401), ("/sign-up", 200), ("/forgot", 200)):
            fastest = {EMAIL: math.inf, "nobody@example.com": math.inf}
            for number in range(TRIES):
                for email, before in fastest.items():
                    await product.as_owner("DELETE FROM attempt")
                    began = time.perf_counter()
                    fields = {"form_token": token, "email": email, "password": WRONG}
                    assert (await client.post(path, data=fields)).status_code == status
                    fastest[email] = min(before, time.perf_counter() - began)
                known, unknown = fastest.values()
                if number >= FEWEST_TRIES and 0.5 < known / unknown < 2:
                    break
            else:
                pytest.fail(f"{path} takes {known:.4f} s for a known and {unknown:.4f} for another")


async def test_a_password_kept_with_weaker_settings_is_kept_with_todays(product: Product) -> None:
    weak = PasswordHash((Argon2Hasher(memory_cost=64, time_cost=1, parallelism=1),)).hash(PASSWORD)
    async with product.parts.sessions.begin() as session:
        session.add(CredentialFactory.build(email=EMAIL, password_hash=weak))
    await member(product, Role.SUPPORT)
    await product.as_owner(f"UPDATE staff SET password_hash = '{weak}'")  # noqa: S608  ours
    async with browser(product) as client:
        assert (await sign_in(client)).status_code == 303
        sent = {"email": "grace@example.com", "password": PASSWORD}
        assert (await client.post("/admin/login", data=sent)).status_code == 303
    for table in ("credential", "staff"):
        [kept] = await product.rows(f"SELECT password_hash AS it FROM {table}")  # noqa: S608  ours
        assert kept["it"].startswith("$argon2id$v=19$m=19456,t=2,p=1$"), table


async def test_a_browser_that_is_new_is_told_of_by_mail_and_one_that_is_not_is_not(
    product: Product,
) -> None:
    async with signed_up(product) as first:
        first.cookies.delete(COOKIE)
        await sign_in(first)  # the browser is known by its own cookie
        async with browser(product, **{"User-Agent": f"{CHROME} <script>"}) as other:
            await sign_in(other)
        [letter] = await letters(product, "new_device")
    assert letter["recipient"] == EMAIL
    assert "Chrome on Linux" in letter["text"]
    assert "script" not in letter["text"]
    assert "127.0.0.1" in letter["text"]


async def test_signing_out_ends_the_session_for_whoever_kept_the_cookie(product: Product) -> None:
    async with signed_up(product) as client, browser(product) as thief:
        thief.cookies.set(COOKIE, client.cookies[COOKIE], domain="127.0.0.1", path="/")
        assert (await thief.get("/settings")).status_code == 200
        left = await send(client, "/sign-out", {}, opened="/settings")
        assert left.headers["location"] == "/sign-in?done=signed-out"
        assert COOKIE not in client.cookies
        assert (await thief.get("/settings")).headers["location"] == "/sign-in?next=/settings"
    actions = await product.rows(
        "SELECT action FROM audit_entry WHERE action LIKE 'customer.sign%' ORDER BY id"
    )
    assert [a["action"] for a in actions] == [
        *("customer.sign_up", "customer.sign_in", "customer.sign_out")
    ]


async def test_a_closed_customer_is_shut_out_at_once(product: Product) -> None:
    async with signed_up(product) as client:
        gone = CustomerFactory.build(email=EMAIL, state="closed")
        async with product.parts.sessions.begin() as session:
            session.add(gone)
        await product.as_owner(f"UPDATE credential SET customer_id = '{gone.id}'")  # noqa: S608  ours
        assert (await client.get("/settings")).status_code == 303
        client.cookies.delete(COOKIE)
        assert (await sign_in(client)).status_code == 401


class TestDemo:
    async def test_signs_in_by_one_click_where_cards_are_simulated(self, product: Product) -> None:
        async with browser(product) as client:
            assert DEMO_EMAIL not in (await client.get("/sign-in")).text
            await demo_customer(product)
            page = await client.get("/sign-in")
            assert "Sign in as customer@example.com" in page.text
            entered = await send(client, "/sign-in/demo", {}, opened="/sign-in")
            assert entered.headers["location"] == "/dashboard"
            assert (await client.get("/dashboard")).status_code == 200

    @pytest.mark.parametrize(
        "product_settings",
        [{"STRIPE_API_BASE": "https://api.stripe.com", "REPAIR_WAIT_SECONDS": "90"}],
    )
    async def test_is_not_there_where_money_could_be_real(self, product: Product) -> None:
        await demo_customer(product)
        async with browser(product) as client:
            assert DEMO_EMAIL not in (await client.get("/sign-in")).text
            refused = await send(client, "/sign-in/demo", {}, opened="/sign-in")
            assert refused.status_code == 404
            assert COOKIE not in client.cookies
            assert (await client.get("/mailbox")).status_code == 404


async def demo_customer(product: Product) -> None:
    customer = CustomerFactory.build(email=DEMO_EMAIL)
    async with product.parts.sessions.begin() as session:
        session.add(customer)
    await keep_demo_credential(
        product.parts.sessions, customer.id, PASSWORD, actor=SYSTEM, now=datetime.now(UTC)
    )

"""Signing in to the back office over HTTP: the right password, wrong ones, the cookie, the end."""

import pytest

from app.domain.identity.states import Role
from tests.back_office import (
    COOKIE,
    PASSWORD,
    SAME_ORIGIN,
    browser,
    csrf_token_on,
    enrolled,
    member,
    send_code,
    send_password,
    signed_in,
)
from tests.product import Product

ACTIONS = (
    "SELECT action, actor_id, address, request_id FROM audit_entry"
    " WHERE action LIKE 'staff.s%' ORDER BY id"
)
DEMO = "support@example.com"


async def test_password_and_code_open_a_session_in_a_strict_cookie(product: Product) -> None:
    grace = await enrolled(product, Role.SUPPORT)
    async with browser(product) as client:
        response = await send_password(client, " Grace@Example.com ")
        assert response.headers["location"] == "/admin/login/code"
        assert COOKIE not in client.cookies  # A password alone opens nothing.
        assert (await client.get("/admin/purchases/list")).status_code == 303
        asked = await client.get("/admin/login/code")
        assert "Grace Hopper" in asked.text
        response = await send_code(client, grace.code())
        assert (response.status_code, response.headers["location"]) == (303, "/admin/")
        [cookie] = [c for c in response.headers.get_list("set-cookie") if f"{COOKIE}=" in c]
        flags = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"httponly", "samesite=strict", "path=/", "max-age=28800"} <= flags
        assert "secure" not in flags
        assert (await client.get("/admin/purchases/list")).status_code == 200
        assert (await client.get("/admin/login")).headers["location"] == "/admin/"
    [entry] = await product.rows(ACTIONS)
    assert (entry["action"], entry["actor_id"]) == ("staff.sign_in", grace.staff.id)
    assert entry["address"] == "127.0.0.1"
    assert entry["request_id"]
    [kept] = await product.rows("SELECT token_hash FROM staff_session")
    assert len(kept["token_hash"]) == 32


@pytest.mark.parametrize("product_settings", [{"APP_URL": "https://office.example.com"}])
async def test_over_https_the_cookies_are_bound_to_the_host(product: Product) -> None:
    grace = await enrolled(product, Role.SUPPORT)
    sent = {"email": "grace@example.com", "password": PASSWORD}
    response = await product.web.post("/admin/login", data=sent, headers=SAME_ORIGIN)
    assert response.headers["strict-transport-security"].startswith("max-age=31536000")
    step = response.headers["set-cookie"]
    assert step.startswith("__Host-proxycard_staff_step=")
    assert "; Secure" in step
    headers = SAME_ORIGIN | {"Cookie": step.partition(";")[0]}
    code = {"code": grace.code()}
    entered = await product.web.post("/admin/login/code", data=code, headers=headers)
    session = entered.headers.get_list("set-cookie")[0]
    assert session.startswith("__Host-proxycard_staff=")
    assert "; Secure" in session


NO_HURRY = "UPDATE sign_in_failure SET created_at = created_at + interval '20 seconds'"
"""After the third it is one second that has to be waited: a busy machine takes that for a page."""


async def test_wrong_passwords_are_refused_alike_then_slowed_down(product: Product) -> None:
    await member(product, Role.SUPPORT)
    answers = {}
    async with browser(product) as client:
        for email in ("grace@example.com", "nobody@example.com"):
            answers[email] = [await send_password(client, email, "wrong") for _ in range(3)]
            await product.as_owner(NO_HURRY)
            answers[email].append(await send_password(client, email, "wrong"))
            page = answers[email][0].text.replace(email, "")
            assert "The e-mail address or the password is wrong." in page
        late = await send_password(client, "grace@example.com")
    known, unknown = ([r.status_code for r in found] for found in answers.values())
    assert known == unknown == [401, 401, 401, 429]
    assert int(answers["grace@example.com"][3].headers["retry-after"]) >= 1
    assert late.status_code == 429  # The right password has to wait as well.
    failed = [row for row in await product.rows(ACTIONS) if row["action"] == "staff.sign_in_failed"]
    assert len(failed) == 6


async def test_signing_out_ends_the_session_for_whoever_kept_the_cookie(product: Product) -> None:
    async with signed_in(product, Role.SUPPORT) as client, browser(product) as thief:
        thief.cookies.set(COOKIE, client.cookies[COOKIE])
        page = await thief.get("/admin/purchases/list")
        assert page.status_code == 200
        refused = await client.post("/admin/logout", data={"csrf_token": "0" * 64})
        assert refused.status_code == 403
        left = await client.post("/admin/logout", data={"csrf_token": csrf_token_on(page)})
        assert (left.status_code, left.headers["location"]) == (303, "/admin/login")
        assert COOKIE not in client.cookies
        stale = await thief.get("/admin/purchases/list")
        assert stale.headers["location"] == "/admin/login?next=/admin/purchases/list"
    actions = [row["action"] for row in await product.rows(ACTIONS)]
    assert actions == ["staff.sign_in", "staff.sign_out", "staff.session_replayed"]


async def test_a_sign_in_makes_a_new_token_and_returns_to_the_page_asked_for(
    product: Product,
) -> None:
    grace = await enrolled(product, Role.SUPPORT)
    async with browser(product) as client:
        client.cookies.set(COOKIE, "chosen by somebody else", domain="127.0.0.1", path="/")
        sent = {"email": "grace@example.com", "password": PASSWORD}
        for step, (onward, location) in enumerate(
            {
                "/admin/cards/list?state=active": "/admin/cards/list?state=active",
                "https://evil.example/admin/": "/admin/",
                "//evil.example/admin/": "/admin/",
            }.items()
        ):
            asked = await client.post("/admin/login", data=sent | {"next": onward})
            page = await client.get(asked.headers["location"])
            assert f'name="next" value="{location}"' in page.text
            entered = await send_code(client, grace.code(step - 1), next=onward)
            assert entered.headers["location"] == location
        assert "chosen" not in client.cookies[COOKIE]
    tokens = await product.rows("SELECT token_hash FROM staff_session")
    assert len({row["token_hash"] for row in tokens}) == 3


async def test_demo_members_sign_in_by_one_click_and_nobody_else_does(product: Product) -> None:
    await member(product, Role.SUPPORT, email=DEMO, demo=True)
    await member(product, Role.OWNER)
    async with browser(product) as client:
        page = await client.get("/admin/login")
        assert DEMO in page.text
        assert "grace@example.com" not in page.text
        other = await client.post("/admin/login/demo", data={"email": "grace@example.com"})
        assert other.status_code == 401
        entered = await client.post("/admin/login/demo", data={"email": DEMO})
        assert entered.headers["location"] == "/admin/"
        assert (await client.get("/admin/purchases/list")).status_code == 200

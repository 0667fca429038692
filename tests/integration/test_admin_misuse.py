"""A member of staff who tries what they may not: refused or impossible, and on the trail."""

import pytest
from sqlalchemy.exc import DBAPIError

from app.domain.identity.states import Role
from tests.back_office import (
    COOKIE,
    PASSWORD,
    browser,
    csrf_token_on,
    enrolled,
    send_code,
    send_password,
    session_of,
    signed_in,
)
from tests.integration.test_audit_trail import CHANGES
from tests.integration.test_pages_staff import post
from tests.portal import letters
from tests.product import Product
from tests.situations import holder, pay

TRAIL = (
    "SELECT actor_id, action, subject_id, after FROM audit_entry"
    " WHERE action IN ('page.forbidden', 'staff.session_replayed') ORDER BY id"
)
FOREIGN = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}


async def test_what_a_member_may_not_is_refused_and_on_the_trail(product: Product) -> None:
    ada = await holder(product)
    bought = await pay(product, ada.card, 200_00)
    await product.settled()
    [row] = await product.rows("SELECT id FROM card_authorization")
    refund = f"/admin/act/refund-purchase/{row['id']}"
    async with signed_in(product, Role.RISK) as risk:
        token = csrf_token_on(await risk.get("/admin/account"))
        assert (await risk.post(refund, data={"csrf_token": token})).status_code == 403
    async with signed_in(product, Role.OWNER) as owner:
        call = {"subject": bought["id"], "amount": "", "csrf_token": "1" * 64}
        await owner.post(f"/admin/purchase/{row['id']}/capture", data=call)
        for method, path in (("GET", "/admin/events/action/run"), ("POST", refund)):
            crossed = await owner.request(method, path, headers=FOREIGN)
            assert crossed.status_code == 403
        ended = owner.cookies[COOKIE]
        await owner.post(
            "/admin/logout", data={"csrf_token": csrf_token_on(await owner.get("/admin/account"))}
        )
    async with browser(product) as thief:
        thief.cookies.set(COOKIE, ended, domain="127.0.0.1", path="/")
        for _ in range(2):
            sent = await thief.get("/admin/purchases/list")
            assert sent.headers["location"].startswith("/admin/login")
    trail = await product.rows(TRAIL)
    assert [(entry["action"], entry["subject_id"]) for entry in trail[:-1]] == [
        ("page.forbidden", refund),
        ("page.forbidden", f"/admin/purchase/{row['id']}/capture"),
        ("page.forbidden", "/admin/events/action/run"),
        ("page.forbidden", refund),
    ]
    assert trail[-1]["action"] == "staff.session_replayed"
    members = [entry["actor_id"] for entry in trail]
    assert members[0] != members[1]
    assert members[1:] == members[1:2] * 4


async def test_who_asked_does_not_approve_and_the_try_is_on_the_trail(product: Product) -> None:
    other = await enrolled(product, Role.SUPPORT)
    async with signed_in(product, Role.OWNER) as owner:
        asked = await post(
            owner,
            f"/admin/member/{other.staff.id}/roles",
            roles="risk",
            reason="changed_work",
            note="no",
        )
        own = await post(owner, f"{asked.headers['location']}/approve")
        assert own.status_code == 403
    [entry] = await product.rows(TRAIL)
    assert entry["subject_id"] == f"{asked.headers['location']}/approve"
    [row] = await product.rows("SELECT state FROM approval")
    assert row["state"] == "waiting"


async def test_nobody_edits_the_books(product: Product) -> None:
    for table, column in (("journal", "reference"), ("seal", "hash")):
        for change in CHANGES:
            with pytest.raises(DBAPIError, match="permission denied"):
                await product.rows(change.format(table, column=column))


async def test_a_member_is_told_of_what_another_would_have_done(product: Product) -> None:
    grace = await enrolled(product, Role.SUPPORT)
    for agent in ("a browser", "Mozilla/5.0 (Windows NT) Firefox/150 <script>", "a browser"):
        async with browser(product) as client:
            client.headers["User-Agent"] = agent
            await send_password(client, "grace@example.com")
            await product.as_owner("UPDATE staff SET totp_last_step = 0")
            assert (await send_code(client, grace.code())).status_code == 303
    token = await session_of(product, "grace@example.com")
    async with browser(product) as client:
        client.cookies.set(COOKIE, token, domain="127.0.0.1", path="/")
        form = {"current": PASSWORD, "wanted": "another long password"}
        assert (await post(client, "/admin/account/password", **form)).status_code == 303
        await product.as_owner("UPDATE staff SET totp_last_step = 0")
        new = await post(client, "/admin/account/recovery-codes", code=grace.code())
        assert new.status_code == 200
    [device] = await letters(product, "new_device")
    assert device["recipient"] == "grace@example.com"
    assert "Firefox on Windows" in device["text"]
    assert "script" not in device["text"]
    [changed] = await letters(product, "password_changed")
    assert "{office}/admin/" in changed["text"]
    [codes] = await letters(product, "second_step")
    assert codes["subject"] == "You have new back office recovery codes"

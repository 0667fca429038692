"""The second step over HTTP: enrolling, codes used once, recovery codes, guesses, one's account."""

import re
from datetime import UTC, datetime, timedelta

import httpx

from app.domain.identity.one_time_codes import code_of, step_of
from app.domain.identity.states import Role
from tests.back_office import (
    COOKIE,
    PASSWORD,
    browser,
    csrf_token_on,
    enrolled,
    member,
    send_code,
    send_password,
    session_of,
    signed_in,
)
from tests.integration.test_pages_staff import post
from tests.product import Product

NO_HURRY = "UPDATE attempt SET created_at = created_at + interval '20 seconds'"
"""After the third it is one second that has to be waited: a busy machine takes that for a page."""
RECOVERY = re.compile(r"<li><code>([a-z0-9-]+)</code></li>")


async def enrol(client: httpx.AsyncClient) -> tuple[str, list[str], str]:
    """Sign in for the first time, as a person does.

    Give the secret, the recovery codes and the code that was used, which lasts for half a minute.
    """
    asked = await send_password(client, "grace@example.com")
    moved = await client.get(asked.headers["location"])
    assert moved.headers["location"].startswith("/admin/login/enrol")
    page = await client.get(moved.headers["location"])
    assert "<svg" in page.text
    found = re.search(r'class="secret">([A-Z2-7 ]+)</code>', page.text)
    assert found
    secret = found[1].replace(" ", "")
    wrong = await client.post("/admin/login/enrol", data={"code": "000000"})
    assert (wrong.status_code, "not what the authenticator shows" in wrong.text) == (401, True)
    assert secret in wrong.text.replace(" ", "")  # The same secret: one scan is enough.
    used = now_of(secret)
    done = await client.post("/admin/login/enrol", data={"code": used})
    assert done.status_code == 200
    assert done.headers["cache-control"] == "no-store"
    return secret, RECOVERY.findall(done.text), used


def now_of(secret: str, steps: int = 0) -> str:
    return code_of(secret, datetime.now(UTC) + steps * timedelta(seconds=30))


async def test_the_first_sign_in_enrols_and_every_code_works_once(product: Product) -> None:
    await member(product, Role.SUPPORT)
    async with browser(product) as client:
        secret, codes, used = await enrol(client)
        assert (len(codes), len(set(codes))) == (10, 10)
        assert (await client.get("/admin/purchases/list")).status_code == 200
    async with browser(product) as other:
        await send_password(other, "grace@example.com")
        assert (await other.get("/admin/login/enrol")).headers["location"] == "/admin/login/code"
        again = await send_code(other, used)
        assert (again.status_code, "used already" in again.text) == (401, True)
        assert (await send_code(other, now_of(secret, 1))).status_code == 303
    async with browser(product) as third:
        for code, status in ((codes[0].upper().replace("-", " "), 303), (codes[0], 401)):
            await send_password(third, "grace@example.com")
            assert (await send_code(third, code)).status_code == status
    actions = [
        row["action"]
        for row in await product.rows(
            "SELECT action FROM audit_entry WHERE action <> 'staff.add' ORDER BY id"
        )
    ]
    assert actions == [
        *("staff.enrol_totp", "staff.sign_in", "staff.code_failed", "staff.sign_in"),
        *("staff.recovery_code", "staff.sign_in", "staff.code_failed"),
    ]
    kept = await product.rows("SELECT code_hash, used_at FROM recovery_code")
    assert sum(row["used_at"] is not None for row in kept) == 1
    assert all(len(row["code_hash"]) == 32 for row in kept)


async def test_guesses_at_codes_are_slowed_down_and_a_challenge_is_one_members(
    product: Product,
) -> None:
    grace = await enrolled(product, Role.SUPPORT)
    ada = await enrolled(product, Role.OWNER, email="ada@example.com")
    async with browser(product) as client:
        nothing = await send_code(client, grace.code())
        assert nothing.headers["location"] == "/admin/login"
        await send_password(client, "grace@example.com")
        assert (await send_code(client, ada.code())).status_code == 401
        statuses = [(await send_code(client, "123 456")).status_code for _ in range(2)]
        assert statuses == [401, 401]
        await product.as_owner(NO_HURRY)
        late = await send_code(client, grace.code())  # The right code has to wait as well.
        assert late.status_code == 429
        assert int(late.headers["retry-after"]) >= 1
        assert COOKIE not in client.cookies
    async with browser(product) as client:  # Nobody else is kept waiting.
        await send_password(client, "ada@example.com")
        assert (await send_code(client, ada.code())).status_code == 303


async def test_a_code_is_good_for_a_step_before_and_after_and_no_longer(product: Product) -> None:
    grace = await enrolled(product, Role.SUPPORT)
    now = datetime.now(UTC)
    taken = [step_of(grace.secret, grace.code(steps), now) is not None for steps in range(-3, 4)]
    assert taken[2:5] == [True, True, True]
    assert not taken[0]
    assert not taken[6]


async def test_the_demos_members_have_the_demos_secret(product: Product) -> None:
    await member(product, Role.OWNER, email="owner@example.com", demo=True)
    secret = product.settings.demo_secret
    assert secret is not None
    async with browser(product) as client:
        await send_password(client, "owner@example.com")
        assert (await send_code(client, now_of(secret))).status_code == 303


async def test_a_member_ends_their_own_sessions_and_renews_recovery_codes(
    product: Product,
) -> None:
    grace = await enrolled(product, Role.AUDITOR)
    tokens = [await session_of(product, grace.staff.email) for _ in range(3)]
    stranger = await enrolled(product, Role.OWNER, email="ada@example.com")
    theirs = await session_of(product, stranger.staff.email)
    async with browser(product) as client:
        client.cookies.set(COOKIE, tokens[0], domain="127.0.0.1", path="/")
        page = await client.get("/admin/account")
        token = {"csrf_token": csrf_token_on(page)}
        others = re.findall(r'action="(/admin/account/sessions/[^"]+)"', page.text)
        assert len(others) == 2
        assert "this one" in page.text
        assert (await client.post(others[0])).status_code == 403
        assert (await client.post(others[0], data=token)).status_code == 303
        [not_mine] = await product.rows(
            "SELECT id FROM staff_session WHERE staff_id = :id", id=stranger.staff.id
        )
        path = f"/admin/account/sessions/{not_mine['id']}/end"
        assert (await client.post(path, data=token)).status_code == 404
        assert (await client.post("/admin/account/end-others", data=token)).status_code == 303
        wrong = await client.post("/admin/account/recovery-codes", data=token | {"code": "1"})
        assert wrong.status_code == 401
        new = await client.post(
            "/admin/account/recovery-codes", data=token | {"code": grace.code()}
        )
        assert len(RECOVERY.findall(new.text)) == 10
    for kept, alive in ((tokens[0], True), (tokens[1], False), (tokens[2], False), (theirs, True)):
        async with browser(product) as client:
            client.cookies.set(COOKIE, kept, domain="127.0.0.1", path="/")
            assert ((await client.get("/admin/account")).status_code == 200) is alive


async def test_a_reset_authenticator_ends_sessions_and_codes(product: Product) -> None:
    """Two members agree on it, and the next sign-in enrols another one."""
    grace = await enrolled(product, Role.SUPPORT)
    await session_of(product, grace.staff.email)
    why = {"reason": "lost_authenticator", "note": "called from home"}
    async with signed_in(product, Role.ADMIN) as admin, signed_in(product, Role.OWNER) as owner:
        asked = await post(admin, f"/admin/member/{grace.staff.id}/reset-totp", **why)
        done = await post(owner, asked.headers["location"] + "/approve")
        assert done.status_code == 303
    ended = "SELECT 1 FROM staff_session WHERE staff_id = :id AND ended_at IS NULL"
    assert await product.rows(ended, id=grace.staff.id) == []
    async with browser(product) as client:
        secret, _, _ = await enrol(client)
    assert secret != grace.secret


async def test_a_member_changes_their_password_and_other_sessions_end(product: Product) -> None:
    await enrolled(product, Role.AUDITOR)
    async with browser(product) as client, browser(product) as other:
        for one in (client, other):
            token = await session_of(product, "grace@example.com")
            one.cookies.set(COOKIE, token, domain="127.0.0.1", path="/")
        for current, wanted, status, said in (
            ("not this one", "another long password", 401, "this is not it"),
            (PASSWORD, "qwertyuiopasdf", 422, "first that are tried"),
            (PASSWORD, "another long password", 303, ""),
        ):
            form = {"current": current, "wanted": wanted}
            sent = await post(client, "/admin/account/password", **form)
            assert (sent.status_code, said in sent.text) == (status, True)
        assert (await client.get("/admin/account")).status_code == 200
        assert (await other.get("/admin/account")).status_code == 303
        assert (await send_password(other, "grace@example.com")).status_code == 401
        entered = await send_password(other, "grace@example.com", "another long password")
        assert entered.status_code == 303

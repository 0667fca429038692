"""Members of staff on their pages: roles by four eyes, shut out, signed out, another authenticator.

Each through the pages that staff use.
"""

from contextlib import AsyncExitStack

import httpx

from app.domain.identity.models import Staff
from app.domain.identity.states import Role
from tests.back_office import csrf_token_on, member, signed_in
from tests.product import Product

REASON = {"reason": "changed_work", "note": "moves to finance"}


async def post(client: httpx.AsyncClient, path: str, **form: object) -> httpx.Response:
    """Send a form of a page that is open in this browser."""
    page = await client.get("/admin/approvals/list")
    return await client.post(path, data={"csrf_token": csrf_token_on(page), **form})


async def asked_for(client: httpx.AsyncClient, who: Staff, *roles: str) -> str:
    """Ask for other roles of a member; give the address of the request."""
    sent = await post(client, f"/admin/member/{who.id}/roles", roles=list(roles), **REASON)
    assert sent.status_code == 303, sent.text
    return sent.headers["location"]


async def test_roles_change_once_another_member_approves(product: Product) -> None:
    grace = await member(product, Role.SUPPORT)
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(signed_in(product, Role.ADMIN))
        owner = await stack.enter_async_context(signed_in(product, Role.OWNER))
        support = await stack.enter_async_context(signed_in(product, Role.SUPPORT))
        request = await asked_for(admin, grace, "support", "finance")
        mine = await admin.get(request)
        assert "Another member has to decide" in mine.text
        assert "Approve:" not in mine.text
        own = await post(admin, f"{request}/approve")
        assert (own.status_code, "You asked for this yourself" in own.text) == (403, True)
        assert (await post(support, f"{request}/approve")).status_code == 403
        menu = (await owner.get("/admin/approvals/list?state=waiting")).text
        assert '<span class="count">1</span>' in menu
        seen = await owner.get(request)
        assert "finance, support" in seen.text
        assert "moves to finance" in seen.text
        assert (await post(owner, f"{request}/approve")).status_code == 303
        assert (await post(owner, f"{request}/approve")).status_code == 409
    [row] = await product.rows("SELECT roles FROM staff WHERE id = :id", id=grace.id)
    assert row["roles"] == ["finance", "support"]
    [entry] = await product.rows("SELECT * FROM audit_entry WHERE action = 'staff.roles'")
    assert (entry["before"], entry["after"]) == (
        {"roles": ["support"]},
        {"roles": ["finance", "support"]},
    )
    assert (entry["reason_code"], entry["reason"]) == ("changed_work", "moves to finance")
    assert entry["address"] == "127.0.0.1"


async def test_what_is_wrong_is_said_at_the_form_and_changes_nothing(product: Product) -> None:
    grace = await member(product, Role.SUPPORT)
    path = f"/admin/member/{grace.id}/roles"
    async with signed_in(product, Role.ADMIN) as admin:
        for form, said in (
            ({"roles": ["finance"], "note": "x"}, "Reason: choose"),
            ({"roles": ["finance"], "reason": "uncollectible", "note": "x"}, "Reason: choose"),
            ({"roles": ["finance"], "reason": "other", "note": " "}, "Note: say why"),
            ({"roles": [], **REASON}, "Roles: choose one or more"),
            ({"roles": ["king"], **REASON}, "Roles: choose among"),
            ({"roles": ["support"], **REASON}, "already"),
        ):
            refused = await post(admin, path, **form)
            assert (refused.status_code, said in refused.text) == (422, True), form
        await asked_for(admin, grace, "finance")
        again = await post(admin, path, roles=["risk"], **REASON)
        assert (again.status_code, "asked for already" in again.text) == (409, True)
    assert await product.rows("SELECT 1 FROM audit_entry WHERE action = 'staff.roles'") == []


async def test_an_owner_decides_about_owners_and_one_has_to_be_left(product: Product) -> None:
    grace = await member(product, Role.SUPPORT)
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(signed_in(product, Role.ADMIN))
        second = await stack.enter_async_context(signed_in(product, Role.ADMIN, Role.RISK))
        owner = await stack.enter_async_context(signed_in(product, Role.OWNER))
        made = await asked_for(admin, grace, "owner")
        refused = await post(second, f"{made}/approve")
        assert (refused.status_code, "an owner has to decide" in refused.text) == (403, True)
        [first] = await product.rows("SELECT id FROM staff WHERE email = 'owner@example.com'")
        unmade = await asked_for(admin, Staff(id=first["id"]), "support")
        about_oneself = await post(owner, f"{unmade}/approve")
        assert (about_oneself.status_code, "This is about you" in about_oneself.text) == (403, True)
        assert (await post(owner, f"{made}/refuse")).status_code == 422
        assert (await post(owner, f"{made}/refuse", note="no")).status_code == 303
        out = f"/admin/member/{first['id']}/disable"
        last = await post(admin, out, reason="left", note="left")
        assert (last.status_code, "the only owner" in last.text) == (409, True)
        assert (await post(admin, f"{unmade}/withdraw")).status_code == 303


async def test_a_member_is_signed_out_then_shut_out(product: Product) -> None:
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(signed_in(product, Role.ADMIN))
        support = await stack.enter_async_context(signed_in(product, Role.SUPPORT))
        [row] = await product.rows("SELECT id FROM staff WHERE email = 'support@example.com'")
        page = await admin.get(f"/admin/member/{row['id']}")
        assert "End all sessions" in page.text
        path = f"/admin/member/{row['id']}"
        assert (await support.get("/admin/approvals/list")).status_code == 200
        ended = await post(admin, f"{path}/end-sessions", reason="policy", note="a lost laptop")
        assert ended.status_code == 303
        assert (await support.get("/admin/approvals/list")).status_code == 303
        out = await post(admin, f"{path}/disable", reason="left", note="last day")
        assert out.status_code == 303
        twice = await post(admin, f"{path}/disable", reason="left", note="last day")
        assert twice.status_code == 409
        assert "staff.disable" in (await admin.get(path)).text
    [row] = await product.rows("SELECT state FROM staff WHERE email = 'support@example.com'")
    assert row["state"] == "disabled"

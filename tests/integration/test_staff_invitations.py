"""Whoever is invited to the staff comes in by a link that works once, and is told otherwise."""

from contextlib import AsyncExitStack

import httpx

from app.domain.identity.states import Role
from tests.acting import field_problem, opened
from tests.back_office import PASSWORD, browser, csrf_token_on, signed_in
from tests.product import Product

JOIN = "/admin/login/join"
SECRETS = "SELECT secret FROM mail WHERE kind = 'staff_invitation' ORDER BY id"


async def test_a_newcomer_comes_in_once_by_the_latest_link(product: Product) -> None:
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(signed_in(product, Role.ADMIN))
        owner = await stack.enter_async_context(signed_in(product, Role.OWNER))
        form = await opened(admin, "invite-member", "new")
        typed = {"email": "nora@example.com", "name": "Nora New", "roles": "owner"}
        for field, wrong in (("email", "nora"), ("name", " "), ("email", "owner@example.com")):
            assert field_problem(await form.send(**typed | {field: wrong}), field)
        place = (await form.send(**typed)).headers["location"].partition("?")[0]
        token = csrf_token_on(await owner.get(place))
        approved = await owner.post(f"{place}/approve", data={"csrf_token": token})
        assert approved.status_code == 303
        [member] = await product.rows("SELECT id FROM staff WHERE email = 'nora@example.com'")
        again = await opened(admin, "invite-again", member["id"])
        assert (await again.send()).status_code == 303
        old, latest = [row["secret"] for row in await product.rows(SECRETS)]
        nora = await stack.enter_async_context(browser(product))
        assert (await nora.get(JOIN, params={"token": old})).status_code == 410
        assert "Nora New" in (await nora.get(JOIN, params={"token": latest})).text
        assert (await chosen(nora, latest, PASSWORD, "another password")).status_code == 422
        assert (await chosen(nora, latest, "short", "short")).status_code == 422
        done = await chosen(nora, latest, PASSWORD, PASSWORD)
        assert done.headers["location"] == "/admin/login/code"
        assert "Enrol an authenticator" in (await nora.get("/admin/login/enrol")).text
        assert (await chosen(nora, latest, PASSWORD, PASSWORD)).status_code == 410
        refused = await admin.get(f"/admin/act/invite-again/{member['id']}")
        assert "Nora New has a password already." in refused.text


async def chosen(client: httpx.AsyncClient, token: str, one: str, two: str) -> httpx.Response:
    return await client.post(JOIN, data={"token": token, "password": one, "again": two})

"""Who may see and do what: every role at every list, and what support does not see."""

import pytest

from app.admin.catalogue import VIEWS
from app.domain.identity.states import Role
from tests.back_office import browser, csrf_token_on, signed_in
from tests.product import Product
from tests.situations import holder
from tests.waiting import until

ROUTINE = {
    *("purchases", "declines", "requests", "cards", "customers", "sources"),
    *("charges", "transactions", "events"),
}
SYSTEM = {"jobs", "job-log", "staff", "audit"}
SEEN = {
    Role.SUPPORT: ROUTINE,
    Role.FINANCE: ROUTINE | {"prices"},
    Role.RISK: ROUTINE,
    Role.ADMIN: ROUTINE | {"prices"} | SYSTEM,
    Role.AUDITOR: ROUTINE | {"prices"} | SYSTEM,
    Role.OWNER: ROUTINE | {"prices"} | SYSTEM,
}


async def test_each_role_opens_its_lists_and_no_other(product: Product) -> None:
    assert {view.identity for view in VIEWS} == SEEN[Role.OWNER]
    for role in Role:
        await check_lists(product, role)


async def check_lists(product: Product, role: Role) -> None:
    lists = SEEN[Role.OWNER]
    async with signed_in(product, role) as client:
        answers = {name: await client.get(f"/admin/{name}/list") for name in sorted(lists)}
        record = await client.get("/admin/staff/details/00000000-0000-0000-0000-000000000000")
    assert {name for name, r in answers.items() if r.status_code == 200} == SEEN[role]
    assert {r.status_code for name, r in answers.items() if name not in SEEN[role]} <= {403}
    assert record.status_code == (404 if "staff" in SEEN[role] else 403)
    menu = answers["purchases"].text
    assert {name for name in lists if f'href="/admin/{name}/list"' in menu} == SEEN[role]


async def test_roles_add_up(product: Product) -> None:
    async with signed_in(product, Role.SUPPORT, Role.FINANCE) as client:
        assert (await client.get("/admin/prices/list")).status_code == 200


async def test_nobody_sees_anything_without_signing_in(product: Product) -> None:
    async with browser(product) as client:
        for view in VIEWS:
            for path in ("list", "details/1"):
                response = await client.get(f"/admin/{view.identity}/{path}")
                assert response.status_code == 303
                assert response.headers["location"].startswith("/admin/login?next=")


async def test_support_sees_e_mail_addresses_masked_in_the_list(product: Product) -> None:
    await holder(product, email="ada@example.com")
    for role in (Role.SUPPORT, Role.FINANCE):
        async with signed_in(product, role) as client:
            page = (await client.get("/admin/customers/list")).text
        assert ("ada@example.com" in page) is (role is Role.FINANCE)
        assert ("a•••@e•••.com" in page) is (role is Role.SUPPORT)


FAIL = "UPDATE inbound_event SET state = 'failed', attempts = 8, failure = 'X' RETURNING id"


async def failed_event(product: Product) -> str:
    """Leave one event that has failed for good, and give its id."""
    await holder(product)
    await product.settled()
    async with product.parts.sessions.begin() as session:
        connection = await session.connection()
        found = await connection.exec_driver_sql(FAIL)
        return str(found.scalars().first())


@pytest.mark.parametrize("role", [Role.RISK, Role.AUDITOR, Role.ADMIN, Role.OWNER])
async def test_a_failed_event_runs_again_for_admins_with_a_reason(
    product: Product, role: Role
) -> None:
    event = await failed_event(product)
    may = role in {Role.ADMIN, Role.OWNER}
    path = f"/admin/events/run-again/{event}"
    async with signed_in(product, role) as client:
        page = await client.get(f"/admin/events/details/{event}")
        assert ("Reason, for the trail" in page.text) is may
        token = csrf_token_on(page)
        unsaid = await client.post(path, data={"csrf_token": token, "reason": " "})
        forged = await client.post(path, data={"csrf_token": "1" * 64, "reason": "again"})
        done = await client.post(path, data={"csrf_token": token, "reason": "Stripe was down"})
    assert unsaid.status_code == (422 if may else 403)
    assert forged.status_code == 403
    assert done.status_code == (303 if may else 403)
    trail = await product.rows(
        "SELECT actor_kind, subject_id, reason FROM audit_entry WHERE action = 'event.run_again'"
    )
    if not may:
        assert trail == []
        return
    assert trail == [{"actor_kind": "staff", "subject_id": event, "reason": "Stripe was down"}]

    async def processed() -> bool:
        state = "SELECT state FROM inbound_event WHERE id = CAST(:id AS uuid)"
        [row] = await product.rows(state, id=event)
        return bool(row["state"] in {"done", "ignored"})

    await until(processed, why="the event was processed again")

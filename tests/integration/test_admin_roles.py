"""Who may see and do what: every role at every list, and what support does not see."""

import pytest

from app.admin.catalogue import VIEWS
from app.domain.identity.states import Role
from tests.acting import opened
from tests.back_office import signed_in
from tests.product import Product
from tests.situations import holder
from tests.waiting import until

ROUTINE = {
    *("purchases", "declines", "requests", "cards", "customers", "sources"),
    *("charges", "transactions", "events", "mails", "rules", "allowances"),
    *("refunds", "receivables", "journals", "approvals"),
}
TOTALS = {"differences", "prices", "entries", "balance-transactions"}

SYSTEM = {"jobs", "job-log", "orders", "regular-jobs", "staff", "audit"}
SEEN = {
    Role.SUPPORT: ROUTINE,
    Role.FINANCE: ROUTINE | TOTALS,
    Role.RISK: ROUTINE,
    Role.ADMIN: ROUTINE | TOTALS | SYSTEM,
    Role.AUDITOR: ROUTINE | TOTALS | SYSTEM,
    Role.OWNER: ROUTINE | TOTALS | SYSTEM,
}


async def test_the_menu_shows_each_role_its_lists_and_no_other(product: Product) -> None:
    lists = {view.identity for view in VIEWS}
    assert lists == SEEN[Role.OWNER]
    for role in Role:
        async with signed_in(product, role) as client:
            menu = (await client.get("/admin/purchases/list")).text
        assert {name for name in lists if f'href="/admin/{name}/list' in menu} == SEEN[role]


async def test_roles_add_up(product: Product) -> None:
    async with signed_in(product, Role.SUPPORT, Role.FINANCE) as client:
        assert (await client.get("/admin/prices/list")).status_code == 200


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
    path = f"/admin/act/run-event-again/{event}"
    async with signed_in(product, role) as client:
        record = await client.get(f"/admin/events/details/{event}")
        assert (path in record.text) is may
        if may:
            form = await opened(client, "run-event-again", event)
            unsaid = await form.send(note=" ")
            forged = await form.send(csrf_token="1" * 64)
            done = await form.send(note="Stripe was down")
            assert [sent.status_code for sent in (unsaid, forged, done)] == [422, 403, 303]
        else:
            assert (await client.get(path)).status_code == 403
            assert (await client.post(path, data={"sure": "yes"})).status_code == 403
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

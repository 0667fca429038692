"""The trail: sealed, append-only, and told of reads and refusals as well as of changes."""

import hashlib
import json
import re

import pytest
from sqlalchemy.exc import ProgrammingError

from app.domain.identity.audit_sealing import TRAIL
from app.domain.identity.states import Role
from app.jobs.staff_jobs import seal_trail
from tests.back_office import member, signed_in
from tests.books import all_written
from tests.integration.test_pages_staff import post
from tests.product import Product
from tests.situations import holder

ONE = "id = (SELECT min(id::text) FROM audit_entry)::uuid"
CHANGED = "is not what it was"
FORGED = (
    "INSERT INTO audit_entry (id, actor_kind, action, subject_kind, subject_id, transaction_id)"
    " SELECT gen_random_uuid(), 'staff', 'staff.roles', 'staff', '1', transaction_id"
    " FROM audit_entry ORDER BY transaction_id LIMIT 1"
)
OFF = (
    "ALTER TABLE audit_entry DISABLE TRIGGER append_only;"
    "ALTER TABLE audit_seal DISABLE TRIGGER append_only"
)
TAMPERED = {
    "UPDATE audit_entry SET actor_id = gen_random_uuid() WHERE {one}": CHANGED,
    "UPDATE audit_entry SET after = '[\"owner\"]' WHERE {one}": CHANGED,
    "UPDATE audit_entry SET reason = 'another' WHERE {one}": CHANGED,
    "UPDATE audit_entry SET created_at = created_at - interval '1 us' WHERE {one}": CHANGED,
    "DELETE FROM audit_entry WHERE {one}": "are there",
    FORGED: "1 entries were added",
    "DELETE FROM audit_seal WHERE number = 1": "a seal was taken away",
}


async def broken(product: Product) -> str | None:
    async with product.parts.sessions() as session:
        return await TRAIL.first_difference(session)


async def test_tampering_is_found_even_by_the_database_s_owner(product: Product) -> None:
    for n in range(2):
        await member(product, Role.SUPPORT, email=f"member{n}@example.com")
        await all_written(product)
        assert re.match(r"[1-9]\d* entries sealed", await seal_trail(product.parts.sessions))
    assert await broken(product) is None
    for tampering, said in TAMPERED.items():
        found = await _after(product, f"{OFF};{tampering.format(one=ONE)}")
        assert found is not None, tampering
        assert said in found, tampering


async def _after(product: Product, statement: str) -> str | None:
    """Tamper as the owner, see what verifying says, and undo it."""
    await product.as_owner(
        "DROP TABLE IF EXISTS kept_entry, kept_seal;"
        "CREATE TABLE kept_entry AS TABLE audit_entry; CREATE TABLE kept_seal AS TABLE audit_seal;"
    )
    await product.as_owner(statement)
    found = await broken(product)
    await product.as_owner(
        "DELETE FROM audit_entry; INSERT INTO audit_entry SELECT * FROM kept_entry;"
        "DELETE FROM audit_seal;"
        "INSERT INTO audit_seal OVERRIDING SYSTEM VALUE SELECT * FROM kept_seal;"
    )
    assert await broken(product) is None
    return found


async def test_the_hash_can_be_computed_by_anybody(product: Product) -> None:
    """Written down here once more, from the description and not from the code."""
    await member(product, Role.SUPPORT)
    await all_written(product)
    await seal_trail(product.parts.sessions)
    moment = "to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"+00:00\"')"
    [one] = await product.rows("SELECT * FROM audit_seal")
    rows = await product.rows(
        f"SELECT id::text, {moment} AS created_at, actor_kind, actor_id::text, action,"  # noqa: S608
        " subject_kind, subject_id, before, after, reason_code, reason, address, request_id,"
        ' transaction_id FROM audit_entry ORDER BY transaction_id, id::text COLLATE "C"'
    )
    assert rows
    text = f"{'0' * 64}\n{one['from_transaction']}\n{one['until_transaction']}\n" + "".join(
        json.dumps(list(row.values()), separators=(",", ":"), sort_keys=True) + "\n" for row in rows
    )
    assert hashlib.sha256(text.encode()).hexdigest() == one["hash"]


async def test_a_refused_page_and_a_read_of_personal_data_are_on_the_trail(
    product: Product,
) -> None:
    ada = await holder(product, email="ada@example.com")
    record = f"/admin/customers/details/{ada.customer.id}"
    async with signed_in(product, Role.SUPPORT) as support:
        assert (await support.get("/admin/audit/list")).status_code == 403
        forbidden = await post(support, f"/admin/member/{ada.customer.id}/disable")
        assert forbidden.status_code == 403
        assert "ada@example.com" not in (await support.get(record)).text
        await support.get("/admin/customers/list")
    async with signed_in(product, Role.FINANCE) as finance:
        assert "ada@example.com" in (await finance.get(record)).text
        await finance.get("/admin/customers/list?state=active")
    trail = await product.rows(
        "SELECT action, subject_kind, subject_id, after, request_id FROM audit_entry"
        " WHERE action LIKE '%.read' OR action = 'page.forbidden' ORDER BY id"
    )
    assert all(row.pop("request_id") for row in trail)
    customer = {"subject_kind": "customer", "subject_id": str(ada.customer.id), "after": None}
    refusals = [(row["subject_id"], row["after"]["method"]) for row in trail[:2]]
    assert refusals == [
        ("/admin/audit/list", "GET"),
        (f"/admin/member/{ada.customer.id}/disable", "POST"),
    ]
    assert trail[2] == trail[3] == {"action": "customer.read", **customer}
    assert trail[4]["after"] == {"rows": 1, "query": "state=active"}


CHANGES = ("UPDATE {} SET {column} = {column}", "DELETE FROM {}", "TRUNCATE {}")


@pytest.mark.parametrize(("table", "column"), [("audit_entry", "reason"), ("audit_seal", "hash")])
async def test_the_application_cannot_change_the_trail(
    product: Product, table: str, column: str
) -> None:
    await member(product, Role.SUPPORT)
    await all_written(product)
    await seal_trail(product.parts.sessions)
    for statement in CHANGES:
        with pytest.raises(ProgrammingError, match="permission denied"):
            await product.rows(statement.format(table, column=column))


async def test_the_trail_is_filtered(product: Product) -> None:
    grace = await member(product, Role.SUPPORT)
    async with signed_in(product, Role.ADMIN) as admin:
        await post(
            admin, f"/admin/member/{grace.id}/end-sessions", reason="policy", note="at night"
        )
        [row] = await product.rows("SELECT id FROM staff WHERE email = 'admin@example.com'")
        for query, shown in (
            (f"member={row['id']}", True),
            (f"member={grace.id}", False),
            ("why=policy", True),
            ("why=goodwill", False),
            ("search=staff.end_sessions", True),
            (f"search={grace.id}", True),
            ("by=cli", False),
        ):
            page = await admin.get(f"/admin/audit/list?{query}")
            assert ("at night" in page.text) is shown, query
        unknown = await admin.get("/admin/audit/list?why=because")
        assert "is not one of the choices" in unknown.text

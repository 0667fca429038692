"""Every page and action of the back office for every role, signed out, and set off by another site.

What is right is written in tests/permissions.txt.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from app.admin.approvals.kinds import KINDS
from app.admin.forms import token_for
from app.domain.identity.staff_models import Approval
from app.domain.identity.states import ApprovalState, Role
from tests.back_office import browser, member, signed_in
from tests.permissions import NOTHING, PUBLIC, Place, places, written
from tests.product import Product

ARGUMENTS: dict[str, Any] = {
    "name": "Grace",
    "email": "grace@example.com",
    "before": ["support"],
    "after": ["risk"],
    "customer": "Ada",
    "outstanding_minor": 100,
    "merchant": "Blue Bottle",
    "principal_minor": 100,
    "fee_minor": 5,
    "amount_minor": 6_000,
    "statement": "ADA 4711",
}
"""What the requests for approval tell on their pages, of all kinds together."""


async def requests_for_approval(product: Product) -> dict[str, UUID]:
    """Leave a request of each kind that is over: deciding it changes nothing."""
    asker = await member(product, Role.RISK, email="asker@example.com")
    made = {}
    begun = datetime.now(UTC) - timedelta(hours=25)
    async with product.parts.sessions.begin() as session:
        for kind in KINDS:
            wanted = Approval(
                kind=kind,
                subject_kind="staff",
                subject_id=NOTHING,
                arguments=ARGUMENTS,
                reason_code="other",
                note="a test",
                state=ApprovalState.WAITING,
                requested_by=asker.id,
                created_at=begun,
                expires_at=begun + timedelta(hours=24),
            )
            session.add(wanted)
            await session.flush()
            made[kind] = wanted.id
    return made


async def ask(client: httpx.AsyncClient, place: Place, form: dict[str, str]) -> httpx.Response:
    if place.method == "GET":
        return await client.get(f"/admin{place.path}")
    return await client.request(place.method, f"/admin{place.path}", data=form)


async def test_every_role_may_do_what_is_written_and_nothing_else(product: Product) -> None:
    right = written()
    found = list(places(product.parts, await requests_for_approval(product)))
    wrong = []
    for role in Role:
        async with signed_in(product, role) as client:
            form = {"csrf_token": await token_of(product, role)}
            for place in found:
                if PUBLIC in right[place.name]:
                    continue
                status = (await ask(client, place, form)).status_code
                if status >= 500 or (status != 403) is not (role in right[place.name]):
                    wrong.append(f"{place.name}: {role} gets {status}")
    assert wrong == []


async def test_signed_out_nobody_gets_in_and_no_other_site_sets_anything_off(
    product: Product,
) -> None:
    right = written()
    found = list(places(product.parts, await requests_for_approval(product)))
    async with browser(product) as visitor:
        for place in found:
            if PUBLIC not in right[place.name]:
                sent = await ask(visitor, place, {})
                assert sent.status_code == 303, place
                assert sent.headers["location"].startswith("/admin/login"), place
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    async with signed_in(product, Role.OWNER) as owner:
        owner.headers.update(foreign)
        form = {"csrf_token": await token_of(product, Role.OWNER)}
        for place in found:
            if place.method != "GET":
                refused = await ask(owner, place, form)
                assert refused.status_code == 403, place
                assert "started from a page of the back office" in refused.text, place


async def token_of(product: Product, role: Role) -> str:
    """Give the token that forms of a role's session carry, so that only roles are refused."""
    [row] = await product.rows(
        "SELECT one.id FROM staff_session AS one JOIN staff ON staff.id = one.staff_id"
        " WHERE staff.email = :email",
        email=f"{role}@example.com",
    )
    return token_for(product.settings.secret_key, row["id"])

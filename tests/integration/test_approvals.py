"""Four eyes: what one member of staff asks for, another one approves, within a day."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.identity.approvals import (
    AskedAlready,
    DecidedAlready,
    OwnRequest,
    approve,
    ask,
    count_waiting,
    expire_old,
    refuse,
    waiting_about,
    withdraw,
)
from app.domain.identity.audit import Actor, Subject
from app.domain.identity.models import Staff
from app.domain.identity.reasons import Reason
from app.domain.identity.staff_models import Approval
from app.domain.identity.states import ApprovalState, Role
from app.domain.states import IllegalMove
from tests.back_office import member
from tests.product import Product

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(hours=24)
WHAT = Subject("receivable", "one of them")


async def done(_: AsyncSession, wanted: Approval, by: Actor) -> dict[str, Any]:
    return {"amount_minor": wanted.arguments["amount_minor"], "by": str(by.id)}


async def moved_on(_: AsyncSession, __: Approval, ___: Actor) -> dict[str, Any]:
    raise IllegalMove("the debt is collected already")


async def asked(product: Product, by: Staff, now: datetime = NOW) -> Approval:
    async with product.parts.sessions.begin() as session:
        return await ask(
            session,
            "receivable.write_off",
            subject=WHAT,
            arguments={"amount_minor": 5_001},
            reason=Reason("uncollectible", "bankrupt"),
            by=acting(by),
            now=now,
        )


def acting(who: Staff) -> Actor:
    return Actor("staff", who.id, "203.0.113.7", "a request")


async def approved(
    product: Product, wanted: Approval, by: Staff, now: datetime = NOW, execute: Any = done
) -> Approval:
    executors = {"receivable.write_off": execute}
    async with product.parts.sessions.begin() as session:
        return await approve(session, wanted.id, executors=executors, by=acting(by), now=now)


async def test_another_member_approves_and_the_trail_tells_all_of_it(product: Product) -> None:
    ada = await member(product, Role.FINANCE, email="ada@example.com")
    bob = await member(product, Role.FINANCE, email="bob@example.com")
    wanted = await asked(product, ada)
    with pytest.raises(AskedAlready):
        await asked(product, bob)
    with pytest.raises(OwnRequest):
        await approved(product, wanted, ada)
    with pytest.raises(IllegalMove):
        await approved(product, wanted, bob, execute=moved_on)
    async with product.parts.sessions() as session:
        assert await count_waiting(session, NOW) == 1
        assert [one.id for one in await waiting_about(session, WHAT, NOW)] == [wanted.id]
    after = await approved(product, wanted, bob)
    assert (after.state, after.decided_by) == (ApprovalState.APPROVED, bob.id)
    with pytest.raises(DecidedAlready):
        await approved(product, wanted, bob)
    trail = await product.rows(
        "SELECT action, actor_id, reason_code, reason, after FROM audit_entry"
        " WHERE subject_kind = 'approval' ORDER BY id"
    )
    assert [(row["action"], row["actor_id"]) for row in trail] == [
        ("approval.ask", ada.id),
        ("approval.approve", bob.id),
    ]
    assert (trail[0]["reason_code"], trail[0]["reason"]) == ("uncollectible", "bankrupt")
    assert trail[0]["after"]["arguments"] == {"amount_minor": 5_001}
    assert trail[1]["after"] == {"amount_minor": 5_001, "by": str(bob.id)}
    assert await asked(product, ada)  # The next one may be asked for now.


async def test_it_is_open_for_a_day(product: Product) -> None:
    ada = await member(product, Role.FINANCE, email="ada@example.com")
    bob = await member(product, Role.FINANCE, email="bob@example.com")
    late = await asked(product, ada)
    with pytest.raises(DecidedAlready, match="expired"):
        await approved(product, late, bob, NOW + DAY)
    again = await asked(product, ada, NOW + DAY)
    assert await approved(product, again, bob, NOW + DAY + timedelta(hours=23))
    third = await asked(product, ada, NOW + 3 * DAY)
    async with product.parts.sessions.begin() as session:
        assert await count_waiting(session, NOW + 4 * DAY) == 0
        assert await expire_old(session, NOW + 4 * DAY) == 1
        states = await session.scalars(text("SELECT state FROM approval ORDER BY created_at, id"))
        assert list(states) == ["expired", "approved", "expired"]
        assert third.id


async def test_it_is_refused_by_another_or_withdrawn_by_who_asked(product: Product) -> None:
    ada = await member(product, Role.FINANCE, email="ada@example.com")
    bob = await member(product, Role.FINANCE, email="bob@example.com")
    for say in ("no", "never mind"):
        wanted = await asked(product, ada)
        async with product.parts.sessions.begin() as session:
            with pytest.raises(OwnRequest):
                await refuse(session, wanted.id, note=say, by=acting(ada), now=NOW)
            with pytest.raises(OwnRequest):
                await withdraw(session, wanted.id, by=acting(bob), now=NOW)
        async with product.parts.sessions.begin() as session:
            if say == "no":
                await refuse(session, wanted.id, note=say, by=acting(bob), now=NOW)
            else:
                await withdraw(session, wanted.id, by=acting(ada), now=NOW)
    states = await product.rows("SELECT state, decision_note FROM approval ORDER BY id")
    assert [tuple(row.values()) for row in states] == [("refused", "no"), ("withdrawn", None)]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("decided_by = requested_by, state = 'approved', decided_at = created_at", "four_eyes"),
        ("state = 'approved', decided_at = created_at", "decided_in_time"),
        ("state = 'approved', decided_by = :bob, decided_at = expires_at", "decided_in_time"),
        ("expires_at = created_at + interval '25 hours'", "a_day"),
    ],
)
async def test_the_database_itself_wants_four_eyes_in_a_day(
    product: Product, change: str, rule: str
) -> None:
    ada = await member(product, Role.FINANCE, email="ada@example.com")
    bob = await member(product, Role.FINANCE, email="bob@example.com")
    await asked(product, ada)
    given = {"bob": bob.id} if ":bob" in change else {}
    async with product.parts.sessions.begin() as session:
        with pytest.raises(IntegrityError, match=f"ck_approval_{rule}"):
            await session.execute(text(f"UPDATE approval SET {change}"), given)  # noqa: S608
        await session.rollback()

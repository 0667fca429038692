"""What was paid to a customer from our bank account, which two have to agree on."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.admin.approvals.kind import Execute, Kind
from app.admin.approvals.refunds import settle
from app.domain.identity.audit import Actor
from app.domain.identity.reasons import Reason
from app.domain.identity.staff_models import Approval
from app.domain.issuing.goodwill import wait_until_free
from app.domain.issuing.models import Authorization
from app.domain.issuing.paid_back import debt_paid_back, refund_paid_outside
from app.money import readable
from app.parts import Parts

REFUND_PAID_KIND = "refund.outside"
DEBT_PAID_BACK_KIND = "receivable.back"


def _executing(note: Callable[..., Awaitable[None]]) -> Execute:
    async def execute(
        parts: Parts, session: AsyncSession, asked: Approval, by: Actor
    ) -> dict[str, Any]:
        paid = asked.arguments["amount_minor"]
        await wait_until_free(parts.sessions, UUID(asked.arguments["purchase"]))
        await note(
            session,
            UUID(asked.subject_id),
            paid,
            actor=by,
            why=Reason(asked.reason_code, asked.note),
            now=parts.clock.now(),
            wall=datetime.now(UTC),
        )
        return {"paid_minor": paid}

    return execute


async def _settle(parts: Parts, asked: Approval) -> None:
    async with parts.sessions() as session:
        purchase = await session.get_one(Authorization, UUID(asked.arguments["purchase"]))
    await settle(parts, purchase.stripe_authorization_id)


def _kind(title: str, view: str, note: Callable[..., Awaitable[None]]) -> Kind:
    return Kind(
        title=title,
        view=view,
        href=f"/admin/{view}/details/{{id}}",
        describe=lambda asked: [
            ("Customer", asked.arguments["customer"]),
            ("Amount", readable(asked.arguments["amount_minor"])),
            ("On our statement", asked.arguments["statement"]),
            ("Effect", "It is owed to the customer no longer: it left the bank's account."),
        ],
        execute=_executing(note),
        afterwards=_settle,
    )


PAID_BACK_KINDS: Mapping[str, Kind] = {
    REFUND_PAID_KIND: _kind("Refund paid another way", "refunds", refund_paid_outside),
    DEBT_PAID_BACK_KIND: _kind("Debt paid back to the customer", "receivables", debt_paid_back),
}

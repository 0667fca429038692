"""What about money two have to agree on: debts that are given up."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.admin.approvals.kind import Kind
from app.domain.funding.receivables import give_up, pay_outside
from app.domain.identity.audit import Actor
from app.domain.identity.reasons import Reason
from app.domain.identity.staff_models import Approval
from app.money import readable
from app.parts import Parts

WRITE_OFF_KIND = "receivable.write_off"
PAID_OUTSIDE_KIND = "receivable.outside"


async def _write_off(
    parts: Parts, session: AsyncSession, asked: Approval, by: Actor
) -> dict[str, Any]:
    debt = await give_up(
        session,
        UUID(asked.subject_id),
        actor=by,
        now=parts.clock.now(),
        reason=asked.note,
        code=asked.reason_code,
        most_minor=asked.arguments["outstanding_minor"],
    )
    return {"written_off_minor": debt.outstanding_minor}


async def _paid_outside(
    parts: Parts, session: AsyncSession, asked: Approval, by: Actor
) -> dict[str, Any]:
    debt = await pay_outside(
        session,
        UUID(asked.subject_id),
        actor=by,
        now=parts.clock.now(),
        reason=Reason(asked.reason_code, asked.note),
        expected_minor=asked.arguments["outstanding_minor"],
    )
    return {"paid_minor": debt.outstanding_minor}


MONEY_KINDS: Mapping[str, Kind] = {
    WRITE_OFF_KIND: Kind(
        title="Write-off of a debt",
        view="receivables",
        href="/admin/receivables/details/{id}",
        describe=lambda asked: [
            ("Customer", asked.arguments["customer"]),
            ("Amount", readable(asked.arguments["outstanding_minor"])),
            ("Effect", "The debt is closed as our loss; its amount is bad debt in the books."),
        ],
        execute=_write_off,
    ),
    PAID_OUTSIDE_KIND: Kind(
        title="Debt paid outside Stripe",
        view="receivables",
        href="/admin/receivables/details/{id}",
        describe=lambda asked: [
            ("Customer", asked.arguments["customer"]),
            ("Amount", readable(asked.arguments["outstanding_minor"])),
            ("On our statement", asked.arguments["statement"]),
            ("Effect", "The debt is closed as paid, and its amount is on the bank's account."),
        ],
        execute=_paid_outside,
    ),
}

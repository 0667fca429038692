"""A refund above the limit, which two have to agree on."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.admin.approvals.kind import Kind
from app.domain.identity.audit import Actor
from app.domain.identity.reasons import Reason
from app.domain.identity.staff_models import Approval
from app.domain.issuing.goodwill import Moved, give_goodwill, moved_of, wait_until_free
from app.domain.issuing.models import Authorization
from app.money import readable
from app.parts import Parts

log = structlog.get_logger()

REFUND_KIND = "purchase.refund"


async def settle(parts: Parts, purchase: str) -> None:
    """Settle a purchase at once. What fails is left to the sweep, which comes every second."""
    try:
        await parts.settler.settle(purchase)
    except Exception:
        log.exception("not_settled_at_once", authorization=purchase)


async def _refund(
    parts: Parts, session: AsyncSession, asked: Approval, by: Actor
) -> dict[str, Any]:
    principal, fee = asked.arguments["principal_minor"], asked.arguments["fee_minor"]
    await wait_until_free(parts.sessions, UUID(asked.subject_id))
    await give_goodwill(
        session,
        UUID(asked.subject_id),
        (principal, fee),
        seen=_seen(asked),
        actor=by,
        why=Reason(asked.reason_code, asked.note),
        now=parts.clock.now(),
        wall=datetime.now(UTC),
    )
    return {"principal_minor": principal, "fee_minor": fee}


async def _changed(session: AsyncSession, asked: Approval) -> str:
    changed = _seen(asked).changed_to(await moved_of(session, UUID(asked.subject_id)))
    return changed and f"{changed} This cannot be approved any more: refuse it, and ask anew."


def _seen(asked: Approval) -> Moved:
    """Give what had moved on the purchase when a refund of it was asked for."""
    return msgspec.convert(asked.arguments.get("moved", {}), Moved)


async def _send(parts: Parts, asked: Approval) -> None:
    async with parts.sessions() as session:
        purchase = await session.get_one(Authorization, UUID(asked.subject_id))
    await settle(parts, purchase.stripe_authorization_id)


REFUND_KINDS: Mapping[str, Kind] = {
    REFUND_KIND: Kind(
        title="Refund above the limit",
        view="purchases",
        href="/admin/purchase/{id}",
        describe=lambda asked: [
            ("Customer", asked.arguments["customer"]),
            ("Merchant", asked.arguments["merchant"]),
            ("Of the merchant's part", readable(asked.arguments["principal_minor"])),
            ("Of our fee", readable(asked.arguments["fee_minor"])),
            ("Effect", "It goes back to the linked card, at our cost."),
        ],
        execute=_refund,
        changed=_changed,
        afterwards=_send,
    ),
}

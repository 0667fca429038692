"""A customer lets a declined purchase of theirs pass once, where that is theirs to decide."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.identity.audit import Actor
from app.domain.issuing.allowing import CannotAllow, allow_once, allowed_until
from app.domain.issuing.lines import lines_of
from app.domain.issuing.purchase_list import own_purchase
from app.domain.issuing.remedies import customer_may_allow


async def allow_own_once(
    session: AsyncSession, customer_id: UUID, purchase_id: UUID, *, actor: Actor, now: datetime
) -> None:
    """Let the next try pass; asked for twice, it is done once. `now` is business time.

    Raises PurchaseNotFound, for another customer's purchase too, and CannotAllow.
    """
    purchase = await own_purchase(session, customer_id, purchase_id)
    if await allowed_until(session, purchase.id, now) is not None:
        return
    [line] = await lines_of(session, customer_id, [purchase.id])
    reason = line.reason if line.declined else None
    if reason is None or not customer_may_allow(reason):
        raise CannotAllow("This purchase cannot be let pass.")
    await allow_once(session, str(purchase.id), actor=actor, now=now)

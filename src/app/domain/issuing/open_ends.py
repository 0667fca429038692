"""What of a purchase may have changed at Stripe without an event, or was cut off half way."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.models import Charge
from app.domain.funding.refund_models import Refund
from app.domain.funding.states import ChargePurpose, ChargeState, RefundState
from app.domain.issuing.standing import TAKE_BEFORE_LAPSE

TAKEN = (ChargeState.CAPTURED, ChargeState.REFUNDED)
CHANGING = (ChargeState.HELD, ChargeState.CAPTURED, ChargeState.REFUNDED)


class OpenEnds(msgspec.Struct, frozen=True):
    """Charges that Stripe has, refunds that can still change, and whether a charge is in doubt."""

    charges: Sequence[Charge]
    refunds: Sequence[Refund]
    has_unknown: bool


async def open_ends_of(session: AsyncSession, purchase_id: UUID) -> OpenEnds:
    """Read what may have to be followed of a purchase."""
    return await ends_of(session, await charges_of(session, purchase_id))


async def ends_of(session: AsyncSession, charges: Sequence[Charge]) -> OpenEnds:
    """Say what may have to be followed of all charges of a purchase."""
    taken = [charge.id for charge in charges if charge.state in TAKEN]
    refunds: Sequence[Refund] = ()
    if taken:
        found = await session.scalars(
            select(Refund)
            .where(Refund.charge_id.in_(taken), Refund.state != RefundState.FAILED)
            .order_by(Refund.id)
        )
        refunds = found.all()
    return OpenEnds(
        [c for c in charges if c.stripe_payment_intent_id and c.state in CHANGING],
        refunds,
        any(is_in_doubt(charge) for charge in charges),
    )


async def charges_of(session: AsyncSession, purchase_id: UUID) -> Sequence[Charge]:
    """Give every charge of a purchase, the oldest first."""
    found = await session.scalars(
        select(Charge).where(Charge.purchase_id == purchase_id).order_by(Charge.id)
    )
    return found.all()


def is_in_doubt(charge: Charge) -> bool:
    """Whether a charge that no decision asked for was sent, and nothing is known of it."""
    extra = charge.purpose is not ChargePurpose.AUTHORIZATION
    return extra and charge.state is ChargeState.UNKNOWN


def is_incomplete(charge: Charge, now: datetime) -> bool:
    """Whether something of a charge is not known yet: how long it holds, or what it cost us."""
    if charge.state is ChargeState.HELD:
        until = charge.capture_before
        return until is None or until - TAKE_BEFORE_LAPSE <= now
    return charge.processing_fee_minor is None


def is_under_way(refund: Refund) -> bool:
    """Whether a refund has not arrived yet, or Stripe has not booked it."""
    arrived = refund.state is RefundState.SUCCEEDED
    return not arrived or refund.stripe_balance_transaction_id is None

"""Find the purchase that an object of Stripe's, or one of ours, belongs to."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.models import Charge
from app.domain.funding.states import ChargeState
from app.domain.issuing.merchant_names import tidy_name
from app.domain.issuing.models import Authorization


async def purchase_of_intent(session: AsyncSession, stripe_payment_intent_id: str) -> str | None:
    """Give Stripe's id of the purchase that a PaymentIntent pays; None for one that is not ours."""
    return await session.scalar(
        select(Authorization.stripe_authorization_id)
        .join(Charge, Charge.purchase_id == Authorization.id)
        .where(Charge.stripe_payment_intent_id == stripe_payment_intent_id)
    )


async def purchase_of_payment(session: AsyncSession, stripe_payment_intent_id: str) -> str | None:
    """Give Stripe's id of the purchase whose debt a customer pays with an open PaymentIntent."""
    return await session.scalar(
        select(Authorization.stripe_authorization_id)
        .join(Charge, Charge.purchase_id == Authorization.id)
        .where(
            Charge.stripe_payment_intent_id == stripe_payment_intent_id,
            Charge.on_session,
            Charge.state == ChargeState.UNKNOWN,
        )
    )


async def merchants_of(session: AsyncSession, purchase_ids: Collection[UUID]) -> dict[UUID, str]:
    """Give the merchant of each purchase, written for people."""
    found = await session.execute(
        select(Authorization.id, Authorization.merchant_name).where(
            Authorization.id.in_(purchase_ids)
        )
    )
    return {purchase_id: tidy_name(name) for purchase_id, name in found}

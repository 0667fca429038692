"""Find the purchase that an object of Stripe's belongs to."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.models import Charge
from app.domain.issuing.models import Authorization


async def purchase_of_intent(session: AsyncSession, stripe_payment_intent_id: str) -> str | None:
    """Give Stripe's id of the purchase that a PaymentIntent pays; None for one that is not ours."""
    return await session.scalar(
        select(Authorization.stripe_authorization_id)
        .join(Charge, Charge.purchase_id == Authorization.id)
        .where(Charge.stripe_payment_intent_id == stripe_payment_intent_id)
    )

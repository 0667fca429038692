"""Keep our record of a charge in line with the PaymentIntent that Stripe has."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.charges import ChargeOrder, ChargeOutcome, IntentFacts, charge_key
from app.domain.funding.models import Charge, FundingSource
from app.domain.funding.states import ChargeState
from app.money import Currency


async def keep_intent(
    session: AsyncSession,
    intent: IntentFacts,
    *,
    customer_id: UUID,
    purchase_id: UUID,
    request_id: UUID,
    currency: Currency,
) -> Charge:
    """Write what Stripe has over what we had; make the record where a crash left none."""
    assert intent.authorization is not None
    assert intent.request is not None
    key = charge_key(intent.authorization, intent.request, intent.attempt)
    charge = await session.scalar(select(Charge).where(Charge.idempotency_key == key))
    if charge is None:
        source = await session.scalar(
            select(FundingSource.id).where(
                FundingSource.stripe_payment_method_id == intent.payment_method
            )
        )
        charge = Charge(
            customer_id=customer_id,
            funding_source_id=source,
            purchase_id=purchase_id,
            request_id=request_id,
            attempt=intent.attempt,
            idempotency_key=key,
            amount_minor=intent.amount_minor,
            captured_minor=0,
            refunded_minor=0,
            currency=currency,
            state=ChargeState.UNKNOWN,
        )
        session.add(charge)
    follow_intent(charge, intent)
    return charge


def follow_intent(charge: Charge, intent: IntentFacts) -> None:
    """Bring a charge to where its PaymentIntent is."""
    charge.move_to(intent.state)
    charge.stripe_payment_intent_id = intent.id
    charge.stripe_charge_id = intent.stripe_charge_id or charge.stripe_charge_id
    charge.captured_minor = intent.captured_minor
    charge.refunded_minor = intent.refunded_minor
    charge.capture_before = intent.capture_before or charge.capture_before
    charge.decline_code = intent.decline_code or charge.decline_code


def new_charge(
    order: ChargeOrder,
    outcome: ChargeOutcome,
    *,
    customer_id: UUID,
    source_id: UUID,
    purchase_id: UUID,
    request_id: UUID,
) -> Charge:
    """Make the record of a charge that was made outside the two seconds."""
    return Charge(
        customer_id=customer_id,
        funding_source_id=source_id,
        purchase_id=purchase_id,
        request_id=request_id,
        attempt=order.attempt,
        idempotency_key=order.key,
        amount_minor=order.amount_minor,
        captured_minor=order.amount_minor if outcome.state is ChargeState.CAPTURED else 0,
        refunded_minor=0,
        currency=order.currency,
        state=outcome.state,
        decline_code=outcome.decline_code,
        advice_code=outcome.advice_code,
        capture_before=outcome.capture_before,
        stripe_payment_intent_id=outcome.stripe_payment_intent_id,
        stripe_charge_id=outcome.stripe_charge_id,
    )

"""Keep our records of charges and refunds in line with what Stripe has, and the books with both."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.charges import (
    ChargeOrder,
    ChargeOutcome,
    IntentFacts,
    RefundFacts,
    charge_key,
)
from app.domain.funding.models import Charge, FundingSource
from app.domain.funding.postings import (
    charge_journals,
    covered_journal,
    refund_journals,
    withdrawn_journal,
)
from app.domain.funding.refund_models import Receivable, Refund
from app.domain.funding.states import ChargePurpose, ChargeState, ReceivableState
from app.domain.ledger.accounts import Account
from app.domain.ledger.posting import post
from app.money import Currency

PAYS = {
    ReceivableState.WRITTEN_OFF: Account.BAD_DEBT,
    ReceivableState.RECOVERED: Account.BAD_DEBT,
    # Paid twice: what a card paid as well goes back to it.
    ReceivableState.PAID_OUTSIDE: Account.CUSTOMER_FUNDS,
}
"""What a charge that collects a debt is owed on, by the debt's state."""


class Asked(msgspec.Struct, frozen=True):
    """The request a charge was made for: whose, for which purchase, and the merchant's part."""

    customer_id: UUID
    purchase_id: UUID
    request_id: UUID
    currency: Currency
    principal_minor: int


async def keep_intent(session: AsyncSession, intent: IntentFacts, asked: Asked) -> Charge:
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
            customer_id=asked.customer_id,
            funding_source_id=source,
            purchase_id=asked.purchase_id,
            request_id=asked.request_id,
            purpose=ChargePurpose.AUTHORIZATION,
            mode=intent.mode,
            attempt=intent.attempt,
            idempotency_key=key,
            amount_minor=intent.amount_minor,
            principal_minor=min(asked.principal_minor, intent.amount_minor),
            captured_minor=0,
            refunded_minor=0,
            currency=asked.currency,
            state=ChargeState.UNKNOWN,
            undone=False,
        )
        session.add(charge)
    charge.doubt_again()
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
    if intent.fee is not None:
        charge.stripe_balance_transaction_id = intent.fee.stripe_balance_transaction_id
        charge.processing_fee_minor = intent.fee.fee_minor
    know_principal(charge)


def follow_outcome(charge: Charge, outcome: ChargeOutcome) -> None:
    """Write what came of an order."""
    charge.move_to(outcome.state)
    if outcome.state is ChargeState.CAPTURED:
        charge.captured_minor = charge.amount_minor
    charge.decline_code = outcome.decline_code
    charge.advice_code = outcome.advice_code
    charge.capture_before = outcome.capture_before
    charge.stripe_payment_intent_id = outcome.stripe_payment_intent_id
    charge.stripe_charge_id = outcome.stripe_charge_id
    know_principal(charge)


def know_principal(charge: Charge) -> None:
    """Where all of a charge was taken, the merchant's part of it is all the merchant's part."""
    whole = charge.captured_minor == charge.amount_minor
    if whole and charge.captured_principal_minor is None:
        charge.captured_principal_minor = charge.principal_minor


def new_charge(
    order: ChargeOrder,
    *,
    customer_id: UUID,
    source_id: UUID,
    purchase_id: UUID,
    purpose: ChargePurpose,
    principal_minor: int,
    request_id: UUID | None = None,
    receivable_id: UUID | None = None,
) -> Charge:
    """Make the record of a charge outside the two seconds, before Stripe is asked for it."""
    return Charge(
        customer_id=customer_id,
        funding_source_id=source_id,
        purchase_id=purchase_id,
        request_id=request_id,
        purpose=purpose,
        receivable_id=receivable_id,
        mode=order.mode,
        attempt=order.attempt,
        idempotency_key=order.key,
        amount_minor=order.amount_minor,
        principal_minor=principal_minor,
        captured_minor=0,
        refunded_minor=0,
        currency=order.currency,
        state=ChargeState.UNKNOWN,
        undone=False,
    )


def follow_refund(refund: Refund, facts: RefundFacts) -> None:
    """Bring a refund to where Stripe's is."""
    refund.move_to(facts.state)
    refund.stripe_refund_id = facts.id
    refund.failure_reason = facts.failure_reason
    refund.stripe_balance_transaction_id = facts.stripe_balance_transaction_id


async def book_charge(session: AsyncSession, charge: Charge, at: datetime) -> None:
    """Post what a charge has done so far. Nothing, while the parts of what was taken are open."""
    taken = charge.captured_minor > 0
    if taken and charge.captured_principal_minor is None:
        return
    pays = Account.CUSTOMER_FUNDS
    if charge.receivable_id is not None:
        # Locked: it may be given up, or paid to our bank account, in the same moment.
        debt = await session.get_one(
            Receivable, charge.receivable_id, with_for_update=True, populate_existing=True
        )
        pays = PAYS.get(debt.state, Account.RECEIVABLE)
    await post(session, charge_journals(charge, at, pays=pays))


async def book_refund(session: AsyncSession, refund: Refund, at: datetime) -> None:
    """Post what a refund has done so far."""
    await post(session, refund_journals(refund, at))


async def cover(session: AsyncSession, refund: Refund, by_minor: int, at: datetime) -> None:
    """Set what a merchant gave back against a refund of our own; below zero, undo that."""
    refund.covered_minor += by_minor
    refund.covers += 1
    await post(session, covered_journal(refund, by_minor, at))


async def withdraw(
    session: AsyncSession, refund: Refund, principal_minor: int, fee_minor: int, at: datetime
) -> None:
    """Owe the customer this much less of what the bank sent back: its merchant took it back.

    Nothing where less is owed by now, because it was paid another way. `refund` is locked.
    """
    if principal_minor + fee_minor > refund.to_pay_minor:
        return
    refund.withdrawn_principal_minor += principal_minor
    refund.withdrawn_fee_minor += fee_minor
    await post(session, withdrawn_journal(refund, principal_minor, fee_minor, at))

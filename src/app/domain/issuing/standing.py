"""Read where a purchase stands from our records, and post what became of its fee."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.keeping import book_charge
from app.domain.funding.models import Charge, PricePlan
from app.domain.funding.plans import price_of
from app.domain.funding.pricing import Price, RefundFeePolicy
from app.domain.funding.refund_models import Receivable, Refund
from app.domain.funding.states import LIVE_CHARGES, ChargePurpose, ChargeState
from app.domain.issuing.models import Authorization, AuthorizationRequest, CardTransaction
from app.domain.issuing.position import Debt, GivenBack, PaidCharge, Position
from app.domain.issuing.postings import earned_journal
from app.domain.issuing.states import AuthorizationState, TransactionKind
from app.domain.ledger.posting import post
from app.money import Currency

TAKE_BEFORE_LAPSE = timedelta(hours=24)
"""A hold is taken this long before Stripe says it ends.

Source: https://docs.stripe.com/payments/place-a-hold-on-a-payment-method, `capture_before`
"""

SHORTEST_HOLD = timedelta(days=4, hours=18)
"""So long any card's hold lasts where Stripe does not say: a Visa's that no customer is there for.

Source: https://docs.stripe.com/payments/place-a-hold-on-a-payment-method
"""

COUNTED = (*LIVE_CHARGES, ChargeState.REFUNDED)


class Terms(msgspec.Struct, frozen=True):
    """The price a purchase was agreed on, and what becomes of the fee when it is refunded."""

    price: Price
    policy: RefundFeePolicy = RefundFeePolicy.PROPORTIONAL


FREE = Terms(Price(percent_bps=0, fixed_minor=0))
"""Where no price was ever in force, nothing is asked for."""


class Standing(msgspec.Struct, frozen=True):
    """A purchase's position and the records it was read from.

    `certain`: nothing is in doubt that could change what has to be done next.
    """

    position: Position
    transactions: Sequence[CardTransaction]
    charges: Sequence[Charge]
    refunds: Sequence[Refund]
    debts: Sequence[Receivable]
    certain: bool

    def end_tries(self, now: datetime) -> None:
        """Try no more by itself what is due, and came to no step: no card can be charged with it.

        Left due, it would have its purchase settled each second. `now` is business time.
        """
        if not self.certain or self.position.state is AuthorizationState.PENDING:
            return
        for debt in self.debts:
            if debt_of(debt, now).due:
                debt.next_attempt_at = None


async def standing_of(
    session: AsyncSession,
    purchase_id: UUID,
    state: AuthorizationState,
    terms: Terms,
    now: datetime,
) -> Standing:
    """Read a purchase's position, and give every record its part of what was taken."""
    transactions = await transactions_of(session, purchase_id)
    charges = await _all(session, Charge, purchase_id)
    # What was never taken is not given back, and nobody owes what no merchant took.
    taken = any(charge.captured_minor for charge in charges)
    refunds = await _all(session, Refund, purchase_id) if taken else []
    debts = await _all(session, Receivable, purchase_id) if transactions else []
    reversed_ = {debt.id for debt in debts if debt.refund_reversed}
    position = Position(
        state=state,
        captured_minor=-_sum(transactions, TransactionKind.CAPTURE),
        refunded_minor=_sum(transactions, TransactionKind.REFUND),
        price=terms.price,
        policy=terms.policy,
        refunds=[_given_back(refund) for refund in refunds],
        debts=[debt_of(debt, now) for debt in debts],
    )
    for charge in charges:
        if charge.state not in COUNTED:
            continue
        if charge.captured_minor and charge.captured_principal_minor is None:
            # Taken, and the process ended before it was written down for what.
            charge.captured_principal_minor = position.principal_of(charge.captured_minor)
            await book_charge(session, charge, now)
        paid = [*position.charges, _paid(charge, refunds, reversed_, now)]
        position = msgspec.structs.replace(position, charges=paid)
    unknown = (c for c in charges if c.state is ChargeState.UNKNOWN)
    certain = all(c.purpose is ChargePurpose.AUTHORIZATION for c in unknown)
    return Standing(position, transactions, charges, refunds, debts, certain)


async def terms_agreed(session: AsyncSession, purchase: Authorization) -> Terms | None:
    """Give the terms that the purchase was asked about on, or that were in force then."""
    plan = await session.scalar(
        select(PricePlan)
        .join(AuthorizationRequest, AuthorizationRequest.price_plan_id == PricePlan.id)
        .where(AuthorizationRequest.authorization_id == purchase.id)
        .order_by(AuthorizationRequest.ordinal)
        .limit(1)
    ) or await session.scalar(
        select(PricePlan)
        .where(PricePlan.effective_from <= purchase.occurred_at)
        .order_by(PricePlan.effective_from.desc())
        .limit(1)
    )
    return Terms(price_of(plan), plan.refund_fee_policy) if plan else None


async def post_earned(session: AsyncSession, standing: Standing) -> None:
    """Post what is paid of our fee on each capture, oldest first, and was not posted yet."""
    position = standing.position
    captured = before = 0
    left = position.earned_minor - sum(moved.earned_minor for moved in standing.transactions)
    for moved in standing.transactions:
        if moved.kind is not TransactionKind.CAPTURE:
            continue
        captured -= moved.amount_minor
        earned = min(position.price.fee(max(captured, 0)), max(position.fee_paid_minor, 0))
        more = min(earned - before - moved.earned_minor, left)
        before = earned
        if more > 0:
            left -= more
            moved.earned_minor += more
            await post(session, earned_journal(moved, more))


async def transactions_of(session: AsyncSession, purchase_id: UUID) -> Sequence[CardTransaction]:
    """Give what merchants took and gave back on a purchase, oldest first."""
    found = await session.scalars(
        select(CardTransaction)
        .where(CardTransaction.authorization_id == purchase_id)
        .order_by(CardTransaction.occurred_at, CardTransaction.id)
    )
    return found.all()


Row = TypeVar("Row", Charge, Refund, Receivable)


async def _all(session: AsyncSession, table: type[Row], purchase_id: UUID) -> Sequence[Row]:
    found = await session.scalars(
        select(table).where(table.purchase_id == purchase_id).order_by(table.id)
    )
    return found.all()


def _sum(transactions: Sequence[CardTransaction], kind: TransactionKind) -> int:
    counted = (m for m in transactions if m.kind is kind and m.currency == Currency.USD)
    return sum(moved.amount_minor for moved in counted)


def _paid(
    charge: Charge, refunds: Sequence[Refund], reversed_: set[UUID], now: datetime
) -> PaidCharge:
    until = charge.capture_before or charge.created_at + SHORTEST_HOLD
    # Failed ones too: what is known of the charge may be from before they failed.
    ours = sum(refund.amount_minor for refund in refunds if refund.charge_id == charge.id)
    return PaidCharge(
        id=charge.id,
        state=charge.state,
        amount_minor=charge.amount_minor,
        principal_minor=charge.principal_minor,
        captured_minor=charge.captured_minor,
        captured_principal_minor=charge.captured_principal_minor or 0,
        lapses=until - TAKE_BEFORE_LAPSE <= now,
        regains=charge.purpose is ChargePurpose.REFUND_REVERSED
        or charge.receivable_id in reversed_,
        returned_elsewhere_minor=max(charge.refunded_minor - ours, 0),
    )


def _given_back(refund: Refund) -> GivenBack:
    principal = refund.principal_minor - refund.withdrawn_principal_minor
    fee = refund.returned_fee_minor - refund.withdrawn_fee_minor
    is_owed = refund.to_pay_minor > 0
    return GivenBack(
        refund.charge_id,
        refund.purpose,
        principal,
        refund.deferred_fee_minor,
        fee,
        refund.id,
        refund.covered_minor,
        owed_principal_minor=principal if is_owed else 0,
        owed_fee_minor=fee if is_owed else 0,
    )


def debt_of(debt: Receivable, now: datetime) -> Debt:
    """Give a receivable as a position knows it. `now` is business time."""
    return Debt(
        id=debt.id,
        state=debt.state,
        amount_minor=debt.amount_minor,
        lowered_minor=debt.lowered_minor,
        refund_reversed=debt.refund_reversed,
        due=debt.next_attempt_at is not None and debt.next_attempt_at <= now,
        paid_outside_minor=debt.paid_outside_minor or 0,
    )

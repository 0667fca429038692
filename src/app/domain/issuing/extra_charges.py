"""Charge a customer outside the two seconds: a difference, a refund taken back, a debt.

The charge is recorded before Stripe is asked for it. What is not known afterwards is looked up in
Stripe's list; it is asked for again, under its old key, only while Stripe still keeps the key.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.db import Sessions
from app.domain.funding.attempts import can_pay_later
from app.domain.funding.charges import (
    ChargeOrder,
    ChargeOutcome,
    FundingBackOffice,
    IntentFacts,
)
from app.domain.funding.keeping import book_charge, follow_intent, follow_outcome, new_charge
from app.domain.funding.models import Charge, FundingSource
from app.domain.funding.receivables import close
from app.domain.funding.refund_models import Receivable
from app.domain.funding.sources import willing_sources
from app.domain.funding.states import (
    LIVE_CHARGES,
    ChargePurpose,
    ChargeState,
    FundingMode,
    ReceivableState,
)
from app.domain.identity.models import Customer
from app.domain.issuing.bank_reasons import reason_for
from app.domain.issuing.claims import Claim, still_mine
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.models import Authorization, Card
from app.domain.issuing.settlement import ChargeMore
from app.money import Currency

log = structlog.get_logger()

EXTRA = "extra"
CLOCKS_MAY_DIFFER = timedelta(minutes=10)
CONFIRM_WITHIN = timedelta(minutes=20)
"""So long a customer has to confirm; nothing else is charged for the purchase meanwhile."""


class Came(StrEnum):
    """What came of trying all linked cards."""

    CHARGED = "charged"
    DECLINED = "declined"
    LATER = "later"


class Tried(msgspec.Struct, frozen=True):
    came: Came
    outcome: ChargeOutcome | None = None


class ExtraCharges:
    """Charges what a decision did not ask for."""

    def __init__(
        self,
        sessions: Sessions,
        funding: FundingBackOffice,
        clock: Clock,
        *,
        wait: timedelta,
        wall: Callable[[], datetime],
    ) -> None:
        self.sessions = sessions
        self.funding = funding
        self.clock = clock
        self.wait = wait
        self.wall = wall

    async def charge(self, claimed: Claim, step: ChargeMore, customer_id: UUID) -> Tried:
        """Try the customer's linked cards in order until one pays.

        Where none does, the outcome is that of the last one that may pay later, if any may.
        """
        async with self.sessions() as session:
            first = await first_source_of(session, claimed.authorization_id)
            willing = await willing_sources(session, customer_id)
        sources = sorted(willing, key=lambda one: one.id != first)
        last: ChargeOutcome | None = None
        for source in sources:
            recorded = await self._record(claimed, step, source)
            if recorded is None:
                return Tried(Came.LATER)
            charge_id, order = recorded
            outcome = await self.funding.charge(order)
            await self._keep(claimed, charge_id, outcome)
            log.info("extra_charge", purpose=step.purpose, state=outcome.state.value)
            if outcome.state in LIVE_CHARGES:
                return Tried(Came.CHARGED, outcome)
            if outcome.state is not ChargeState.DECLINED or _was_not_asked(outcome):
                return Tried(Came.LATER, outcome)
            if last is None or can_pay_later(outcome.advice_code):
                last = outcome
        return Tried(Came.DECLINED, last)

    async def look_up(self, claimed: Claim, name: str, *, stop: bool = False) -> bool:
        """Find out what became of charges that are not certain. False while one is not.

        `stop`: what a customer has not confirmed yet is not to be confirmed any more.
        """
        async with self.sessions() as session:
            unknown = await _unknown(session, claimed.authorization_id)
        for charge in unknown:
            if not await self._look_up(claimed, charge, name, stop=stop):
                return False
        return True

    async def _look_up(self, claimed: Claim, charge: Charge, name: str, *, stop: bool) -> bool:
        if charge.on_session and charge.stripe_payment_intent_id is not None:
            intent: IntentFacts | None = await self._confirmed(charge, stop=stop)
        else:
            intent = await self._listed(charge, name)
        async with self.sessions.begin() as session:
            await still_mine(session, claimed)
            ours = await session.get_one(Charge, charge.id)
            if intent is not None:
                follow_intent(ours, intent)
            elif self._cannot_come_any_more(charge):
                ours.move_to(ChargeState.CANCELED)
            await self._conclude(session, ours)
            return ours.state is not ChargeState.UNKNOWN

    async def _confirmed(self, charge: Charge, *, stop: bool) -> IntentFacts:
        """Give how what a customer confirms stands; end it when the bank refused, or time is up.

        Canceled at Stripe, it cannot be confirmed afterwards by whoever has the page still open.
        """
        assert charge.stripe_payment_intent_id is not None
        told = await self.funding.intent(charge.stripe_payment_intent_id)
        over = stop or self.wall() - charge.created_at > CONFIRM_WITHIN
        if told.state is ChargeState.DECLINED or (told.state is ChargeState.UNKNOWN and over):
            ended = await self.funding.cancel(told.id)
            return msgspec.structs.replace(ended, decline_code=told.decline_code)
        return told

    def _cannot_come_any_more(self, charge: Charge) -> bool:
        """Whether no call can still be on its way."""
        return self.wall() - charge.created_at > self.wait

    async def _listed(self, charge: Charge, name: str) -> IntentFacts | None:
        async with self.sessions() as session:
            customer = await session.get_one(Customer, charge.customer_id)
        assert customer.stripe_customer_id is not None
        since = charge.created_at - CLOCKS_MAY_DIFFER
        for intent in await self.funding.intents_of(customer.stripe_customer_id, since):
            same = (intent.authorization, intent.request, intent.attempt)
            if same == (name, EXTRA, charge.attempt):
                return intent
        return None

    async def _record(
        self, claimed: Claim, step: ChargeMore, source: FundingSource
    ) -> tuple[UUID, ChargeOrder] | None:
        """Write down what is asked for next; None when its debt was closed in this moment."""
        async with self.sessions.begin() as session:
            purchase = await still_mine(session, claimed)
            if step.debt_id is not None:
                # Locked: from here on nobody notes it as paid to our bank account.
                debt = await session.get_one(Receivable, step.debt_id, with_for_update=True)
                if debt.next_attempt_at is None:
                    return None
            customer = await session.get_one(Customer, source.customer_id)
            number = await next_number(session, purchase.id)
            order = extra_order(purchase, customer, source, step.amount_minor, number)
            charge = new_charge(
                order,
                customer_id=customer.id,
                source_id=source.id,
                purchase_id=purchase.id,
                purpose=step.purpose,
                principal_minor=step.principal_minor,
                receivable_id=step.debt_id,
            )
            session.add(charge)
            await session.flush()
            return charge.id, order

    async def _keep(self, claimed: Claim, charge_id: UUID, outcome: ChargeOutcome) -> None:
        async with self.sessions.begin() as session:
            await still_mine(session, claimed)
            charge = await session.get_one(Charge, charge_id)
            follow_outcome(charge, outcome)
            await self._conclude(session, charge)

    async def _conclude(self, session: AsyncSession, charge: Charge) -> None:
        """Post what a charge has done; a debt that it collects is paid."""
        now = self.clock.now()
        await book_charge(session, charge, now)
        if charge.receivable_id is None or charge.state is not ChargeState.CAPTURED:
            return
        debt = await session.get_one(Receivable, charge.receivable_id)
        if debt.state is ReceivableState.OPEN:
            await close(session, debt, ReceivableState.COLLECTED, now)
        elif debt.state is ReceivableState.WRITTEN_OFF:
            await close(session, debt, ReceivableState.RECOVERED, now)


def _was_not_asked(outcome: ChargeOutcome) -> bool:
    """Whether no bank was asked at all: Stripe had too many of our calls at once."""
    return reason_for(outcome.decline_code) is DeclineReason.FUNDING_RATE_LIMITED


async def _unknown(session: AsyncSession, purchase_id: UUID) -> Sequence[Charge]:
    found = await session.scalars(
        select(Charge).where(
            Charge.purchase_id == purchase_id,
            Charge.state == ChargeState.UNKNOWN,
            Charge.purpose != ChargePurpose.AUTHORIZATION,
        )
    )
    return found.all()


def extra_order(
    purchase: Authorization,
    customer: Customer,
    source: FundingSource,
    amount_minor: int,
    number: int,
) -> ChargeOrder:
    """Write the order of a purchase's charge of this number that no decision asked for."""
    name = purchase.stripe_authorization_id
    return ChargeOrder(
        key=f"{EXTRA}:{name}:{number}",
        stripe_customer_id=customer.stripe_customer_id or "",
        stripe_payment_method_id=source.stripe_payment_method_id,
        amount_minor=amount_minor,
        currency=Currency.USD,
        mode=FundingMode.CHARGE,
        merchant_name=purchase.merchant_name,
        authorization=name,
        request=EXTRA,
        attempt=number,
    )


async def next_number(session: AsyncSession, purchase_id: UUID) -> int:
    """Give the number of a purchase's next charge that no decision asked for, from 1."""
    found = await session.scalar(
        select(func.max(Charge.attempt)).where(
            Charge.purchase_id == purchase_id, Charge.purpose != ChargePurpose.AUTHORIZATION
        )
    )
    return (found or 0) + 1


async def first_source_of(session: AsyncSession, purchase_id: UUID) -> UUID | None:
    """Give the linked card that the virtual card of a purchase names to pay first, if it does."""
    return await session.scalar(
        select(Card.funding_source_id)
        .join(Authorization, Authorization.card_id == Card.id)
        .where(Authorization.id == purchase_id)
    )

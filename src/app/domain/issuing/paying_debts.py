"""A customer pays a debt and is there: the bank can ask, and what came of it Stripe tells.

The charge is recorded first and stays unknown while the browser confirms it, so nothing else is
charged for its purchase meanwhile. The page that the customer comes back to, Stripe's events and
the sweep all settle the purchase; whoever comes first closes the debt. What is not confirmed in
time is canceled at Stripe, and the debt stays open.
"""

from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.charges import ChargeOrder
from app.domain.funding.keeping import new_charge
from app.domain.funding.models import Charge, FundingSource
from app.domain.funding.refund_models import Receivable
from app.domain.funding.sources import own_source
from app.domain.funding.states import ChargePurpose, ChargeState, ReceivableState
from app.domain.identity.audit import Actor, record
from app.domain.identity.models import Customer
from app.domain.identity.throttle import PAY_DEBT, count_attempt
from app.domain.issuing.claims import Claim, claim, release, still_mine
from app.domain.issuing.extra_charges import extra_order, next_number
from app.domain.issuing.models import Authorization
from app.domain.issuing.owing import dues_on
from app.domain.issuing.settle import LOOK_AGAIN_AFTER, Settler
from app.domain.issuing.settlement import ChargeMore
from app.errors import AppError


class DebtNotFound(AppError, status=404):
    """The customer has no such debt, or no such payment of one."""


class NothingToPay(AppError, status=409):
    """The debt is closed, or no card can be charged with so little."""


class PaidElsewhere(AppError, status=409):
    """Another charge for the same purchase is under way."""


class PaymentFacts(msgspec.Struct, frozen=True):
    """A PaymentIntent that a customer confirms. The secret opens it to that browser only.

    `state` is UNKNOWN while it can still be confirmed.
    """

    id: str
    client_secret: str
    state: ChargeState


class PayingAtStripe(Protocol):
    """What paying asks of the outside. Beginning again with the same order is the same payment."""

    async def begin_payment(self, order: ChargeOrder) -> PaymentFacts: ...

    async def payment(self, stripe_payment_intent_id: str) -> PaymentFacts: ...


class Owed(msgspec.Struct, frozen=True):
    """A debt with its purchase, and the charge that would pay it; None where nothing can."""

    debt: Receivable
    purchase: Authorization
    step: ChargeMore | None


class Payment(msgspec.Struct, frozen=True):
    """A payment of a debt: our charge, what it pays and with which card; Stripe's side of it.

    `facts` is there only while the charge is unknown.
    """

    charge: Charge
    owed: Owed
    source: FundingSource
    facts: PaymentFacts | None


class DebtPayments:
    """Lets customers pay what is open."""

    def __init__(self, settler: Settler, outside: PayingAtStripe) -> None:
        self.settler = settler
        self.sessions = settler.sessions
        self.outside = outside

    async def owed(self, customer_id: UUID, debt_id: UUID) -> Owed:
        """Tell what paying a debt takes. Raises DebtNotFound."""
        async with self.sessions() as session:
            return await self._owed(session, customer_id, debt_id)

    async def begin(
        self, customer_id: UUID, debt_id: UUID, source_id: UUID, *, actor: Actor, real_now: datetime
    ) -> UUID:
        """Record a payment of a debt with a linked card; give the id of its charge.

        A payment of it that is open goes on when it is with the same card, and is ended otherwise.
        Raises DebtNotFound, SourceNotFound, NothingToPay, PaidElsewhere, PurchaseBusy and
        TooManyAttempts.
        """
        async with self.sessions.begin() as session:
            await own_source(session, customer_id, source_id)
            owed = await self._owed(session, customer_id, debt_id)
            going_on = await _open_charge(session, debt_id)
            if going_on is not None and going_on.funding_source_id == source_id:
                return going_on.id
            address = actor.address or ""
            await count_attempt(session, PAY_DEBT, str(customer_id), address, real_now)
        claimed = await claim(
            self.sessions, owed.purchase.stripe_authorization_id, self.settler.wall
        )
        assert claimed is not None  # nothing was told to have been seen before
        try:
            return await self._begin(claimed, owed, customer_id, source_id, actor)
        finally:
            await release(self.sessions, claimed)

    async def open(self, customer_id: UUID, charge_id: UUID) -> Payment:
        """Give a payment with its PaymentIntent, which is made when it is missing. DebtNotFound."""
        async with self.sessions() as session:
            charge = await session.get(Charge, charge_id)
            if charge is None or charge.customer_id != customer_id or not charge.on_session:
                raise DebtNotFound("There is no such payment.")
            assert charge.receivable_id is not None
            owed = await self._owed(session, customer_id, charge.receivable_id)
            source = await session.get_one(FundingSource, charge.funding_source_id)
            customer = await session.get_one(Customer, customer_id)
        if charge.state is not ChargeState.UNKNOWN:
            return Payment(charge, owed, source, None)
        if charge.stripe_payment_intent_id is not None:
            facts = await self.outside.payment(charge.stripe_payment_intent_id)
            return Payment(charge, owed, source, facts)
        order = extra_order(owed.purchase, customer, source, charge.amount_minor, charge.attempt)
        facts = await self.outside.begin_payment(order)
        async with self.sessions.begin() as session:
            charge = await session.get_one(Charge, charge_id, with_for_update=True)
            charge.stripe_payment_intent_id = facts.id
        return Payment(charge, owed, source, facts)

    async def finish(self, customer_id: UUID, charge_id: UUID) -> Charge:
        """Look what Stripe says, and bring the purchase and the debt to where that leaves them."""
        purchase = await self._own(customer_id, charge_id)
        await self.settler.settle(purchase.stripe_authorization_id)
        async with self.sessions() as session:
            return await session.get_one(Charge, charge_id)

    async def stop(self, customer_id: UUID, charge_id: UUID) -> None:
        """End a payment that its customer does not want to make; one that is made stays made."""
        purchase = await self._own(customer_id, charge_id)
        claimed = await claim(self.sessions, purchase.stripe_authorization_id, self.settler.wall)
        assert claimed is not None
        name = purchase.stripe_authorization_id
        try:
            await self.settler.effects.extra.look_up(claimed, name, stop=True)
        finally:
            await release(self.sessions, claimed)
        await self.settler.settle(name)

    async def _own(self, customer_id: UUID, charge_id: UUID) -> Authorization:
        async with self.sessions() as session:
            charge = await session.get(Charge, charge_id)
            if charge is None or charge.customer_id != customer_id or not charge.on_session:
                raise DebtNotFound("There is no such payment.")
            return await session.get_one(Authorization, charge.purchase_id)

    async def _begin(
        self, claimed: Claim, owed: Owed, customer_id: UUID, source_id: UUID, actor: Actor
    ) -> UUID:
        name, debt_id = owed.purchase.stripe_authorization_id, owed.debt.id
        async with self.sessions() as session:
            other = await _open_charge(session, debt_id)
        if other is not None and other.funding_source_id == source_id:
            return other.id
        if other is not None:
            await self.settler.effects.extra.look_up(claimed, name, stop=True)
        async with self.sessions.begin() as session:
            purchase = await still_mine(session, claimed)
            # Locked: from here on nobody notes it as paid to our bank account.
            await session.get_one(Receivable, debt_id, with_for_update=True)
            owed = await self._owed(session, customer_id, debt_id)
            if owed.step is None:
                raise NothingToPay("Nothing is open here any more.")
            if await _is_charged(session, purchase.id):
                raise PaidElsewhere(
                    "A card of yours is being asked for it. Look again in a minute."
                )
            source = await own_source(session, customer_id, source_id)
            customer = await session.get_one(Customer, customer_id)
            charge = await _new(session, owed, owed.step, source, customer)
            # Should nobody come back from the bank's question, the sweep looks.
            purchase.settle_after = self.settler.wall() + LOOK_AGAIN_AFTER
            told = {"charge": str(charge.id), "amount_minor": charge.amount_minor}
            record(session, actor, "receivable.pay", subject=owed.debt, after=told)
            return charge.id

    async def _owed(self, session: AsyncSession, customer_id: UUID, debt_id: UUID) -> Owed:
        debt = await session.get(Receivable, debt_id)
        if debt is None or debt.customer_id != customer_id:
            raise DebtNotFound("There is no such debt.")
        purchase = await session.get_one(Authorization, debt.purchase_id)
        if debt.state is not ReceivableState.OPEN:
            return Owed(debt, purchase, None)
        dues = await dues_on(session, purchase, [debt], self.settler.clock.now())
        return Owed(debt, purchase, dues.each[0].step)


async def _open_charge(session: AsyncSession, debt_id: UUID) -> Charge | None:
    """Give the payment of a debt that its customer has not ended yet."""
    return await session.scalar(
        select(Charge).where(
            Charge.receivable_id == debt_id,
            Charge.on_session,
            Charge.state == ChargeState.UNKNOWN,
        )
    )


async def _is_charged(session: AsyncSession, purchase_id: UUID) -> bool:
    """Whether a charge for what came after the decision is under way."""
    found = await session.scalar(
        select(Charge.id).where(
            Charge.purchase_id == purchase_id,
            Charge.state == ChargeState.UNKNOWN,
            Charge.purpose != ChargePurpose.AUTHORIZATION,
        )
    )
    return found is not None


async def _new(
    session: AsyncSession, owed: Owed, step: ChargeMore, source: FundingSource, customer: Customer
) -> Charge:
    number = await next_number(session, owed.purchase.id)
    order = extra_order(owed.purchase, customer, source, step.amount_minor, number)
    made = new_charge(
        order,
        customer_id=customer.id,
        source_id=source.id,
        purchase_id=owed.purchase.id,
        purpose=step.purpose,
        principal_minor=step.principal_minor,
        receivable_id=owed.debt.id,
    )
    made.on_session = True
    session.add(made)
    await session.flush()
    return made

"""Bring a purchase to where it belongs: every event, sweep and repair comes through here.

Facts are read from Stripe anew, our rows follow them, and what is still missing is done: a charge
that should not be is undone, one that should be is made, and the charges pay what merchants took.
Running it twice, late or out of order ends in the same place.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.db import Sessions
from app.domain.funding.charges import FundingBackOffice, IntentFacts
from app.domain.funding.keeping import follow_intent
from app.domain.funding.models import Charge, PricePlan
from app.domain.funding.pricing import Price
from app.domain.funding.states import LIVE_CHARGES, FundingMode
from app.domain.issuing.adoption import Adoption
from app.domain.issuing.card_network import AuthorizationFacts, CardNetwork
from app.domain.issuing.claims import Claim, claim, release, still_mine
from app.domain.issuing.models import Authorization, AuthorizationRequest
from app.domain.issuing.repair import Repair, nobody_charged
from app.domain.issuing.settlement import (
    Action,
    Cancel,
    Capture,
    LiveCharge,
    Refund,
    Settlement,
    counted_minor,
    settlement,
    spread,
)
from app.domain.issuing.states import AuthorizationState, TransactionKind

log = structlog.get_logger()

FREE = Price(percent_bps=0, fixed_minor=0)


class Taken(msgspec.Struct, frozen=True):
    """What merchants took and gave back on a purchase, in minor units, and the price agreed."""

    captured_minor: int
    refunded_minor: int
    price: Price


class Settler:
    """Settles purchases one at a time each."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        network: CardNetwork,
        funding: FundingBackOffice,
        clock: Clock,
        mode: FundingMode,
        wait: timedelta,
    ) -> None:
        self.sessions = sessions
        self.network = network
        self.funding = funding
        self.clock = clock
        self.mode = mode
        self.wait = wait
        self.repair = Repair(sessions, funding, clock, wait)

    async def settle(self, stripe_authorization_id: str) -> None:
        """Settle one purchase. Raises what Stripe or the database raise; the caller tries again."""
        authorization_id = await self._row(stripe_authorization_id)
        if authorization_id is None:
            return
        claimed = await claim(self.sessions, authorization_id)
        try:
            facts = await self.network.authorization(stripe_authorization_id)
            taken = await self._follow(claimed, facts)
            owed = facts is not None and _owed(facts, taken)
            await self.repair.requests(claimed, stripe_authorization_id, owed=owed)
            if facts is not None:
                await self._settle(claimed, facts, taken)
        finally:
            await release(self.sessions, claimed)

    async def _row(self, stripe_authorization_id: str) -> UUID | None:
        """Give our row's id; where Stripe knows a purchase that we do not, make the row."""
        async with self.sessions() as session:
            known = await session.scalar(
                select(Authorization.id).where(
                    Authorization.stripe_authorization_id == stripe_authorization_id
                )
            )
        if known is not None:
            return known
        facts = await self.network.authorization(stripe_authorization_id)
        if facts is None:
            return None
        async with self.sessions.begin() as session:
            return (await self._adoption().authorization(session, facts)).id

    def _adoption(self) -> Adoption:
        return Adoption(self.mode, self.clock.now(), datetime.now(UTC) + self.wait)

    async def _follow(self, claimed: Claim, facts: AuthorizationFacts | None) -> Taken:
        """Write Stripe's facts into our rows."""
        if facts is None:
            return Taken(0, 0, FREE)
        async with self.sessions.begin() as session:
            await still_mine(session, claimed)
            adoption = self._adoption()
            authorization = await adoption.authorization(session, facts)
            requests = await adoption.requests(session, authorization, facts)
            price = await _price_of(session, requests)
            rows = await adoption.transactions(session, authorization, facts, price)
        captures = [-row.amount_minor for row in rows if row.kind is TransactionKind.CAPTURE]
        refunds = [row.amount_minor for row in rows if row.kind is TransactionKind.REFUND]
        return Taken(sum(captures), sum(refunds), price)

    async def _settle(self, claimed: Claim, facts: AuthorizationFacts, taken: Taken) -> None:
        async with self.sessions() as session:
            charges = await _charges_of(session, claimed.authorization_id)
        live = [_live(charge) for charge in charges if charge.state in LIVE_CHARGES]
        plan = settlement(
            facts.state, taken.captured_minor, taken.refunded_minor, taken.price, live
        )
        intents = {charge.id: charge.stripe_payment_intent_id for charge in charges}
        for action in plan.actions:
            intent_id = intents[action.charge_id]
            assert intent_id is not None
            done = await self._act(action, intent_id)
            await self._keep(claimed, action, done)
        await self._finish(claimed, facts, taken, plan)

    async def _act(self, action: Action, intent_id: str) -> IntentFacts:
        match action:
            case Capture(_, amount):
                return await self.funding.capture(intent_id, amount)
            case Cancel():
                return await self.funding.cancel(intent_id)
            case Refund(_, total):
                return await self.funding.refund(intent_id, total)

    async def _keep(self, claimed: Claim, action: Action, done: IntentFacts) -> None:
        async with self.sessions.begin() as session:
            await still_mine(session, claimed)
            charge = await session.get_one(Charge, action.charge_id)
            follow_intent(charge, done)
            log.info("charge_settled", charge=str(charge.id), state=charge.state)

    async def _finish(
        self, claimed: Claim, facts: AuthorizationFacts, taken: Taken, plan: Settlement
    ) -> None:
        """Note what is not handled, and what the purchase now uses of the limits."""
        counted = counted_minor(facts.state, facts.amount_minor, taken.captured_minor)
        async with self.sessions.begin() as session:
            authorization = await still_mine(session, claimed)
            found = await session.scalars(
                select(AuthorizationRequest)
                .where(AuthorizationRequest.authorization_id == authorization.id)
                .order_by(AuthorizationRequest.ordinal)
            )
            requests = list(found)
            unpaid = await nobody_charged(session, requests)
            authorization.not_handled = unpaid or plan.not_handled
            approved = [request for request in requests if request.stripe_approved]
            for request, share in zip(
                approved,
                spread(counted, [request.amount_minor for request in approved]),
                strict=True,
            ):
                request.reserved_minor = share
            for request in requests:
                if request.stripe_approved is False:
                    request.reserved_minor = 0
                request.open = facts.state is AuthorizationState.PENDING


def _owed(facts: AuthorizationFacts, taken: Taken) -> bool:
    """Say whether a merchant has taken money on this purchase, or may still take it."""
    return facts.state is AuthorizationState.PENDING or taken.captured_minor > 0


async def _price_of(session: AsyncSession, requests: list[AuthorizationRequest]) -> Price:
    plan_id = next((r.price_plan_id for r in requests if r.price_plan_id), None)
    if plan_id is None:
        return FREE
    plan = await session.get_one(PricePlan, plan_id)
    return Price(plan.percent_bps, plan.fixed_minor, plan.minimum_minor)


async def _charges_of(session: AsyncSession, purchase_id: UUID) -> list[Charge]:
    found = await session.scalars(
        select(Charge).where(Charge.purchase_id == purchase_id).order_by(Charge.id)
    )
    return list(found)


def _live(charge: Charge) -> LiveCharge:
    return LiveCharge(
        charge.id,
        charge.state,
        charge.amount_minor,
        charge.captured_minor,
        charge.refunded_minor,
    )

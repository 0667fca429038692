"""Charge an approved purchase that nobody has paid for: its first charge proved not to exist."""

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.db import Sessions
from app.domain.funding.charges import (
    ChargeOrder,
    ChargeOutcome,
    FundingBackOffice,
    charge_key,
)
from app.domain.funding.keeping import book_charge, follow_outcome, new_charge
from app.domain.funding.models import Charge, FundingSource, PricePlan
from app.domain.funding.pricing import Price
from app.domain.funding.sources import willing_sources
from app.domain.funding.states import LIVE_CHARGES, ChargePurpose, ChargeState
from app.domain.identity.audit import SYSTEM
from app.domain.identity.models import Customer
from app.domain.identity.reasons import Reason
from app.domain.issuing.bank_reasons import reason_for
from app.domain.issuing.cards_access import CUSTOMER, card_to_change
from app.domain.issuing.cards_moving import move
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.extra_charges import first_source_of
from app.domain.issuing.models import Authorization, AuthorizationRequest
from app.domain.issuing.states import CardState
from app.money import Currency

log = structlog.get_logger()

NOBODY_PAID = Reason("policy", "an approved purchase could not be charged to any linked card")


class ChargeAgain:
    """Tries a customer's linked cards in order, each attempt with a key of its own."""

    def __init__(self, sessions: Sessions, funding: FundingBackOffice, clock: Clock) -> None:
        self.sessions = sessions
        self.funding = funding
        self.clock = clock

    async def charge(
        self, request: AuthorizationRequest, customer: Customer, authorization: str
    ) -> bool:
        """Charge the request's amount and fee. False when it must be tried again later.

        When every linked card refuses, the card is frozen, so that the debt cannot grow; its
        customer cannot thaw it then, whoever froze it.
        """
        async with self.sessions() as session:
            first = await first_source_of(session, request.authorization_id)
            willing = await willing_sources(session, customer.id)
            sources = sorted(willing, key=lambda one: (one.id != first, not one.is_default))
            amount = await _amount(session, request)
            merchant = (
                await session.get_one(Authorization, request.authorization_id)
            ).merchant_name
            attempt = await _last_attempt(session, request)
        for number, source in enumerate(sources, start=attempt + 1):
            order = ChargeOrder(
                key=charge_key(authorization, str(request.ordinal), number),
                stripe_customer_id=customer.stripe_customer_id or "",
                stripe_payment_method_id=source.stripe_payment_method_id,
                amount_minor=amount,
                currency=Currency(request.currency),
                mode=request.funding_mode,
                merchant_name=merchant,
                authorization=authorization,
                request=str(request.ordinal),
                attempt=number,
            )
            outcome = await self.funding.charge(order)
            if reason_for(outcome.decline_code) is DeclineReason.FUNDING_RATE_LIMITED:
                # No bank was asked, and nothing is kept for the key: it is used again later.
                return False
            await self._keep(request, source, order, outcome)
            if outcome.state in LIVE_CHARGES:
                return True
            if outcome.state is not ChargeState.DECLINED:
                return False
        await self._freeze(request)
        return True

    async def _keep(
        self,
        request: AuthorizationRequest,
        source: FundingSource,
        order: ChargeOrder,
        outcome: ChargeOutcome,
    ) -> None:
        async with self.sessions.begin() as session:
            charge = new_charge(
                order,
                customer_id=source.customer_id,
                source_id=source.id,
                purchase_id=request.authorization_id,
                purpose=ChargePurpose.AUTHORIZATION,
                principal_minor=min(_approved(request), order.amount_minor),
                request_id=request.id,
            )
            session.add(charge)
            await session.flush()
            follow_outcome(charge, outcome)
            await book_charge(session, charge, self.clock.now())
        log.info("charged_again", authorization=order.authorization, state=outcome.state.value)

    async def _freeze(self, request: AuthorizationRequest) -> None:
        async with self.sessions.begin() as session:
            if request.card_id is None:
                return
            card = await card_to_change(session, request.card_id, SYSTEM)
            by_customer = card.state is CardState.FROZEN and card.frozen_by == CUSTOMER
            if card.state is not CardState.ACTIVE and not by_customer:
                return
            await move(session, card, CardState.FROZEN, actor=SYSTEM, why=NOBODY_PAID)


async def _amount(session: AsyncSession, request: AuthorizationRequest) -> int:
    price = Price(0, 0)
    if request.price_plan_id is not None:
        plan = await session.get_one(PricePlan, request.price_plan_id)
        price = Price(plan.percent_bps, plan.fixed_minor, plan.minimum_minor)
    return price.hold_for(request.approved_before_minor, _approved(request))


def _approved(request: AuthorizationRequest) -> int:
    return request.amount_minor if request.approved_minor is None else request.approved_minor


async def _last_attempt(session: AsyncSession, request: AuthorizationRequest) -> int:
    found = await session.scalar(
        select(func.max(Charge.attempt)).where(Charge.request_id == request.id)
    )
    return found or 0

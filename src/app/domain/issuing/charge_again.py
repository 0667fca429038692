"""Charge an approved purchase that nobody has paid for: its first charge proved not to exist."""

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.domain.funding.charges import ChargeOrder, FundingBackOffice, charge_key
from app.domain.funding.keeping import new_charge
from app.domain.funding.models import Charge, FundingSource, PricePlan
from app.domain.funding.pricing import Price
from app.domain.funding.states import LIVE_CHARGES, ChargeState, FundingSourceState
from app.domain.identity.audit import SYSTEM, record
from app.domain.identity.models import Customer
from app.domain.issuing.models import Authorization, AuthorizationRequest, Card
from app.domain.issuing.states import CardState
from app.money import Currency

log = structlog.get_logger()


class ChargeAgain:
    """Tries a customer's linked cards in order, each attempt with a key of its own."""

    def __init__(self, sessions: Sessions, funding: FundingBackOffice) -> None:
        self.sessions = sessions
        self.funding = funding

    async def charge(
        self, request: AuthorizationRequest, customer: Customer, authorization: str
    ) -> bool:
        """Charge the request's amount and fee. False when an attempt's outcome is not known yet.

        When every linked card refuses, the card is frozen, so that the debt cannot grow.
        """
        async with self.sessions() as session:
            sources = await _sources(session, customer)
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
            state = await self._attempt(request, customer, source, order)
            if state in LIVE_CHARGES:
                return True
            if state is not ChargeState.DECLINED:
                return False
        await self._freeze(request)
        return True

    async def _attempt(
        self,
        request: AuthorizationRequest,
        customer: Customer,
        source: FundingSource,
        order: ChargeOrder,
    ) -> ChargeState:
        outcome = await self.funding.charge(order)
        async with self.sessions.begin() as session:
            session.add(
                new_charge(
                    order,
                    outcome,
                    customer_id=customer.id,
                    source_id=source.id,
                    purchase_id=request.authorization_id,
                    request_id=request.id,
                )
            )
        log.info("charged_again", authorization=order.authorization, state=outcome.state.value)
        return outcome.state

    async def _freeze(self, request: AuthorizationRequest) -> None:
        async with self.sessions.begin() as session:
            card = await session.get(Card, request.card_id) if request.card_id else None
            if card is None or card.state is not CardState.ACTIVE:
                return
            card.move_to(CardState.FROZEN)
            record(
                session,
                SYSTEM,
                "card.freeze",
                subject=card,
                before={"state": CardState.ACTIVE},
                after={"state": CardState.FROZEN},
                reason="an approved purchase could not be charged to any linked card",
            )


async def _sources(session: AsyncSession, customer: Customer) -> list[FundingSource]:
    found = await session.scalars(
        select(FundingSource)
        .where(
            FundingSource.customer_id == customer.id,
            FundingSource.state == FundingSourceState.ACTIVE,
        )
        .order_by(FundingSource.is_default.desc(), FundingSource.priority, FundingSource.id)
    )
    return list(found)


async def _amount(session: AsyncSession, request: AuthorizationRequest) -> int:
    price = Price(0, 0)
    if request.price_plan_id is not None:
        plan = await session.get_one(PricePlan, request.price_plan_id)
        price = Price(plan.percent_bps, plan.fixed_minor, plan.minimum_minor)
    return price.hold_for(request.approved_before_minor, request.amount_minor)


async def _last_attempt(session: AsyncSession, request: AuthorizationRequest) -> int:
    found = await session.scalar(
        select(func.max(Charge.attempt)).where(Charge.request_id == request.id)
    )
    return found or 0

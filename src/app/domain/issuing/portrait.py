"""One customer at a glance: cards, linked cards, debts, what is open, and signs of risk."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.models import Charge, FundingSource
from app.domain.funding.refund_models import Receivable
from app.domain.funding.states import ChargeState, ReceivableState
from app.domain.identity.models import Customer
from app.domain.issuing.models import AuthorizationRequest, Card, CardTransaction
from app.domain.issuing.reports import RecentPurchase, latest_of_customer
from app.domain.issuing.states import TransactionKind

PURCHASES = 12
DEBTS = 20
NEW_FOR = timedelta(days=7)
MANY_DECLINES = 3
HIGH_RISK = 65
"""A score from here on is elevated: https://docs.stripe.com/radar/risk-settings"""


class Money(msgspec.Struct, frozen=True):
    """What a customer has going on, in minor units of US dollars."""

    open_minor: int
    held_minor: int
    owed_minor: int
    month_minor: int
    month_fees_minor: int


class Portrait(msgspec.Struct, frozen=True):
    """What there is about a customer, but for who looked at it and what was written."""

    cards: list[Card]
    sources: list[FundingSource]
    debts: list[Receivable]
    purchases: list[RecentPurchase]
    money: Money
    signals: list[str]


async def portray(session: AsyncSession, customer: Customer, now: datetime) -> Portrait:
    """Read a customer's page. `now` is the business clock's."""
    cards = await session.scalars(
        select(Card).where(Card.customer_id == customer.id).order_by(Card.created_at.desc())
    )
    sources = await session.scalars(
        select(FundingSource)
        .where(FundingSource.customer_id == customer.id)
        .order_by(FundingSource.state, FundingSource.priority)
    )
    return Portrait(
        list(cards),
        list(sources),
        await _debts(session, customer),
        await latest_of_customer(session, customer.id, PURCHASES),
        await _money(session, customer, now),
        [one async for one in _signals(session, customer, now)],
    )


async def _debts(session: AsyncSession, customer: Customer) -> list[Receivable]:
    """Give the open debts; where there is none, an index answers at once."""
    found = await session.scalars(
        select(Receivable)
        .where(Receivable.customer_id == customer.id, Receivable.state == ReceivableState.OPEN)
        .order_by(Receivable.opened_at)
        .limit(DEBTS)
    )
    return list(found)


async def _money(session: AsyncSession, customer: Customer, now: datetime) -> Money:
    opened = await session.scalar(
        select(func.coalesce(func.sum(AuthorizationRequest.reserved_minor), 0)).where(
            AuthorizationRequest.customer_id == customer.id,
            AuthorizationRequest.open,
            AuthorizationRequest.reserved_minor > 0,
        )
    )
    held = await session.scalar(
        select(func.coalesce(func.sum(Charge.amount_minor), 0)).where(
            Charge.customer_id == customer.id, Charge.state == ChargeState.HELD
        )
    )
    owed = await session.scalar(
        select(
            func.coalesce(func.sum(Receivable.amount_minor - Receivable.lowered_minor), 0)
        ).where(Receivable.customer_id == customer.id, Receivable.state == ReceivableState.OPEN)
    )
    taken = await session.execute(
        select(
            func.coalesce(-func.sum(CardTransaction.amount_minor), 0),
            func.coalesce(func.sum(CardTransaction.fee_minor), 0),
        ).where(
            CardTransaction.customer_id == customer.id,
            CardTransaction.kind == TransactionKind.CAPTURE,
            CardTransaction.occurred_at > now - timedelta(days=30),
        )
    )
    month, fees = taken.one()
    return Money(int(opened or 0), int(held or 0), int(owed or 0), int(month), int(fees))


async def _signals(session: AsyncSession, customer: Customer, now: datetime) -> AsyncIterator[str]:
    """Say what is unusual, a sentence each."""
    asked = await session.execute(
        select(
            func.count().filter(AuthorizationRequest.reason.is_not(None)),
            func.max(AuthorizationRequest.risk_score),
        ).where(
            AuthorizationRequest.customer_id == customer.id,
            AuthorizationRequest.requested_at > now - timedelta(days=1),
        )
    )
    declines, score = asked.one()
    if declines >= MANY_DECLINES:
        yield f"{declines} declines within a day"
    if score is not None and score >= HIGH_RISK:
        yield f"Stripe scored a purchase of today {score} of 99"
    if customer.in_debt_since is not None:
        yield f"In debt since {customer.in_debt_since:%Y-%m-%d}"
    if customer.created_at > now - NEW_FOR:
        yield "A customer for less than a week"
    for source, others in await _shared(session, customer):
        yield f"{source} is linked by {others} other customer{'' if others == 1 else 's'} too"
    abroad = await session.scalar(
        select(func.count()).where(
            FundingSource.customer_id == customer.id, FundingSource.country != customer.country
        )
    )
    if abroad:
        yield f"{abroad} linked card{'' if abroad == 1 else 's'} from another country than home"


async def _shared(session: AsyncSession, customer: Customer) -> list[tuple[str, int]]:
    """Count the other customers that have linked the same real cards."""
    other = select(FundingSource.fingerprint, FundingSource.customer_id).subquery()
    found = await session.execute(
        select(
            FundingSource.brand,
            FundingSource.last4,
            func.count(other.c.customer_id.distinct()),
        )
        .join(other, other.c.fingerprint == FundingSource.fingerprint)
        .where(FundingSource.customer_id == customer.id, other.c.customer_id != customer.id)
        .group_by(FundingSource.brand, FundingSource.last4)
    )
    return [(f"{brand} ···· {last4}", others) for brand, last4, others in found]

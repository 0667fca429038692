"""The latest purchases, and what reports of a time are made of.

A day is a day of the business's time zone. All amounts are minor units of US dollars, the only
currency that cards are issued in.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.models import Charge
from app.domain.funding.refund_models import Refund
from app.domain.identity.models import Customer
from app.domain.issuing.models import Authorization, AuthorizationRequest, Card
from app.domain.issuing.states import CardState
from app.domain.issuing.story import Funding, Outcome, asked_minor, funding_of, outcome_of


class Span(msgspec.Struct, frozen=True):
    """From a moment to before another."""

    start: datetime
    end: datetime


class Day(Span, frozen=True):
    """A day of the business, from its first moment to the first of the next."""

    date: date


class Answers(msgspec.Struct, frozen=True):
    """How requests ended. `overruled`: approved by us and declined by Stripe all the same."""

    approved: int
    overruled: int
    declined: int

    @property
    def all(self) -> int:
        return self.approved + self.overruled + self.declined

    @property
    def rate(self) -> float | None:
        """Give the share that was approved and stood; None where nothing was asked."""
        return self.approved / self.all if self.all else None


class RecentPurchase(msgspec.Struct, frozen=True):
    purchase: Authorization
    customer: Customer | None
    card: Card | None
    outcome: Outcome
    asked_minor: int
    funding: Funding
    refunds: list[Refund]
    # From the receipt of the first request to its answer.
    total_ms: float | None


def business_day(now: datetime, zone: ZoneInfo) -> Day:
    """Give the day that a moment falls on where the business is."""
    today = now.astimezone(zone).date()
    start = datetime.combine(today, time(), zone)
    return Day(start, datetime.combine(today + timedelta(days=1), time(), zone), today)


async def active_cards(session: AsyncSession) -> int:
    counted = select(func.count()).where(Card.state == CardState.ACTIVE)
    return await session.scalar(counted) or 0


async def recent_purchases(session: AsyncSession, most: int) -> list[RecentPurchase]:
    """Give the latest purchases, newest first."""
    latest = _purchases().order_by(Authorization.created_at.desc(), Authorization.id.desc())
    return await _described(session, latest.limit(most))


async def latest_of_customer(
    session: AsyncSession, customer_id: UUID, most: int
) -> list[RecentPurchase]:
    """Give a customer's latest purchases, newest first."""
    theirs = _purchases().where(Authorization.customer_id == customer_id)
    latest = theirs.order_by(Authorization.occurred_at.desc(), Authorization.id.desc())
    return await _described(session, latest.limit(most))


async def purchases_named(session: AsyncSession, ids: Sequence[UUID]) -> list[RecentPurchase]:
    """Give purchases by their ids, in the order of these."""
    found = await _described(session, _purchases().where(Authorization.id.in_(ids)))
    by_id = {one.purchase.id: one for one in found}
    return [by_id[key] for key in ids if key in by_id]


def _purchases() -> Select[Authorization, Customer, Card]:
    return (
        select(Authorization, Customer, Card)
        .outerjoin(Customer, Customer.id == Authorization.customer_id)
        .outerjoin(Card, Card.id == Authorization.card_id)
    )


async def _described(
    session: AsyncSession, statement: Select[Authorization, Customer, Card]
) -> list[RecentPurchase]:
    rows = list(await session.execute(statement))
    ids = [purchase.id for purchase, _, _ in rows]
    requests: dict[UUID, list[AuthorizationRequest]] = defaultdict(list)
    for request in await session.scalars(
        select(AuthorizationRequest)
        .where(AuthorizationRequest.authorization_id.in_(ids))
        .order_by(AuthorizationRequest.ordinal)
    ):
        requests[request.authorization_id].append(request)
    charges: dict[UUID, list[Charge]] = defaultdict(list)
    for charge in await session.scalars(select(Charge).where(Charge.purchase_id.in_(ids))):
        charges[charge.purchase_id].append(charge)
    refunds: dict[UUID, list[Refund]] = defaultdict(list)
    for refund in await session.scalars(
        select(Refund).where(Refund.purchase_id.in_(ids)).order_by(Refund.created_at)
    ):
        refunds[refund.purchase_id].append(refund)
    return [
        RecentPurchase(
            purchase,
            customer,
            card,
            outcome_of(purchase, requests[purchase.id]),
            asked_minor(purchase, requests[purchase.id]),
            funding_of(charges[purchase.id]),
            refunds[purchase.id],
            requests[purchase.id][0].step_ms.get("total") if requests[purchase.id] else None,
        )
        for purchase, customer, card in rows
    ]

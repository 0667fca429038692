"""Declines of a time: how many, when, why, at whom, on whose bank, and whose. Minor units of USD.

Everything is counted by when it was asked, over whole days of some zone.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.models import PricePlan
from app.domain.identity.models import Customer
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.decline_rows import declined
from app.domain.issuing.models import AuthorizationRequest
from app.domain.issuing.reports import Span
from app.domain.issuing.traffic import Traffic

_AT = declined.c.requested_at
_AMOUNT = declined.c.amount_minor
_COUNT = func.count()


class Hour(msgspec.Struct, frozen=True):
    """What was asked within an hour, by the clocks of the business."""

    start: datetime
    approved: int
    declined: int

    @property
    def all(self) -> int:
        return self.approved + self.declined


class Declines(msgspec.Struct, frozen=True):
    """Declines of one kind; `key` is what they have in common."""

    key: str
    count: int
    amount_minor: int


class ReasonDeclines(msgspec.Struct, frozen=True):
    reason: DeclineReason
    count: int
    amount_minor: int
    # Of those for an amount above zero, which a fee would have been on.
    payable: int = 0
    payable_minor: int = 0


class FailingCustomer(msgspec.Struct, frozen=True):
    """A customer whose purchases were declined, with the last reason."""

    customer_id: UUID
    name: str
    count: int
    amount_minor: int
    last: DeclineReason
    last_at: datetime


def by_hour(hours: Iterable[Traffic]) -> list[Hour]:
    """Give approvals that stood and declines by hour; hours without any are left out."""
    found = (Hour(one.start, one.approved, one.overruled + one.declined) for one in hours)
    return [hour for hour in found if hour.all]


async def by_reason(session: AsyncSession, span: Span) -> list[ReasonDeclines]:
    """Count declines by reason, the most frequent first."""
    why = declined.c.reason
    above = _AMOUNT > 0
    payable = func.coalesce(func.sum(_AMOUNT).filter(above), 0)
    figures = (_COUNT, func.sum(_AMOUNT), _COUNT.filter(above), payable)
    counted = select(why, *figures).group_by(why).order_by(_COUNT.desc(), why)
    rows = await session.execute(counted, _within(span))
    return [ReasonDeclines(row[0], row[1], int(row[2]), row[3], int(row[4])) for row in rows]


async def by_merchant(session: AsyncSession, span: Span, most: int) -> list[Declines]:
    """Count declines by the merchant's name."""
    return await _counted_by(session, declined.c.merchant_name, span, most)


async def by_bank(session: AsyncSession, span: Span, most: int) -> list[Declines]:
    """Count what banks declined by the linked card: its brand, kind and country."""
    return await _counted_by(session, func.unnest(declined.c.banks), span, most)


async def failing_customers(session: AsyncSession, span: Span, most: int) -> list[FailingCustomer]:
    """Give the customers with the most declines."""
    worst = (
        select(
            declined.c.customer_id.label("id"),
            _COUNT.label("count"),
            func.sum(_AMOUNT).label("minor"),
            func.max(_AT).label("last_at"),
        )
        .where(declined.c.customer_id.is_not(None))
        .group_by(declined.c.customer_id)
        .order_by(_COUNT.desc(), func.max(_AT).desc())
        .limit(most)
        .subquery()
    )
    last = (
        select(AuthorizationRequest.reason)
        .where(
            AuthorizationRequest.customer_id == worst.c.id,
            AuthorizationRequest.requested_at == worst.c.last_at,
            AuthorizationRequest.reason.is_not(None),
        )
        .limit(1)
        .scalar_subquery()
    )
    whole_name = Customer.first_name + " " + Customer.last_name
    found = await session.execute(
        select(worst.c.id, whole_name, worst.c.count, worst.c.minor, last, worst.c.last_at)
        .join(Customer, Customer.id == worst.c.id)
        .order_by(worst.c.count.desc(), worst.c.last_at.desc()),
        _within(span),
    )
    return [
        FailingCustomer(key, name, count, int(minor), reason, at)
        for key, name, count, minor, reason, at in found
    ]


async def lost_fees(session: AsyncSession, span: Span, reasons: Iterable[ReasonDeclines]) -> int:
    """Give the fees that the declined amounts of a time would have brought, by its last price."""
    plan = await session.scalar(
        select(PricePlan)
        .where(PricePlan.effective_from <= span.end)
        .order_by(PricePlan.effective_from.desc())
        .limit(1)
    )
    if plan is None:
        return 0
    found = list(reasons)
    amount = sum(one.payable_minor for one in found)
    count = sum(one.payable for one in found)
    return amount * plan.percent_bps // 10_000 + count * plan.fixed_minor


async def _counted_by(
    session: AsyncSession, key: ColumnElement[Any], span: Span, most: int
) -> list[Declines]:
    each = select(key.label("key"), _AMOUNT).subquery()
    counted = (
        select(each.c.key, _COUNT, func.sum(each.c.amount_minor))
        .group_by(each.c.key)
        .order_by(_COUNT.desc(), each.c.key)
        .limit(most)
    )
    found = await session.execute(counted, _within(span))
    return [Declines(key, count, int(minor)) for key, count, minor in found]


def _within(span: Span) -> dict[str, datetime]:
    return {"first": span.start, "after": span.end}

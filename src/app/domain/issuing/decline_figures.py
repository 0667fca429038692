"""Declines of a time: how many, when, why, at whom, on whose bank, and whose. Minor units of USD.

Everything is counted by when it was asked, and read by the index of that time.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.models import Charge, FundingSource, PricePlan
from app.domain.funding.states import ChargeState
from app.domain.identity.models import Customer
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.models import Authorization, AuthorizationRequest
from app.domain.issuing.reports import Span
from app.domain.issuing.states import RequestState

_AT = AuthorizationRequest.requested_at
_AMOUNT = AuthorizationRequest.amount_minor
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


class FailingCustomer(msgspec.Struct, frozen=True):
    """A customer whose purchases were declined, with the last reason."""

    customer_id: UUID
    name: str
    count: int
    amount_minor: int
    last: DeclineReason
    last_at: datetime


async def by_hour(session: AsyncSession, span: Span, zone: ZoneInfo) -> list[Hour]:
    """Count approvals that stood and declines by hour; hours without any are left out."""
    hour = func.date_trunc("hour", func.timezone(zone.key, _AT)).label("hour")
    stood = (AuthorizationRequest.state == RequestState.APPROVED) & (
        AuthorizationRequest.stripe_approved.is_not(False)
    )
    found = await session.execute(
        select(hour, _COUNT.filter(stood), _COUNT.filter(~stood))
        .where(span.start <= _AT, span.end > _AT)
        .where(AuthorizationRequest.state != RequestState.DECIDING)
        .group_by(hour)
        .order_by(hour)
    )
    return [Hour(*row) for row in found]


async def by_reason(session: AsyncSession, span: Span) -> list[ReasonDeclines]:
    """Count declines by reason, the most frequent first."""
    rows = await session.execute(
        select(AuthorizationRequest.reason, _COUNT, func.sum(_AMOUNT))
        .where(*_declined(span))
        .group_by(AuthorizationRequest.reason)
        .order_by(_COUNT.desc(), AuthorizationRequest.reason)
    )
    return [ReasonDeclines(why, n, int(minor)) for why, n, minor in rows if why is not None]


async def by_merchant(session: AsyncSession, span: Span, most: int) -> list[Declines]:
    """Count declines by the merchant's name."""
    name = Authorization.merchant_name
    return _counted(
        await session.execute(
            select(name, _COUNT, func.sum(_AMOUNT))
            .join(Authorization, Authorization.id == AuthorizationRequest.authorization_id)
            .where(*_declined(span))
            .group_by(name)
            .order_by(_COUNT.desc(), name)
            .limit(most)
        )
    )


async def by_bank(session: AsyncSession, span: Span, most: int) -> list[Declines]:
    """Count what banks declined by the linked card: its brand, kind and country."""
    card = func.concat_ws(
        " ",
        FundingSource.brand,
        FundingSource.funding,
        func.coalesce(FundingSource.country, "unknown country"),
    )
    return _counted(
        await session.execute(
            select(card, _COUNT, func.sum(_AMOUNT))
            .join(Charge, Charge.request_id == AuthorizationRequest.id)
            .join(FundingSource, FundingSource.id == Charge.funding_source_id)
            .where(*_declined(span), Charge.state == ChargeState.DECLINED)
            .group_by(card)
            .order_by(_COUNT.desc(), card)
            .limit(most)
        )
    )


async def failing_customers(session: AsyncSession, span: Span, most: int) -> list[FailingCustomer]:
    """Give the customers with the most declines."""
    worst = (
        select(
            AuthorizationRequest.customer_id.label("id"),
            _COUNT.label("count"),
            func.sum(_AMOUNT).label("minor"),
            func.max(_AT).label("last_at"),
        )
        .where(*_declined(span), AuthorizationRequest.customer_id.is_not(None))
        .group_by(AuthorizationRequest.customer_id)
        .order_by(_COUNT.desc(), func.max(_AT).desc())
        .limit(most)
        .subquery()
    )
    last = (
        select(AuthorizationRequest.reason)
        .where(
            AuthorizationRequest.customer_id == worst.c.id,
            worst.c.last_at == _AT,
            AuthorizationRequest.reason.is_not(None),
        )
        .limit(1)
        .scalar_subquery()
    )
    whole_name = Customer.first_name + " " + Customer.last_name
    found = await session.execute(
        select(worst.c.id, whole_name, worst.c.count, worst.c.minor, last, worst.c.last_at)
        .join(Customer, Customer.id == worst.c.id)
        .order_by(worst.c.count.desc(), worst.c.last_at.desc())
    )
    return [
        FailingCustomer(key, name, count, int(minor), reason, at)
        for key, name, count, minor, reason, at in found
    ]


async def lost_fees(session: AsyncSession, span: Span) -> int:
    """Give the fees that the declined amounts would have brought, by today's price."""
    plan = await session.scalar(
        select(PricePlan)
        .where(PricePlan.effective_from <= span.end)
        .order_by(PricePlan.effective_from.desc())
        .limit(1)
    )
    found = await session.execute(
        select(func.coalesce(func.sum(_AMOUNT), 0), _COUNT).where(*_declined(span), _AMOUNT > 0)
    )
    amount, count = found.one()
    if plan is None:
        return 0
    return int(amount) * plan.percent_bps // 10_000 + count * plan.fixed_minor


def _declined(span: Span) -> tuple[ColumnElement[bool], ...]:
    return (span.start <= _AT, span.end > _AT, AuthorizationRequest.reason.is_not(None))


def _counted(rows: Iterable[Any]) -> list[Declines]:
    return [Declines(key, count, int(minor)) for key, count, minor in rows]

"""Declines of a time: how many, when, why, at whom, on whose bank, and whose. Minor units of USD.

Everything is counted by when it was asked, over whole days of some zone.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import IntEnum
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    DateTime,
    Select,
    Uuid,
    column,
    func,
    or_,
    select,
    tuple_,
    values,
)
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


class Tally(msgspec.Struct, frozen=True):
    """Declines of a time, counted by what they have in common."""

    reasons: list[ReasonDeclines]
    merchants: list[Declines]
    customers: list[FailingCustomer]


class _By(IntEnum):
    """What rows are counted by, as PostgreSQL's grouping() names it: bits of the keys left out."""

    REASON = 0b011
    MERCHANT = 0b101
    CUSTOMER = 0b110


def by_hour(hours: Iterable[Traffic]) -> list[Hour]:
    """Give approvals that stood and declines by hour; hours without any are left out."""
    found = (Hour(one.start, one.approved, one.overruled + one.declined) for one in hours)
    return [hour for hour in found if hour.all]


async def tally(session: AsyncSession, span: Span, most: int) -> Tally:
    """Count declines by reason, by merchant's name and by customer, the most frequent first.

    All reasons; of the others so many. In one reading of the rows, which are many in a long time.
    """
    found = list(await session.execute(_ranked(most), _within(span)))
    theirs = [(row.customer_id, row.last_at) for row in found if row.by == _By.CUSTOMER]
    named = await _named(session, theirs)
    return Tally(
        [
            ReasonDeclines(
                row.reason, row.count, int(row.minor), row.payable, int(row.payable_minor)
            )
            for row in found
            if row.by == _By.REASON
        ],
        [
            Declines(row.merchant_name, row.count, int(row.minor))
            for row in found
            if row.by == _By.MERCHANT
        ],
        [
            FailingCustomer(key, name, row.count, int(row.minor), last, row.last_at)
            for row in found
            if row.by == _By.CUSTOMER
            for key, name, last in named
            if key == row.customer_id
        ],
    )


async def by_bank(session: AsyncSession, span: Span, most: int) -> list[Declines]:
    """Count what banks declined by the linked card: its brand, kind and country."""
    each = select(func.unnest(declined.c.banks).label("key"), _AMOUNT).subquery()
    counted = (
        select(each.c.key, _COUNT, func.sum(each.c.amount_minor))
        .group_by(each.c.key)
        .order_by(_COUNT.desc(), each.c.key)
        .limit(most)
    )
    found = await session.execute(counted, _within(span))
    return [Declines(key, count, int(minor)) for key, count, minor in found]


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


def _ranked(most: int) -> Select[Any]:
    """Count by each of _By at once, and rank what each has found."""
    keys = (declined.c.reason, declined.c.merchant_name, declined.c.customer_id)
    above = _AMOUNT > 0
    by = func.grouping(*keys)
    counted = (
        select(
            *keys,
            by.label("by"),
            _COUNT.label("count"),
            func.sum(_AMOUNT).label("minor"),
            _COUNT.filter(above).label("payable"),
            func.coalesce(func.sum(_AMOUNT).filter(above), 0).label("payable_minor"),
            func.max(_AT).label("last_at"),
        )
        .group_by(func.grouping_sets(*(tuple_(key) for key in keys)))
        .having(or_(by != _By.CUSTOMER, declined.c.customer_id.is_not(None)))
        .subquery()
    )
    of = counted.c
    order = (of.count.desc(), of.reason, of.merchant_name, of.last_at.desc(), of.customer_id)
    place = func.row_number().over(partition_by=of.by, order_by=order).label("place")
    ranked = select(counted, place).subquery()
    first = or_(ranked.c.by == _By.REASON, ranked.c.place <= most)
    return select(ranked).where(first).order_by(ranked.c.by, ranked.c.place)


async def _named(
    session: AsyncSession, customers: Sequence[tuple[UUID, datetime]]
) -> Sequence[tuple[UUID, str, DeclineReason]]:
    """Give customers' names, and the reason of the decline that each had at a moment."""
    if not customers:
        return []
    worst = values(
        column("id", Uuid), column("last_at", DateTime(timezone=True)), name="worst"
    ).data(list(customers))
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
    name = Customer.first_name + " " + Customer.last_name
    found = await session.execute(
        select(worst.c.id, name, last).join_from(worst, Customer, Customer.id == worst.c.id)
    )
    # One whose last decline has turned out to be none a moment ago is left out.
    return [(key, called, reason) for key, called, reason in found if reason is not None]


def _within(span: Span) -> dict[str, datetime]:
    return {"first": span.start, "after": span.end}

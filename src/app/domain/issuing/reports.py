"""The figures of a day, what waits for a person, and the latest purchases.

A day is a day of the business's time zone. All amounts are minor units of US dollars, the only
currency that cards are issued in.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.models import Charge
from app.domain.identity.models import Customer
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.models import Authorization, AuthorizationRequest, Card, CardTransaction
from app.domain.issuing.states import CardState, RequestState, TransactionKind
from app.domain.issuing.story import Funding, Outcome, asked_minor, funding_of, outcome_of


class Day(msgspec.Struct, frozen=True):
    """A day of the business, from its first moment to the first of the next."""

    date: date
    start: datetime
    end: datetime


class Earned(msgspec.Struct, frozen=True):
    """Fees on what merchants took."""

    fee_minor: int
    captured_minor: int
    captures: int


class Expected(msgspec.Struct, frozen=True):
    """Fees still to come from purchases that are approved and open, whatever their day."""

    fee_minor: int
    purchases: int


class Answers(msgspec.Struct, frozen=True):
    """How requests ended. `overruled`: approved by us and declined by Stripe all the same."""

    approved: int
    overruled: int
    declined: int

    @property
    def all(self) -> int:
        return self.approved + self.overruled + self.declined


class Declines(msgspec.Struct, frozen=True):
    reason: DeclineReason
    count: int
    amount_minor: int


class Waiting(msgspec.Struct, frozen=True):
    """A purchase that waits for somebody or something, and why where that was noted."""

    purchase_id: UUID | None
    row_id: UUID
    since: datetime
    merchant_name: str
    amount_minor: int
    note: str | None


class Queue(msgspec.Struct, frozen=True):
    """How many wait, and the first of them, oldest first."""

    count: int
    rows: list[Waiting]


class RecentPurchase(msgspec.Struct, frozen=True):
    purchase: Authorization
    customer: Customer | None
    card: Card | None
    outcome: Outcome
    asked_minor: int
    funding: Funding
    # From the receipt of the first request to its answer.
    total_ms: float | None


def business_day(now: datetime, zone: ZoneInfo) -> Day:
    """Give the day that a moment falls on where the business is."""
    today = now.astimezone(zone).date()
    start = datetime.combine(today, time(), zone)
    return Day(today, start, datetime.combine(today + timedelta(days=1), time(), zone))


async def earned(session: AsyncSession, day: Day) -> Earned:
    """Sum the fees on the day's captures, by when the merchant took the money."""
    row = await session.execute(
        select(
            func.coalesce(func.sum(CardTransaction.fee_minor), 0),
            func.coalesce(-func.sum(CardTransaction.amount_minor), 0),
            func.count(),
        ).where(
            CardTransaction.kind == TransactionKind.CAPTURE,
            CardTransaction.occurred_at >= day.start,
            CardTransaction.occurred_at < day.end,
        )
    )
    fee, captured, count = row.one()
    return Earned(int(fee), int(captured), count)


async def expected(session: AsyncSession) -> Expected:
    """Sum the fees agreed on open purchases, less what their captures so far have earned."""
    open_fees = (
        select(
            AuthorizationRequest.authorization_id.label("purchase_id"),
            func.sum(AuthorizationRequest.fee_minor).label("fee"),
        )
        .where(
            AuthorizationRequest.open,
            AuthorizationRequest.reserved_minor > 0,
            AuthorizationRequest.state == RequestState.APPROVED,
            AuthorizationRequest.stripe_approved.is_not(False),
        )
        .group_by(AuthorizationRequest.authorization_id)
        .subquery()
    )
    taken = (
        select(func.coalesce(func.sum(CardTransaction.fee_minor), 0))
        .where(CardTransaction.authorization_id == open_fees.c.purchase_id)
        .scalar_subquery()
    )
    to_come = func.greatest(open_fees.c.fee - taken, 0)
    row = await session.execute(select(func.coalesce(func.sum(to_come), 0), func.count()))
    fee, count = row.one()
    return Expected(int(fee), count)


async def answers(session: AsyncSession, day: Day) -> Answers:
    """Count how the day's requests ended, those that Stripe answered without us included."""
    ours, theirs = AuthorizationRequest.state, AuthorizationRequest.stripe_approved
    approved = ours == RequestState.APPROVED
    stands = theirs.is_not(False)
    row = await session.execute(
        select(
            func.count().filter(approved, stands),
            func.count().filter(approved, theirs.is_(False)),
            func.count().filter(ours == RequestState.DECLINED),
        ).where(*_requested_on(day))
    )
    return Answers(*row.one())


async def declines(session: AsyncSession, day: Day) -> list[Declines]:
    """Count the day's declines by reason, the most frequent first."""
    count = func.count()
    rows = await session.execute(
        select(AuthorizationRequest.reason, count, func.sum(AuthorizationRequest.amount_minor))
        .where(AuthorizationRequest.reason.is_not(None), *_requested_on(day))
        .group_by(AuthorizationRequest.reason)
        .order_by(count.desc(), AuthorizationRequest.reason)
    )
    return [Declines(reason, n, int(amount)) for reason, n, amount in rows if reason is not None]


async def active_cards(session: AsyncSession) -> int:
    counted = select(func.count()).where(Card.state == CardState.ACTIVE)
    return await session.scalar(counted) or 0


async def not_handled(session: AsyncSession, most: int) -> Queue:
    """Give the purchases that settlement could not finish, and money without a purchase."""
    purchases = await _queue(
        session,
        select(
            Authorization.id,
            Authorization.id,
            Authorization.occurred_at,
            Authorization.merchant_name,
            Authorization.amount_minor,
            Authorization.not_handled,
        ).where(Authorization.not_handled.is_not(None)),
        Authorization.created_at,
        most,
    )
    unlinked = await _queue(
        session,
        select(
            CardTransaction.authorization_id,
            CardTransaction.id,
            CardTransaction.occurred_at,
            CardTransaction.merchant_name,
            func.abs(CardTransaction.amount_minor),
            CardTransaction.not_handled,
        ).where(
            CardTransaction.authorization_id.is_(None), CardTransaction.not_handled.is_not(None)
        ),
        CardTransaction.created_at,
        most,
    )
    rows = sorted([*purchases.rows, *unlinked.rows], key=lambda row: row.since)
    return Queue(purchases.count + unlinked.count, rows[:most])


async def unverified(session: AsyncSession, most: int) -> Queue:
    """Give the requests whose outcome is not certain yet."""
    return await _queue(
        session,
        select(
            Authorization.id,
            AuthorizationRequest.id,
            AuthorizationRequest.requested_at,
            Authorization.merchant_name,
            AuthorizationRequest.amount_minor,
            AuthorizationRequest.reason,
        )
        .join(Authorization, Authorization.id == AuthorizationRequest.authorization_id)
        .where(AuthorizationRequest.verified_at.is_(None)),
        AuthorizationRequest.verify_after,
        most,
    )


async def recent_purchases(session: AsyncSession, most: int) -> list[RecentPurchase]:
    """Give the latest purchases, newest first."""
    found = await session.execute(
        select(Authorization, Customer, Card)
        .outerjoin(Customer, Customer.id == Authorization.customer_id)
        .outerjoin(Card, Card.id == Authorization.card_id)
        .order_by(Authorization.created_at.desc(), Authorization.id.desc())
        .limit(most)
    )
    rows = list(found)
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
    return [
        _recent(purchase, customer, card, requests[purchase.id], charges[purchase.id])
        for purchase, customer, card in rows
    ]


def _recent(
    purchase: Authorization,
    customer: Customer | None,
    card: Card | None,
    requests: Sequence[AuthorizationRequest],
    charges: Sequence[Charge],
) -> RecentPurchase:
    return RecentPurchase(
        purchase,
        customer,
        card,
        outcome_of(purchase, requests),
        asked_minor(purchase, requests),
        funding_of(charges),
        requests[0].step_ms.get("total") if requests else None,
    )


def _requested_on(day: Day) -> tuple[Any, Any]:
    at = AuthorizationRequest.requested_at
    return (at >= day.start, at < day.end)


async def _queue(session: AsyncSession, rows: Any, since: Any, most: int) -> Queue:
    counted = rows.with_only_columns(func.count(), maintain_column_froms=True)
    count = await session.scalar(counted) or 0
    found = await session.execute(rows.order_by(since).limit(most))
    return Queue(count, [Waiting(*row) for row in found])

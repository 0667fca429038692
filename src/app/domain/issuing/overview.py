"""What one customer sees first: the month so far, what is on hold, and the latest purchases.

Months are UTC's, as the limits of cards are. All amounts are minor units of the customer's
currency. Every query names the customer.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.models import Charge
from app.domain.funding.states import ChargeState
from app.domain.issuing.lines import Line, PurchaseStatus, lines_of
from app.domain.issuing.models import AuthorizationRequest, Card, CardTransaction
from app.domain.issuing.purchase_list import latest_ids
from app.domain.issuing.states import CardState, TransactionKind

STILL_OPEN = (PurchaseStatus.ON_HOLD, PurchaseStatus.NOT_TAKEN)


class Day(msgspec.Struct, frozen=True):
    """What merchants took on a day of UTC's, less what they gave back, and our fee on it.

    The fee is what was charged of it: on what is not paid yet, there is none. `purchases`: how
    often they took something.
    """

    day: date
    spent_minor: int = 0
    fee_minor: int = 0
    purchases: int = 0


class Month(msgspec.Struct, frozen=True):
    """What merchants took since the first of the month, less refunds; our fee charged on it."""

    start: date
    spent_minor: int
    fee_minor: int
    purchases: int


class Activity(msgspec.Struct, frozen=True):
    """What is held on linked cards, our fee included, and a customer's purchases.

    `held`: the ones not settled yet, the one that is released first comes first. `latest`: newest
    first.
    """

    held_minor: int
    held: list[Line]
    latest: list[Line]


async def spent_by_day(
    session: AsyncSession, customer_id: UUID, now: datetime, days: int
) -> list[Day]:
    """Give each of the last days, today last, also those with nothing on them."""
    first = now.astimezone(UTC).date() - timedelta(days=days - 1)
    start = datetime.combine(first, time.min, UTC)
    day = func.date(func.timezone("UTC", CardTransaction.occurred_at))
    found = await session.execute(
        select(
            day,
            -func.sum(CardTransaction.amount_minor),
            func.sum(CardTransaction.earned_minor),
            func.count().filter(CardTransaction.kind == TransactionKind.CAPTURE),
        )
        .where(CardTransaction.customer_id == customer_id, CardTransaction.occurred_at >= start)
        .group_by(day)
    )
    known = {one: Day(one, int(spent), int(fee), count) for one, spent, fee, count in found}
    wanted = [first + timedelta(days=n) for n in range(days)]
    return [known.get(one) or Day(one) for one in wanted]


def month_of(days: Sequence[Day]) -> Month:
    """Add up the days of the month that the last of them is in. They must go back to its first."""
    start = days[-1].day.replace(day=1)
    assert days[0].day <= start
    own = [day for day in days if day.day >= start]
    return Month(
        start,
        sum(day.spent_minor for day in own),
        sum(day.fee_minor for day in own),
        sum(day.purchases for day in own),
    )


async def activity_of(
    session: AsyncSession, customer_id: UUID, *, latest: int, held: int
) -> Activity:
    """Add up what is held, and give so many of the purchases at most: in as few queries as can be.

    The first thing a customer opens, and what every purchase has their open pages ask for again.
    """
    purchases = select(AuthorizationRequest.authorization_id).where(
        AuthorizationRequest.customer_id == customer_id,
        AuthorizationRequest.open,
        AuthorizationRequest.reserved_minor > 0,
    )
    found = await session.execute(
        select(
            Charge.purchase_id,
            func.sum(func.sum(Charge.amount_minor)).over(),
        )
        .where(
            Charge.purchase_id.in_(purchases),
            Charge.customer_id == customer_id,
            Charge.state == ChargeState.HELD,
        )
        .group_by(Charge.purchase_id)
        .order_by(func.min(Charge.created_at))
        .limit(held)
    )
    rows = list(found)
    newest = await latest_ids(session, customer_id, latest)
    waiting = [purchase_id for purchase_id, _ in rows]
    lines = {
        line.purchase.id: line
        for line in await lines_of(session, customer_id, [*{*waiting, *newest}])
    }
    open_lines = [lines[one] for one in waiting if lines[one].status in STILL_OPEN]
    return Activity(
        int(rows[0][1]) if rows else 0,
        sorted(open_lines, key=lambda line: line.release_by),
        [lines[one] for one in newest],
    )


async def cards_of(session: AsyncSession, customer_id: UUID) -> list[Card]:
    """List a customer's cards that are not closed, newest first."""
    found = await session.scalars(
        select(Card)
        .where(Card.customer_id == customer_id, Card.state != CardState.CLOSED)
        .order_by(Card.created_at.desc(), Card.id.desc())
    )
    return list(found)


async def all_cards_of(session: AsyncSession, customer_id: UUID) -> list[Card]:
    """List a customer's cards, closed ones too, by name."""
    found = await session.scalars(
        select(Card)
        .where(Card.customer_id == customer_id)
        .order_by(func.lower(Card.nickname), Card.id)
    )
    return list(found)


async def latest_of(session: AsyncSession, customer_id: UUID, most: int) -> list[Line]:
    """Give a customer's latest purchases, newest first."""
    ids = await latest_ids(session, customer_id, most)
    return await lines_of(session, customer_id, ids)

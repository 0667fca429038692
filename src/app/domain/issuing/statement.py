"""A customer's month: what merchants took and gave back, our fee, and where it went.

Months are UTC's, as the limits of cards are, and a movement belongs to the month it occurred in.
All amounts are minor units of the customer's currency.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.issuing.merchant_names import tidy_name
from app.domain.issuing.models import Authorization, Card, CardTransaction
from app.domain.issuing.owing import Due, Dues
from app.domain.issuing.states import TransactionKind

MOST_SHARES = 8

_FROM_US = text("""
SELECT bought.merchant_name, bought.merchant_category, card.nickname, card.last4,
       coalesce(sum(posting.amount_minor) FILTER (WHERE debit = '4010'), 0)
           - coalesce(sum(posting.amount_minor) FILTER (WHERE credit = '4010'), 0) AS fee,
       coalesce(sum(posting.amount_minor) FILTER (WHERE debit = '5120'), 0)
           - coalesce(sum(posting.amount_minor) FILTER (WHERE credit = '5120'), 0) AS ours
  FROM posting
  JOIN card_authorization AS bought ON bought.id = posting.purchase_id
  LEFT JOIN card ON card.id = bought.card_id
 WHERE posting.purchase_id IN (SELECT purchase_id FROM refund WHERE customer_id = :customer)
   AND posting.occurred_at >= :since AND posting.occurred_at < :until
   AND ('4010' IN (debit, credit) OR '5120' IN (debit, credit))
 GROUP BY 1, 2, 3, 4
""")
"""What merchants' refunds cover of our own (`goodwill_covered`) was given by us before."""


class Part(msgspec.Struct, frozen=True):
    """What one merchant moved in a month under one name, with one card.

    `given_minor`: what we gave back on our own. `fee_minor`: what was charged as ours on it, less
    what went back of that; on what is not paid yet, there is none. `taken`: how often it took
    something.
    """

    merchant: str
    category: str
    card: str
    fee_minor: int
    taken_minor: int = 0
    given_back_minor: int = 0
    given_minor: int = 0
    taken: int = 0

    @property
    def cost_minor(self) -> int:
        return self.taken_minor - self.given_back_minor - self.given_minor + self.fee_minor


class Share(msgspec.Struct, frozen=True):
    """What went to one of them, with our fee, and how much that is of the largest, in percent."""

    name: str
    cost_minor: int
    taken: int
    percent: int


class Statement(msgspec.Struct, frozen=True):
    """A month. `before` and `after`: the months beside it that a customer can look at."""

    start: date
    parts: Sequence[Part]
    before: date | None
    after: date | None

    @property
    def end(self) -> date:
        return next_month(self.start) - timedelta(days=1)

    @property
    def taken_minor(self) -> int:
        return sum(part.taken_minor for part in self.parts)

    @property
    def given_back_minor(self) -> int:
        return sum(part.given_back_minor for part in self.parts)

    @property
    def given_minor(self) -> int:
        return sum(part.given_minor for part in self.parts)

    @property
    def fee_minor(self) -> int:
        return sum(part.fee_minor for part in self.parts)

    @property
    def cost_minor(self) -> int:
        return sum(part.cost_minor for part in self.parts)

    @property
    def taken(self) -> int:
        return sum(part.taken for part in self.parts)

    def shares(self, name_of: Callable[[Part], str]) -> list[Share]:
        """Add up by a name, the largest first; what is small comes last, together."""
        sums: dict[str, tuple[int, int]] = {}
        for part in self.parts:
            cost, taken = sums.get(name_of(part), (0, 0))
            sums[name_of(part)] = (cost + part.cost_minor, taken + part.taken)
        ranked = sorted(sums.items(), key=lambda one: (-one[1][0], one[0]))
        rest = ranked[MOST_SHARES:]
        if len(rest) > 1:
            others = (sum(one[1][0] for one in rest), sum(one[1][1] for one in rest))
            ranked = [*ranked[:MOST_SHARES], (f"{len(rest)} others", others)]
        return list(_shares(ranked))


def _shares(ranked: Sequence[tuple[str, tuple[int, int]]]) -> Iterable[Share]:
    largest = max((cost for _, (cost, _) in ranked), default=0)
    for name, (cost, taken) in ranked:
        percent = max(cost, 0) * 100 // largest if largest > 0 else 0
        yield Share(name, cost, taken, percent)


def next_month(start: date) -> date:
    return (start.replace(day=1) + timedelta(days=32)).replace(day=1)


async def statement_of(
    session: AsyncSession, customer_id: UUID, wanted: date, now: datetime
) -> Statement:
    """Give the month that a day is in; the latest for one that has not come yet.

    `now` is business time.
    """
    today = now.astimezone(UTC).date()
    start = min(wanted, today).replace(day=1)
    first = await session.scalar(
        select(func.min(CardTransaction.occurred_at)).where(
            CardTransaction.customer_id == customer_id
        )
    )
    before = (start - timedelta(days=1)).replace(day=1)
    after = next_month(start)
    has_before = first is not None and first.astimezone(UTC).date() < start
    return Statement(
        start=start,
        parts=[
            *await _moved(session, customer_id, start, after),
            *await _given_back(session, customer_id, start, after),
        ],
        before=before if has_before else None,
        after=after if after <= today else None,
    )


async def unpaid_in(session: AsyncSession, statement: Statement, dues: Dues) -> int:
    """Give what of a month's cost is not paid, our fee apart. `dues`: all that is open.

    It counts in the month in which its merchant took it, which may end before a debt is opened.
    """
    moved = await session.scalars(
        select(CardTransaction).where(
            CardTransaction.authorization_id.in_({due.debt.purchase_id for due in dues.each})
        )
    )
    known = moved.all()
    days = [(due, _taken_at(due, known).astimezone(UTC).date()) for due in dues.each]
    return sum(due.principal_minor for due, day in days if statement.start <= day <= statement.end)


def _taken_at(due: Due, moved: Sequence[CardTransaction]) -> datetime:
    """Give when a merchant took what a debt stands for: the last such movement before it."""
    debt = due.debt
    kind = TransactionKind.REFUND if debt.refund_reversed else TransactionKind.CAPTURE
    before = (
        one.occurred_at
        for one in moved
        if (one.authorization_id, one.kind) == (debt.purchase_id, kind)
        and one.occurred_at <= debt.opened_at
    )
    return max(before, default=debt.opened_at)


async def _moved(session: AsyncSession, customer_id: UUID, start: date, end: date) -> list[Part]:
    moved, bought = CardTransaction, Authorization
    found = await session.execute(
        select(
            bought.merchant_name,
            bought.merchant_category,
            Card.nickname,
            Card.last4,
            -func.coalesce(_sum(TransactionKind.CAPTURE), 0),
            func.coalesce(_sum(TransactionKind.REFUND), 0),
            func.sum(moved.earned_minor),
            func.count().filter(moved.kind == TransactionKind.CAPTURE),
        )
        .join(bought, bought.id == moved.authorization_id)
        .outerjoin(Card, Card.id == bought.card_id)
        .where(
            moved.customer_id == customer_id,
            moved.occurred_at >= _midnight(start),
            moved.occurred_at < _midnight(end),
        )
        .group_by(bought.merchant_name, bought.merchant_category, Card.nickname, Card.last4)
    )
    return [
        Part(
            *_named(*names),
            fee_minor=int(fee),
            taken_minor=int(taken),
            given_back_minor=int(given_back),
            taken=count,
        )
        for *names, taken, given_back, fee, count in found
    ]


async def _given_back(
    session: AsyncSession, customer_id: UUID, start: date, end: date
) -> list[Part]:
    """Read from the books what of our fee went back, and what we gave on our own."""
    given = {"customer": customer_id, "since": _midnight(start), "until": _midnight(end)}
    found = await session.execute(_FROM_US, given)
    return [
        Part(*_named(*names), fee_minor=-int(fee), given_minor=int(ours))
        for *names, fee, ours in found
    ]


def _named(
    merchant: str, category: str, nickname: str | None, last4: str | None
) -> tuple[str, str, str]:
    card = f"{nickname} ••••\N{NO-BREAK SPACE}{last4}" if last4 else "No card of ours"
    return tidy_name(merchant), category, card


def _sum(kind: TransactionKind) -> ColumnElement[int]:
    return func.sum(CardTransaction.amount_minor).filter(CardTransaction.kind == kind)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)

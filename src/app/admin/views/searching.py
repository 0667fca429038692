"""The search box: one term, understood as what it looks like."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, any_, false, func, literal, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.domain.funding.models import FundingSource
from app.domain.identity.models import Customer
from app.domain.issuing.models import Authorization, Card
from app.money import parse_amount

_STRIPE_ID = re.compile(r"[a-z]{2,7}_[A-Za-z0-9_]{4,}")
_AMOUNT = re.compile(r"\d[\d,]*\.\d{2}")
_DIGITS = re.compile(r"\d{4}")

MOST_VALUES = 20_000
MOST_NAMES = 1_000
# Each value is stepped to by the index once, however many rows have it.
_STEPPED = """
WITH RECURSIVE name AS (
    (SELECT {column} AS text FROM {table} WHERE {column} IS NOT NULL ORDER BY {column} LIMIT 1)
    UNION ALL
    SELECT (SELECT {column} FROM {table} WHERE {column} > name.text ORDER BY {column} LIMIT 1)
      FROM name WHERE name.text IS NOT NULL
)
SELECT text FROM name WHERE text ILIKE :part LIMIT :most
"""


class Match(msgspec.Struct, frozen=True):
    """A condition, and whether an index finds its rows or most rows have to be looked at."""

    condition: ColumnElement[bool]
    reads_through: bool = False


class Search(msgspec.Struct, frozen=True):
    """Which columns of a list a term is looked for in. What is left out is not searched.

    `names` have few different values and an index that begins with them: these are stepped through.
    `keys` gives the whole values of a column that a term may stand for. `texts` are read through.
    """

    hint: str
    ids: Sequence[Any] = ()
    address: Any = None
    names: Sequence[Any] = ()
    keys: Sequence[tuple[Any, Callable[[str], Sequence[str]]]] = ()
    texts: Sequence[Any] = ()
    amount: Any = None
    customer: Any = None
    card: Any = None
    source: Any = None
    purchase: Any = None

    async def matching(self, session: AsyncSession, term: str) -> Match:
        """Give the condition for a term, and whether most rows have to be looked at for it."""
        found = await self._parts(session, term)
        return Match(
            or_(false(), *(one.condition for one in found)),
            reads_through=any(one.reads_through for one in found),
        )

    async def _parts(self, session: AsyncSession, term: str) -> list[Match]:
        """Give the condition for a term: Stripe's id, e-mail, amount, last four digits, or text.

        Ids and e-mail addresses have to be complete. What a term names elsewhere is looked up here,
        so that the condition holds values only and an index serves each part of it.
        """
        if _STRIPE_ID.fullmatch(term) and self.ids:
            return [Match(column == term) for column in self.ids]
        if "@" in term and self.customer is not None:
            addressed = func.lower(Customer.email) == term.lower()
            return [await _among(session, self.customer, Customer.id, addressed)]
        if "@" in term and self.address is not None:
            return [Match(self.address == term)]
        found = [Match(column.icontains(term, autoescape=True)) for column in self.texts]
        found += [await _named(session, column, term) for column in self.names]
        found += [Match(one_of(column, meant(term))) for column, meant in self.keys]
        if _AMOUNT.fullmatch(term) and self.amount is not None:
            minor = parse_amount(term)
            found.append(Match(self.amount.in_((minor, -minor))))
        if _DIGITS.fullmatch(term):
            found += await self._by_last4(session, term)
        if self.purchase is not None:
            found.append(await _at_merchant(session, self.purchase, term))
        if self.customer is not None:
            name = Customer.first_name + " " + Customer.last_name
            called = name.icontains(term, autoescape=True)
            found.append(await _among(session, self.customer, Customer.id, called))
        return found

    async def _by_last4(self, session: AsyncSession, term: str) -> list[Match]:
        found = []
        if self.card is not None:
            found.append(await _among(session, self.card, Card.id, Card.last4 == term))
        if self.source is not None:
            ours = FundingSource.last4 == term
            found.append(await _among(session, self.source, FundingSource.id, ours))
        return found


def whole(term: str) -> list[str]:
    """Take a term as a value that is given in full."""
    return [term]


async def _among(
    session: AsyncSession, column: Any, key: Any, condition: ColumnElement[bool]
) -> Match:
    """Give that a column holds one of the keys of rows: their values, unless there are too many."""
    values = list(await session.scalars(select(key).where(condition).limit(MOST_VALUES + 1)))
    if len(values) <= MOST_VALUES:
        return Match(one_of(column, values))
    return Match(column.in_(select(key).where(condition)))


async def _named(session: AsyncSession, column: Any, term: str) -> Match:
    """Give that a column holds one of its values that have the term in them."""
    values = await _values(session, column, term)
    return Match(_holding(column, term, values))


async def _at_merchant(session: AsyncSession, column: Any, term: str) -> Match:
    """Give that a column holds a purchase at a merchant whose name has the term in it.

    Of merchants where very many purchases were made, the name is looked up row by row: the newest
    rows that match are soon found.
    """
    name = Authorization.merchant_name
    values = await _values(session, name, term)
    there = _holding(name, term, values)
    some = select(literal(1)).where(there).limit(MOST_VALUES + 1).subquery()
    if (await session.scalar(select(func.count()).select_from(some)) or 0) <= MOST_VALUES:
        ids = await session.scalars(select(Authorization.id).where(there))
        return Match(one_of(column, list(ids)))
    its = aliased(Authorization)
    named = select(its.merchant_name).where(its.id == column).scalar_subquery()
    return Match(_holding(named, term, values), reads_through=True)


def _holding(column: Any, term: str, values: Sequence[str]) -> ColumnElement[bool]:
    """Give that a column holds one of the values, or has the term in it where they are too many."""
    if len(values) <= MOST_NAMES:
        return one_of(column, values)
    read: ColumnElement[bool] = column.icontains(term, autoescape=True)
    return read


async def _values(session: AsyncSession, column: Any, term: str) -> list[str]:
    """Give the values of a column that have the term in them, MOST_NAMES and one more at most."""
    stepped = _STEPPED.format(column=column.key, table=column.class_.__tablename__)
    escaped = term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    given = {"part": f"%{escaped}%", "most": MOST_NAMES + 1}
    return list(await session.scalars(text(stepped), given))


def one_of(column: Any, values: Sequence[Any]) -> ColumnElement[bool]:
    """Give that a column holds one of the values, which are sent as one."""
    among: ColumnElement[bool] = column == any_(literal(values, ARRAY(column.type)))
    return among

"""The search box: one term, understood as what it looks like."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, any_, false, func, literal, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.models import FundingSource
from app.domain.identity.models import Customer
from app.domain.issuing.models import Authorization, Card
from app.money import parse_amount

_STRIPE_ID = re.compile(r"[a-z]{2,7}_[A-Za-z0-9_]{4,}")
_AMOUNT = re.compile(r"\d[\d,]*\.\d{2}")
_DIGITS = re.compile(r"\d{4}")

MOST_VALUES = 5_000
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

    async def matching(self, session: AsyncSession, term: str) -> ColumnElement[bool]:
        """Give the condition for a term: Stripe's id, e-mail, amount, last four digits, or text.

        Ids and e-mail addresses have to be complete. What a term names elsewhere is looked up here,
        so that the condition holds values only and an index serves each part of it.
        """
        if _STRIPE_ID.fullmatch(term) and self.ids:
            return or_(false(), *(column == term for column in self.ids))
        if "@" in term and self.customer is not None:
            addressed = func.lower(Customer.email) == term.lower()
            return or_(false(), self.customer.in_(select(Customer.id).where(addressed)))
        if "@" in term and self.address is not None:
            return or_(false(), self.address == term)
        found = [column.icontains(term, autoescape=True) for column in self.texts]
        found += [await _named(session, column, term) for column in self.names]
        found += [_one_of(column, meant(term)) for column, meant in self.keys]
        if _AMOUNT.fullmatch(term) and self.amount is not None:
            minor = parse_amount(term)
            found.append(self.amount.in_((minor, -minor)))
        if _DIGITS.fullmatch(term):
            found += await self._by_last4(session, term)
        if self.purchase is not None:
            merchant = await _named(session, Authorization.merchant_name, term)
            found.append(await _among(session, self.purchase, Authorization.id, merchant))
        if self.customer is not None:
            name = Customer.first_name + " " + Customer.last_name
            called = name.icontains(term, autoescape=True)
            found.append(await _among(session, self.customer, Customer.id, called))
        return or_(false(), *found)

    async def _by_last4(self, session: AsyncSession, term: str) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
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
) -> ColumnElement[bool]:
    """Give that a column holds one of the keys of rows: their values, unless there are too many."""
    values = list(await session.scalars(select(key).where(condition).limit(MOST_VALUES + 1)))
    if len(values) <= MOST_VALUES:
        return _one_of(column, values)
    among: ColumnElement[bool] = column.in_(select(key).where(condition))
    return among


async def _named(session: AsyncSession, column: Any, term: str) -> ColumnElement[bool]:
    """Give that a column holds one of its values that have the term in them."""
    stepped = _STEPPED.format(column=column.key, table=column.class_.__tablename__)
    escaped = term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    given = {"part": f"%{escaped}%", "most": MOST_NAMES + 1}
    values = list(await session.scalars(text(stepped), given))
    if len(values) > MOST_NAMES:
        read: ColumnElement[bool] = column.icontains(term, autoescape=True)
        return read
    return _one_of(column, values)


def _one_of(column: Any, values: Sequence[Any]) -> ColumnElement[bool]:
    """Give that a column holds one of the values, which are sent as one."""
    among: ColumnElement[bool] = column == any_(literal(values, ARRAY(column.type)))
    return among

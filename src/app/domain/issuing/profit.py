"""Profit as the books have it: what was earned in a period, what it cost, what is still to come.

Every figure is a sum of postings, in minor units of US dollars, by when the fact occurred: a fee is
earned on the day of its capture. Days are those of a time zone that the caller names.
"""

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.issuing.profit_days import (
    COUNTED,
    FUNDING,
    LEGS,
    NOBODY,
    SIZE,
    TOUCHES,
    size_in_words,
    sums_by,
)
from app.domain.ledger.accounts import Account
from app.domain.ledger.journals import Layer
from app.domain.ledger.rollups import day_sums
from app.money import Currency


class By(StrEnum):
    """What profit is broken down by.

    FUNDING: credit, debit or prepaid, of the card that paid. COUNTRY: the merchant's. SIZE: by what
    was asked for first, or taken without asking.
    """

    DAY = "day"
    FUNDING = "funding"
    CATEGORY = "category"
    CUSTOMER = "customer"
    COUNTRY = "country"
    SIZE = "size"


TRAITS = frozenset({By.FUNDING, By.CATEGORY, By.COUNTRY, By.SIZE})
"""Of these, whole days are read from sums; of a customer they are not kept."""


class ProfitRow(msgspec.Struct, frozen=True):
    """What one day, category, customer or kind of linked card earned and cost, in minor units.

    `key` is a date, Stripe's word, or our id; `label` is for people.
    """

    key: str
    label: str
    fees_minor: int = 0
    returned_minor: int = 0
    interchange_minor: int = 0
    processing_minor: int = 0
    dispute_fees_minor: int = 0
    issuing_fees_minor: int = 0
    ghost_fees_minor: int = 0
    bad_debt_minor: int = 0
    dispute_losses_minor: int = 0
    goodwill_minor: int = 0

    @property
    def gross_minor(self) -> int:
        """What was earned, less what of it went back with refunds."""
        return self.fees_minor - self.returned_minor + self.interchange_minor

    @property
    def costs_minor(self) -> int:
        return (
            self.processing_minor
            + self.dispute_fees_minor
            + self.issuing_fees_minor
            + self.ghost_fees_minor
            + self.bad_debt_minor
            + self.dispute_losses_minor
            + self.goodwill_minor
        )

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.costs_minor


class ExpectedRow(msgspec.Struct, frozen=True):
    """Fees that open purchases of one day, category, customer or kind of card will bring."""

    key: str
    label: str
    fee_minor: int
    purchases: int


SIGNED = {
    "fees_minor": (Account.FEE_REVENUE, -1),
    "returned_minor": (Account.FEE_RETURNED, 1),
    "interchange_minor": (Account.INTERCHANGE, -1),
    "processing_minor": (Account.PROCESSING_FEES, 1),
    "dispute_fees_minor": (Account.DISPUTE_FEES, 1),
    "issuing_fees_minor": (Account.ISSUING_FEES, 1),
    "ghost_fees_minor": (Account.GHOST_CHARGE_FEES, 1),
    "bad_debt_minor": (Account.BAD_DEBT, 1),
    "dispute_losses_minor": (Account.DISPUTE_LOSSES, 1),
    "goodwill_minor": (Account.GOODWILL, 1),
}
"""By figure: its account, and whether its debits (1) or its credits (-1) count for it."""
# By what it is broken down by: key, label, and what has to be joined to find them.
_GROUPS = {
    By.DAY: ("({at} AT TIME ZONE :zone)::date", "({at} AT TIME ZONE :zone)::date", ""),
    By.CATEGORY: (
        "purchase.merchant_category",
        "replace(purchase.merchant_category, '_', ' ')",
        "LEFT JOIN card_authorization AS purchase ON purchase.id = {row}",
    ),
    By.CUSTOMER: (
        "{customer}",
        "customer.first_name || ' ' || customer.last_name",
        "LEFT JOIN customer ON customer.id = {customer}",
    ),
    By.FUNDING: ("paid.funding", "paid.funding", FUNDING),
    By.COUNTRY: (
        "purchase.merchant_country",
        "purchase.merchant_country",
        "LEFT JOIN card_authorization AS purchase ON purchase.id = {row}",
    ),
    By.SIZE: ("sized.least", "sized.least", SIZE),
}
_PROFIT = """
SELECT coalesce(({key})::text, :nobody) AS key, coalesce(({label})::text, :nobody) AS label,
       leg.account, sum(leg.debit_minor)::bigint AS minor
  FROM journal
{legs}
{joins}
 WHERE journal.occurred_at >= :since AND journal.occurred_at < :until
   AND {touches}
 GROUP BY 1, 2, 3 ORDER BY 1
"""
# The fee of an open purchase is deferred: promised on the held layer, or paid and not earned.
_EXPECTED = """
WITH still_open AS (
    SELECT DISTINCT authorization_id AS id FROM authorization_request
     WHERE open AND reserved_minor > 0
), deferred AS (
    SELECT bought.id, bought.occurred_at, bought.customer_id,
           (SELECT sum(CASE :deferred WHEN posting.credit THEN amount_minor ELSE -amount_minor END)
              FROM posting
             WHERE posting.purchase_id = bought.id AND posting.currency = :currency
               AND :deferred IN (posting.credit, posting.debit)) AS fee_minor
      FROM still_open JOIN card_authorization AS bought USING (id)
)
SELECT coalesce(({key})::text, :nobody) AS key, coalesce(({label})::text, :nobody) AS label,
       sum(deferred.fee_minor)::bigint AS fee_minor, count(*) AS purchases
  FROM deferred {joins}
 WHERE deferred.fee_minor > 0
 GROUP BY 1, 2 ORDER BY 1
"""


async def profit(
    session: AsyncSession, *, since: datetime, until: datetime, by: By, zone: ZoneInfo
) -> list[ProfitRow]:
    """Give what was earned and what it cost from a moment to before another, by key.

    The rows add up to the accounts of income and expense in the period, to the cent. Whole days
    are read from sums, except by customer.
    """
    if by is not By.CUSTOMER and _is_midnight(since, zone) and _is_midnight(until, zone):
        first, after = since.astimezone(zone).date(), until.astimezone(zone).date()
        days = (first, after - timedelta(days=1))
        if by is By.DAY:
            return await _by_day(session, *days, zone)
        return await _by_trait(session, by, *days, zone)
    found = await session.execute(
        text(_written(_PROFIT, by, "journal.occurred_at", "journal.purchase_id", "journal")),
        {
            **_common(by, zone),
            "since": since,
            "until": until,
            "accounts": COUNTED,
        },
    )
    figures: dict[tuple[str, str], dict[str, int]] = {}
    for key, label, account, minor in found:
        figures.setdefault((key, label), {})[account] = minor
    return [_row(key, in_words(by, key, label), sums) for (key, label), sums in figures.items()]


async def expected(session: AsyncSession, *, by: By, zone: ZoneInfo) -> list[ExpectedRow]:
    """Give the fees still to come from purchases that are open now, by key.

    By day: that of the purchase.
    """
    found = await session.execute(
        text(_written(_EXPECTED, by, "deferred.occurred_at", "deferred.id", "deferred")),
        {**_common(by, zone), "deferred": Account.DEFERRED_FEE.value},
    )
    return [
        ExpectedRow(key, in_words(by, key, label), fee, count) for key, label, fee, count in found
    ]


def in_words(by: By, key: str, label: str) -> str:
    """Name a key for people; `label` is what the database has for it."""
    if key == NOBODY:
        return "no purchase" if by is not By.FUNDING else "no linked card"
    if by is By.CATEGORY:
        return key.replace("_", " ")
    return size_in_words(key) if by is By.SIZE else label


async def _by_trait(
    session: AsyncSession, by: By, first: date, last: date, zone: ZoneInfo
) -> list[ProfitRow]:
    figures: dict[str, dict[str, int]] = {}
    for one in await sums_by(session, by.value, first, last, zone):
        figures.setdefault(one.key, {})[one.account] = one.net_minor
    return [_row(key, in_words(by, key, key), sums) for key, sums in figures.items()]


async def _by_day(
    session: AsyncSession, first: date, last: date, zone: ZoneInfo
) -> list[ProfitRow]:
    figures: dict[str, dict[str, int]] = {}
    for one in await day_sums(session, first, last, zone):
        counted = one.account in COUNTED and one.layer == Layer.POSTED
        if counted and one.currency == Currency.USD:
            sums = figures.setdefault(one.day.isoformat(), {})
            sums[one.account] = one.debit_minor - one.credit_minor
    return [_row(day, day, sums) for day, sums in figures.items()]


def _is_midnight(moment: datetime, zone: ZoneInfo) -> bool:
    return moment.astimezone(zone).time() == time()


def total(rows: list[ProfitRow]) -> ProfitRow:
    """Give the sum of rows."""
    figures = {name: sum(getattr(row, name) for row in rows) for name in SIGNED}
    return ProfitRow("total", "Total", **figures)


def _written(statement: str, by: By, at: str, row: str, whose: str) -> str:
    parts = {"at": at, "row": row, "customer": f"{whose}.customer_id"}
    key, label, joins = (part.format(**parts) for part in _GROUPS[by])
    return statement.format(key=key, label=label, joins=joins, legs=LEGS, touches=TOUCHES)


def _common(by: By, zone: ZoneInfo) -> dict[str, object]:
    values: dict[str, object] = {"nobody": NOBODY, "currency": Currency.USD.value}
    return values | ({"zone": zone.key} if by is By.DAY else {})


def _row(key: str, label: str, sums: dict[str, int]) -> ProfitRow:
    figures = {name: sign * sums.get(account, 0) for name, (account, sign) in SIGNED.items()}
    return ProfitRow(key, label, **figures)

"""Profit by what it came from, day by day: sums that follow the journals and are read for them.

A journal's purchase has one kind of linked card, category, country and size; each is summed by
itself, so the keys of one add up to the accounts of income and expense.
"""

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

import msgspec
from advanced_alchemy.base import DefaultBase
from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Sessions, Table
from app.domain.ledger.accounts import Account, AccountKind, kind_of
from app.domain.ledger.rollups import BEFORE_ALL, locked_mark
from app.domain.sealing.horizon import oldest_running
from app.money import Currency, readable

assert Table.registry  # its column types are this module's too
NAME = "profit_day"
NOBODY = "-"
"""The key of what belongs to no purchase, or to a purchase of nobody."""
COUNTED = [
    account.value
    for account in Account
    if kind_of(account) in {AccountKind.INCOME, AccountKind.EXPENSE}
]
SIZES: Sequence[int] = (0, 10_00, 50_00, 200_00, 1_000_00)
"""From which amount on a purchase is of each size, in minor units."""

FUNDING = """
    LEFT JOIN LATERAL (
        SELECT source.funding FROM charge
          JOIN funding_source AS source ON source.id = charge.funding_source_id
         WHERE charge.purchase_id = {row}
           AND charge.state IN ('held', 'captured', 'refunded', 'canceled')
         ORDER BY charge.captured_minor > 0 DESC, charge.id LIMIT 1) AS paid ON true
"""
ASKED = """
    (SELECT coalesce((SELECT amount_minor FROM authorization_request
                       WHERE authorization_id = bought.id ORDER BY ordinal LIMIT 1),
                     (SELECT -amount_minor FROM card_transaction
                       WHERE bought.forced AND authorization_id = bought.id AND kind = 'capture'
                       ORDER BY occurred_at, id LIMIT 1),
                     bought.amount_minor)
       FROM card_authorization AS bought WHERE bought.id = {row})
"""
"""What a purchase asked for first, which its size is by; what was taken of one that never asked."""
SIZE = f"""
    LEFT JOIN LATERAL (
        SELECT max(least)::text AS least
          FROM unnest(ARRAY[{", ".join(map(str, SIZES))}]) AS size (least),
               (SELECT {ASKED} AS minor OFFSET 0) AS asked
         WHERE size.least <= asked.minor) AS sized ON true
"""  # noqa: S608  numbers of ours; OFFSET 0: it is found once, not for each size
LEGS = """
 CROSS JOIN LATERAL (
       SELECT debit AS account, amount AS debit_minor
         FROM unnest(debits, amounts, layers) AS one (debit, amount, layer)
        WHERE layer = 'posted' AND debit = ANY (:accounts)
        UNION ALL
       SELECT credit, -amount FROM unnest(credits, amounts, layers) AS one (credit, amount, layer)
        WHERE layer = 'posted' AND credit = ANY (:accounts)) AS leg
"""
TOUCHES = "journal.currency = :currency AND (debits && :accounts OR credits && :accounts)"
_MARK = f"(SELECT until_transaction FROM rollup_mark WHERE name = '{NAME}' AND time_zone = :zone)"  # noqa: S608  ours


def _summed(which: str) -> str:
    """Sum some journals by day, trait, key and account."""
    return f"""
SELECT (journal.occurred_at AT TIME ZONE :zone)::date AS day, trait.name AS trait,
       coalesce(trait.key, '{NOBODY}') AS key, leg.account,
       sum(leg.debit_minor)::bigint AS net_minor
  FROM journal {LEGS}
  LEFT JOIN card_authorization AS purchase ON purchase.id = journal.purchase_id
  {FUNDING.format(row="journal.purchase_id")}
  {SIZE.format(row="journal.purchase_id")}
 CROSS JOIN LATERAL (VALUES ('funding', paid.funding), ('category', purchase.merchant_category),
       ('country', purchase.merchant_country), ('size', sized.least)) AS trait (name, key)
 WHERE {which} AND {TOUCHES}
 GROUP BY 1, 2, 3, 4
"""  # noqa: S608  texts of ours, here and below


_ADD = text(f"""
INSERT INTO profit_day AS kept (day, trait, key, account, net_minor)
{_summed("journal.transaction_id >= :since AND journal.transaction_id < :until")}
ON CONFLICT (day, trait, key, account)
DO UPDATE SET net_minor = kept.net_minor + excluded.net_minor
""")
# In one statement, and so as of one moment: the sums, and the journals they have not followed yet.
_SUMS = text(f"""
SELECT key, account, sum(net_minor)::bigint
  FROM (SELECT day, trait, key, account, net_minor FROM profit_day WHERE {_MARK} IS NOT NULL
         UNION ALL
        SELECT * FROM ({_summed(f"journal.transaction_id >= coalesce({_MARK}, 0)")}) AS new) AS one
 WHERE trait = :trait AND day >= :first AND day <= :last
 GROUP BY 1, 2 ORDER BY 1, 2
""")  # noqa: S608


class ProfitDay(DefaultBase):
    """What an account of income or expense has of one day and one key; follows the journals."""

    __tablename__ = NAME

    day: Mapped[date] = mapped_column(primary_key=True)
    # What the key is of: funding, category, country or size.
    trait: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(primary_key=True)
    # Debits less credits, in minor units of US dollars.
    net_minor: Mapped[int]


class TraitSum(msgspec.Struct, frozen=True):
    """Debits less credits of an account for one key, in minor units."""

    key: str
    account: str
    net_minor: int


async def follow(sessions: Sessions, zone: ZoneInfo) -> int:
    """Add the journals that are not in the sums yet; give up to which transaction they are."""
    async with sessions.begin() as session:
        mark = await locked_mark(session, NAME, zone)
        if mark.time_zone != zone.key:
            await session.execute(delete(ProfitDay))
            mark.until_transaction, mark.time_zone = BEFORE_ALL, zone.key
        since = mark.until_transaction
        horizon = await oldest_running(session, since)
        await session.execute(_ADD, _given(zone) | {"since": since, "until": horizon})
        mark.until_transaction = horizon
        return horizon


async def sums_by(
    session: AsyncSession, trait: str, first: date, last: date, zone: ZoneInfo
) -> list[TraitSum]:
    """Give the sums of the days from the first to the last, both included; exact at this moment."""
    values = _given(zone) | {"trait": trait, "first": first, "last": last}
    return [TraitSum(*row) for row in await session.execute(_SUMS, values)]


def size_in_words(key: str) -> str:
    """Name a size: 1000 is “10.00 to 49.99”."""
    least = int(key)
    place = SIZES.index(least)
    if place + 1 == len(SIZES):
        return f"{readable(least)} and more"
    most = readable(SIZES[place + 1] - 1)
    return f"{readable(least)} to {most}" if least else f"up to {most}"


def _given(zone: ZoneInfo) -> dict[str, object]:
    return {"zone": zone.key, "accounts": COUNTED, "currency": Currency.USD.value}

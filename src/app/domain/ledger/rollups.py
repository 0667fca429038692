"""Sums that follow the journals: accounts by day, and what clearing accounts have by purchase.

They are read in the place of millions of postings. A journal is added once no transaction that
began before its own still runs, so none is missed and none is added twice.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import RowMapping, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.domain.ledger.accounts import CLEARING
from app.domain.ledger.balances import Balance
from app.domain.ledger.models import AccountDay, OpenClearing, RollupMark
from app.domain.sealing.horizon import oldest_running
from app.money import readable

DAYS = "account_day"
BEFORE_ALL = 0
CLEARING_CODES = ", ".join(f"'{account.value}'" for account in sorted(CLEARING))
# How far the sums are, of whatever time zone, and in the one that is asked for.
MARK = f"(SELECT until_transaction FROM rollup_mark WHERE name = '{DAYS}')"  # noqa: S608  ours
MARK_OF_ZONE = f"{MARK[:-1]} AND time_zone = :zone)"


def _by_day(which: str) -> str:
    """Sum the postings of some journals by day, account, layer and currency."""
    return f"""
SELECT (occurred_at AT TIME ZONE :zone)::date AS day, account, layer, currency,
       sum(debit_minor)::bigint AS debit_minor, sum(credit_minor)::bigint AS credit_minor
  FROM ({_legs(which)}) AS leg GROUP BY 1, 2, 3, 4
"""  # noqa: S608  texts of ours, here and below


def _by_purchase(which: str) -> str:
    """Sum what some journals did to the clearing accounts by purchase, zeros left out."""
    return f"""
SELECT purchase_id, account, layer, currency,
       sum(debit_minor - credit_minor)::bigint AS net_minor
  FROM ({_legs(which)}) AS leg
 WHERE purchase_id IS NOT NULL AND account IN ({CLEARING_CODES})
 GROUP BY 1, 2, 3, 4 HAVING sum(debit_minor - credit_minor) <> 0
"""  # noqa: S608


def _legs(which: str) -> str:
    return f"""
SELECT journal.occurred_at, journal.purchase_id, leg.account, leg.layer, journal.currency,
       leg.debit_minor, leg.credit_minor
  FROM journal
 CROSS JOIN LATERAL (
       SELECT debit AS account, layer, amount AS debit_minor, 0 AS credit_minor
         FROM unnest(debits, amounts, layers) AS one (debit, amount, layer)
        UNION ALL
       SELECT credit, layer, 0, amount
         FROM unnest(credits, amounts, layers) AS one (credit, amount, layer)) AS leg
 WHERE {which}
"""  # noqa: S608


_NEW = "journal.transaction_id >= :since AND journal.transaction_id < :until"
_ADD_DAYS = text(f"""
INSERT INTO account_day AS kept (day, account, layer, currency, debit_minor, credit_minor)
{_by_day(_NEW)}
ON CONFLICT (day, account, layer, currency) DO UPDATE
   SET debit_minor = kept.debit_minor + excluded.debit_minor,
       credit_minor = kept.credit_minor + excluded.credit_minor
""")  # noqa: S608
_ADD_CLEARING = text(f"""
INSERT INTO open_clearing AS kept (purchase_id, account, layer, currency, net_minor)
{_by_purchase(_NEW)}
ON CONFLICT (purchase_id, account, layer, currency) DO UPDATE
   SET net_minor = kept.net_minor + excluded.net_minor
""")  # noqa: S608
_FOLLOWED = f"journal.transaction_id < {MARK}"
_DIFFERENT_DAYS = text(f"""
SELECT day, account, layer, currency,
       coalesce(kept.debit_minor, 0) AS kept_debit, coalesce(kept.credit_minor, 0) AS kept_credit,
       coalesce(summed.debit_minor, 0) AS debit, coalesce(summed.credit_minor, 0) AS credit
  FROM account_day AS kept
  FULL JOIN ({_by_day(_FOLLOWED)}) AS summed USING (day, account, layer, currency)
 WHERE (kept.debit_minor, kept.credit_minor)
       IS DISTINCT FROM (summed.debit_minor, summed.credit_minor)
 ORDER BY day, account, layer, currency LIMIT :most
""")  # noqa: S608
_DIFFERENT_CLEARING = text(f"""
SELECT purchase_id, account, layer, currency, coalesce(kept.net_minor, 0) AS kept_net,
       coalesce(summed.net_minor, 0) AS net
  FROM open_clearing AS kept
  FULL JOIN ({_by_purchase(_FOLLOWED)}) AS summed USING (purchase_id, account, layer, currency)
 WHERE kept.net_minor IS DISTINCT FROM summed.net_minor
 ORDER BY purchase_id, account, layer, currency LIMIT :most
""")  # noqa: S608
# In one statement, and so as of one moment: the sums, and the journals they have not followed yet.
_SUMS = text(f"""
SELECT account, layer, currency, day, sum(debit_minor)::bigint, sum(credit_minor)::bigint
  FROM (SELECT day, account, layer, currency, debit_minor, credit_minor FROM account_day
         WHERE {MARK_OF_ZONE} IS NOT NULL
         UNION ALL
        {_by_day(f"journal.transaction_id >= coalesce({MARK_OF_ZONE}, 0)")}) AS entry
 WHERE day >= :first AND day <= :last
 GROUP BY 1, 2, 3, 4 ORDER BY 4, 1, 2, 3
""")  # noqa: S608
_TOTALS = text(f"""
SELECT account, layer, currency,
       sum(debit_minor)::bigint AS debit_minor, sum(credit_minor)::bigint AS credit_minor
  FROM (SELECT account, layer, currency, debit_minor, credit_minor FROM account_day
         UNION ALL
        SELECT account, layer, currency, debit_minor, credit_minor
          FROM ({_legs(f"journal.transaction_id >= coalesce({MARK}, 0)")}) AS leg) AS entry
 GROUP BY 1, 2, 3 ORDER BY layer DESC, account, currency
""")  # noqa: S608

_BEFORE = text(f"""
SELECT account, layer, currency,
       sum(debit_minor)::bigint AS debit_minor, sum(credit_minor)::bigint AS credit_minor
  FROM (SELECT account, layer, currency, debit_minor, credit_minor FROM account_day
         WHERE {MARK_OF_ZONE} IS NOT NULL AND day < :day
         UNION ALL
        SELECT account, layer, currency, debit_minor, credit_minor
          FROM ({_legs(f"journal.transaction_id >= coalesce({MARK_OF_ZONE}, 0)")}) AS leg
         WHERE occurred_at < :midnight
         UNION ALL
        SELECT account, layer, currency, debit_minor, credit_minor
          FROM ({_legs("occurred_at >= :midnight AND occurred_at < :before")}) AS leg) AS entry
 GROUP BY 1, 2, 3 ORDER BY layer DESC, account, currency
""")  # noqa: S608


class DaySum(msgspec.Struct, frozen=True):
    """What was debited and credited to an account on a day, in minor units."""

    account: str
    layer: str
    currency: str
    day: date
    debit_minor: int
    credit_minor: int


async def follow(sessions: Sessions, zone: ZoneInfo) -> int:
    """Add the journals that are not in the sums yet; give up to which transaction they are.

    When the time zone is another one than before, every day is made anew.
    """
    async with sessions.begin() as session:
        return await _follow(session, await locked_mark(session, DAYS, zone), zone)


async def rebuild(sessions: Sessions, zone: ZoneInfo) -> int:
    """Throw the sums away and make them anew from the journals."""
    async with sessions.begin() as session:
        mark = await locked_mark(session, DAYS, zone)
        await session.execute(delete(AccountDay))
        await session.execute(delete(OpenClearing))
        mark.until_transaction, mark.time_zone = BEFORE_ALL, zone.key
        return await _follow(session, mark, zone)


async def differences(session: AsyncSession, most: int = 20) -> list[str]:
    """Say where the sums are not those of the journals they have followed: nowhere, or a bug."""
    mark = await session.get(RollupMark, DAYS)
    if mark is None:
        return []
    days = await session.execute(_DIFFERENT_DAYS, {"zone": mark.time_zone, "most": most})
    clearing = await session.execute(_DIFFERENT_CLEARING, {"most": most})
    return [*_of_days(days.mappings().all()), *_of_clearing(clearing.mappings().all())]


async def day_sums(session: AsyncSession, first: date, last: date, zone: ZoneInfo) -> list[DaySum]:
    """Give the sums of the days from the first to the last, both included; exact at this moment.

    Days of another time zone than the business's are summed from the journals.
    """
    found = await session.execute(_SUMS, {"zone": zone.key, "first": first, "last": last})
    return [DaySum(*row) for row in found]


async def totals(session: AsyncSession) -> list[Balance]:
    """Give every account's balance, by layer and currency; exact at this moment."""
    found = await session.execute(_TOTALS)
    return [msgspec.convert(dict(row), Balance) for row in found.mappings()]


async def balances_before(session: AsyncSession, before: datetime, zone: ZoneInfo) -> list[Balance]:
    """Give what balances.trial_balance gives, from the sums of whole days and a day's journals."""
    day = before.astimezone(zone).date()
    midnight = datetime.combine(day, time(), zone)
    values = {"zone": zone.key, "day": day, "midnight": midnight, "before": before}
    found = await session.execute(_BEFORE, values)
    return [msgspec.convert(dict(row), Balance) for row in found.mappings()]


async def locked_mark(session: AsyncSession, name: str, zone: ZoneInfo) -> RollupMark:
    """Give how far some sums are, locked: two workers do not add the same journals."""
    row = {"name": name, "until_transaction": BEFORE_ALL, "time_zone": zone.key}
    await session.execute(insert(RollupMark).values(row).on_conflict_do_nothing())
    found = await session.scalars(
        select(RollupMark).where(RollupMark.name == name).with_for_update()
    )
    return found.one()


async def _follow(session: AsyncSession, mark: RollupMark, zone: ZoneInfo) -> int:
    since = mark.until_transaction
    horizon = await oldest_running(session, since)
    if mark.time_zone != zone.key:
        await session.execute(delete(AccountDay))
        earlier = {"since": BEFORE_ALL, "until": since, "zone": zone.key}
        await session.execute(_ADD_DAYS, earlier)
        mark.time_zone = zone.key
    new = {"since": since, "until": horizon}
    await session.execute(_ADD_DAYS, {**new, "zone": zone.key})
    await session.execute(_ADD_CLEARING, new)
    await session.execute(delete(OpenClearing).where(OpenClearing.net_minor == 0))
    mark.until_transaction = horizon
    return horizon


def _of_days(rows: Sequence[RowMapping]) -> Iterator[str]:
    for row in rows:
        yield (
            f"{row['day']} {row['account']} {row['layer']} {row['currency']}: the sum kept is"
            f" {readable(row['kept_debit'])} / {readable(row['kept_credit'])}, the journals'"
            f" {readable(row['debit'])} / {readable(row['credit'])}"
        )


def _of_clearing(rows: Sequence[RowMapping]) -> Iterator[str]:
    for row in rows:
        yield (
            f"purchase {row['purchase_id']} {row['account']} {row['layer']}: the sum kept is"
            f" {readable(row['kept_net'])}, the journals' {readable(row['net'])}"
        )

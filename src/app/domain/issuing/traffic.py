"""What was asked and what merchants took by quarters of hours: sums that are exact when read.

Of quarters that ended a day ago the sums are kept, and their declines (decline_rows.py). A request
or a transaction that comes later or changes later takes those of its quarter away, by a trigger,
until they are made again. What has no sums is counted from the rows, by the index of their time, in
the same statement.

Every time zone of today begins its hours and days with such a quarter. Amounts are minor units of
US dollars, the only currency that cards are issued in.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec
from advanced_alchemy.base import DefaultBase
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Sessions, Table
from app.domain.issuing.decline_rows import COLUMNS, DECLINED
from app.domain.issuing.glance import Moved
from app.domain.issuing.reports import Answers, Span

assert Table.registry  # its column types are this module's too
FIGURES = (
    *("approved", "overruled", "declined", "captured_minor", "captures"),
    *("given_back_minor", "refunds"),
)
KEPT_DAYS = 800
"""As long as the longest period that pages ask for."""
LOCK = 4_232
"""Shared by who takes sums away, migration 0032; whoever makes them waits for these to commit."""

# What the rows of one quarter add up to; a quarter is named `part`.
_COUNTED = """
SELECT asked.*, moved.*
  FROM (SELECT count(*) FILTER (
                   WHERE state = 'approved' AND stripe_approved IS NOT FALSE) AS approved,
               count(*) FILTER (WHERE state = 'approved' AND stripe_approved IS FALSE) AS overruled,
               count(*) FILTER (WHERE state = 'declined') AS declined
          FROM authorization_request
         WHERE requested_at >= part.starts_at
           AND requested_at < part.starts_at + interval '15 minutes') AS asked,
       (SELECT coalesce(-sum(amount_minor) FILTER (WHERE kind = 'capture'), 0)::bigint
                   AS captured_minor,
               count(*) FILTER (WHERE kind = 'capture') AS captures,
               coalesce(sum(amount_minor) FILTER (WHERE kind <> 'capture'), 0)::bigint
                   AS given_back_minor,
               count(*) FILTER (WHERE kind <> 'capture') AS refunds
          FROM card_transaction
         WHERE occurred_at >= part.starts_at
           AND occurred_at < part.starts_at + interval '15 minutes') AS moved
"""
_SUMS = text(f"""
SELECT date_trunc(:unit, part.starts_at AT TIME ZONE :zone) AS start,
       {", ".join(f"sum(sums.{name})::bigint" for name in FIGURES)}
  FROM generate_series(CAST(:first AS timestamptz), CAST(:after AS timestamptz)
           - interval '15 minutes', interval '15 minutes') AS part (starts_at)
  LEFT JOIN traffic AS kept ON kept.starts_at = part.starts_at
 CROSS JOIN LATERAL (
       SELECT {", ".join(f"kept.{name}" for name in FIGURES)} WHERE kept.starts_at IS NOT NULL
        UNION ALL
       SELECT counted.* FROM ({_COUNTED}) AS counted WHERE kept.starts_at IS NULL) AS sums
 GROUP BY 1 ORDER BY 1
""")  # noqa: S608  texts of ours, here and below
_KEEP = text(f"""
WITH begun AS (
    SELECT least((SELECT min(requested_at) FROM authorization_request),
                 (SELECT min(occurred_at) FROM card_transaction)) AS at
), known AS (
    SELECT date_bin('15 minutes',
                    greatest(at, now() - make_interval(days => {KEPT_DAYS})),
                    '2000-01-01 00:00Z') AS first,
           date_bin('15 minutes', now() - interval '1 day', '2000-01-01 00:00Z') AS after
      FROM begun WHERE at IS NOT NULL
), missing AS (
    SELECT part.starts_at
      FROM known, generate_series(known.first, known.after - interval '15 minutes',
                                  interval '15 minutes') AS part (starts_at)
     WHERE NOT EXISTS (SELECT FROM traffic AS kept WHERE kept.starts_at = part.starts_at)
), declines AS (
    INSERT INTO declined_request ({", ".join(COLUMNS)})
    SELECT one.* FROM missing AS part CROSS JOIN LATERAL ({DECLINED}) AS one
)
INSERT INTO traffic (starts_at, {", ".join(FIGURES)})
SELECT part.starts_at, counted.* FROM missing AS part CROSS JOIN LATERAL ({_COUNTED}) AS counted
""")  # noqa: S608


class Unit(StrEnum):
    HOUR = "hour"
    DAY = "day"


class QuarterHour(DefaultBase):
    """What the requests and transactions of a quarter of an hour add up to."""

    __tablename__ = "traffic"

    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    approved: Mapped[int]
    overruled: Mapped[int]
    declined: Mapped[int]
    captured_minor: Mapped[int]
    captures: Mapped[int]
    given_back_minor: Mapped[int]
    refunds: Mapped[int]


class Traffic(msgspec.Struct, frozen=True):
    """What came of the requests of an hour or a day, and what merchants took and gave back in it.

    `start` is by the clocks of the business. `overruled`: approved by us and declined by Stripe all
    the same. Amounts in minor units.
    """

    start: datetime
    approved: int = 0
    overruled: int = 0
    declined: int = 0
    captured_minor: int = 0
    captures: int = 0
    given_back_minor: int = 0
    refunds: int = 0


async def traffic(
    session: AsyncSession, span: Span, zone: ZoneInfo, unit: Unit = Unit.DAY
) -> list[Traffic]:
    """Give what came of each hour or day of a time that begins and ends with a day of the zone."""
    values = {"first": span.start, "after": span.end, "zone": zone.key, "unit": unit.value}
    return [Traffic(*row) for row in await session.execute(_SUMS, values)]


def answers(some: Iterable[Traffic]) -> Answers:
    """Add up how requests ended."""
    found = list(some)
    return Answers(
        sum(one.approved for one in found),
        sum(one.overruled for one in found),
        sum(one.declined for one in found),
    )


def moved(some: Iterable[Traffic]) -> Moved:
    """Add up what merchants took and gave back."""
    found = list(some)
    return Moved(
        sum(one.captured_minor for one in found),
        sum(one.captures for one in found),
        sum(one.given_back_minor for one in found),
        sum(one.refunds for one in found),
    )


async def keep(sessions: Sessions) -> int:
    """Make the sums that are missing; give how many were."""
    async with sessions.begin() as session:
        await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        done = await session.execute(_KEEP)
        return int(done.rowcount)  # type: ignore[attr-defined]

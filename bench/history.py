"""Ninety days of a business in the tables: purchases of every ending, and all that each leads to.

By sets and not by playing, so that a million are there in minutes: requests, charges, captures,
refunds, debts, holds, the journals of each, Stripe's balance transactions and events, letters and
the trail. The sums that pages read follow the journals by the product's own code.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from app.db import Sessions, create_engine, create_sessions
from app.domain.issuing import profit_days, traffic
from app.domain.issuing.clearing import mark_amiss
from app.domain.issuing.proving import prove
from app.domain.ledger import rollups
from bench import history_sql as sql
from bench.cards import CARDS, open_cards
from bench.servers import Database

AT_ONCE = 100_000
LONGEST_STATEMENT_SECONDS = 1_800
DAYS = ZoneInfo("UTC")
"""The zone that the business counts its days in, unless it is set to another."""


async def fill(database: Database, purchases: int) -> list[str]:
    """Fill an empty database with so many purchases up to now; give the cards' ids at Stripe."""
    now = datetime.now(UTC)
    cards = await open_cards(database.owner_url, 0)
    owner = await asyncpg.connect(database.owner_url, command_timeout=LONGEST_STATEMENT_SECONDS)
    try:
        await _people(owner, now)
        put_back = await _take_away(owner)
        for first in range(1, purchases + 1, AT_ONCE):
            last = min(first + AT_ONCE - 1, purchases)
            await _batch(owner, (first, last, purchases, CARDS, now))
        await owner.execute("SET maintenance_work_mem = '512MB'")
        for statement in put_back:
            await owner.execute(statement)
        await owner.execute("VACUUM ANALYZE")
        await _follow(database)
        await owner.execute("VACUUM ANALYZE account_day, profit_day, open_clearing, traffic")
        await owner.execute("VACUUM ANALYZE declined_request")
        await owner.execute("CHECKPOINT")
    finally:
        await owner.close()
    return cards


async def assert_true(database: Database) -> None:
    """Make sure that the books are true of what was filled in. Takes long with many purchases."""
    engine = create_engine(database.url)
    try:
        for check in await prove(create_sessions(engine), DAYS, None):
            assert not check.problems, (check.name, check.problems)
    finally:
        await engine.dispose()


async def _people(owner: Any, now: datetime) -> None:
    long_ago = now - timedelta(days=95)
    await owner.execute(sql.PEOPLE, now)
    await owner.execute(sql.LINKED, long_ago)
    await owner.execute(sql.CARDS_NUMBERED, long_ago)
    await owner.execute(sql.OWNERS)
    await owner.execute("ANALYZE bench_owner")
    await owner.execute(sql.FLOAT, long_ago)


async def _take_away(owner: Any) -> list[str]:
    """Drop what only slows the filling; give the statements that put it back."""
    found = []
    for row in await owner.fetch(sql.REFERENCES, sql.GROWN):
        await owner.execute(f"ALTER TABLE {row['of']} DROP CONSTRAINT {row['name']}")
        found.append(f"ALTER TABLE {row['of']} ADD CONSTRAINT {row['name']} {row['made']}")
    indexes = await owner.fetch(sql.INDEXES, sql.GROWN)
    for row in indexes:
        await owner.execute(f"DROP INDEX {row['name']}")
    return [row["made"] for row in indexes] + found


async def _batch(owner: Any, of: tuple[int, int, int, int, datetime]) -> None:
    async with owner.transaction():
        await owner.execute(sql.STORY, *of)
        for statement in sql.OF_BATCH:
            await owner.execute(statement)
        await owner.execute(sql.DEBTS, of[-1])
        await owner.execute(sql.LETTERS, CARDS)
        await owner.execute("DROP TABLE bench_story")


async def _follow(database: Database) -> None:
    engine = create_engine(database.url)
    sessions: Sessions = create_sessions(engine)
    try:
        await asyncio.gather(rollups.follow(sessions, DAYS), profit_days.follow(sessions, DAYS))
        await traffic.keep(sessions)
        await mark_amiss(sessions)
    finally:
        await engine.dispose()

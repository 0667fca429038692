"""How many of Stripe's events a worker settles a second, with few and many purchases stored."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import msgspec

from bench.cards import open_cards
from bench.growth import FEW, LARGEST_GROWTH_PERCENT, MANY, MANY_WHEN_QUICK
from bench.load import in_flight
from bench.report import Figure, Part, Row, Table, at_least, at_most
from bench.servers import PRODUCT, Database, database, product, stub_stripe
from bench.throughput import CAP
from local_stack.processes import Command, Logs, spawn

DECIDING_SECONDS, DECIDING_WHEN_QUICK = 4.0, 1.0
WITHIN_SECONDS = 240
AIM_PER_SECOND = 1_000
# What Stripe sends after each decision: stored with its job, as the inbox does it.
EVENTS = """
WITH asked AS (
    SELECT stripe_authorization_id AS name FROM card_authorization
     WHERE stripe_authorization_id NOT LIKE 'iauth_stored%'
), stored AS (
    INSERT INTO inbound_event (
        id, stripe_event_id, type, object_id, occurred_at, payload, state, attempts)
    SELECT gen_random_uuid(), 'evt_' || name, 'issuing_authorization.created', name, now(),
           jsonb_build_object('id', name, 'object', 'issuing.authorization'), 'received', 0
      FROM asked RETURNING stripe_event_id AS event
)
INSERT INTO pgqueuer (priority, entrypoint, payload, execute_after, dedupe_key, status)
SELECT 0, 'process_event', convert_to(json_build_object('event', event)::text, 'UTF8'), now(),
       'process_event:' || event, 'queued'
  FROM stored
"""
# Sealing would begin minutes after the worker does.
DUE_NOW = "UPDATE regular_job SET next_at = now() WHERE name = 'sealing' AND began_at IS NULL"
CAUGHT_UP = """
SELECT count(*) = 2 FROM regular_job
 WHERE name IN ('rollups', 'sealing') AND ended_at IS NOT NULL AND NOT failed
"""
LEFT = "SELECT count(*) FROM inbound_event WHERE state = 'received'"
FAILED = "SELECT count(*) FROM inbound_event WHERE state = 'failed' OR attempts > 0"


class Settled(msgspec.Struct, frozen=True):
    events: int
    per_second: float
    failed: int


def run(*, quick: bool) -> Part:
    """Let purchases be decided, then one worker settle what Stripe tells of them."""
    many = MANY_WHEN_QUICK if quick else MANY
    found: dict[int, Settled] = {}
    for stored in (FEW, many):
        with database() as data:
            found[stored] = asyncio.run(_measure(data, stored, quick=quick))
    few, lots = found[FEW], found[many]
    slower = (1 - lots.per_second / few.per_second) * 100
    figures: list[Figure] = [
        at_least("events settled a second", few.per_second, AIM_PER_SECOND),
        at_most("events a second less by, %", slower, LARGEST_GROWTH_PERCENT),
    ]
    rows: list[Row] = [
        {
            "stored": stored,
            "events": one.events,
            "per second": round(one.per_second, 1),
            "failed": one.failed,
        }
        for stored, one in found.items()
    ]
    return Part([Table("One worker, Stripe answers at once", rows)], figures)


async def _measure(data: Database, stored: int, *, quick: bool) -> Settled:
    cards = await open_cards(data.owner_url, stored)
    async with stub_stripe(0) as stripe:
        async with product(data.url, stripe, CAP) as decisions:
            seconds = DECIDING_WHEN_QUICK if quick else DECIDING_SECONDS
            await in_flight(decisions.purchases, cards, 16, seconds)
        connection = await asyncpg.connect(data.owner_url)
        try:
            await connection.execute("VACUUM ANALYZE")
            async with _worker(data.url, stripe):
                await _until_caught_up(connection)
                await connection.execute(EVENTS)
                return await _until_settled(connection)
        finally:
            await connection.close()


async def _until_caught_up(connection: asyncpg.Connection) -> None:
    """Wait until the worker has summed and sealed the journals that were stored all at once."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while not await connection.fetchval(CAUGHT_UP):
        assert time.monotonic() < deadline, "the worker does not sum and seal"
        await connection.execute(DUE_NOW)
        await asyncio.sleep(0.1)


async def _until_settled(connection: asyncpg.Connection) -> Settled:
    """Time from the first event that is settled to the last."""
    events = left = await connection.fetchval(LEFT)
    deadline = time.monotonic() + WITHIN_SECONDS
    while left == events:
        assert time.monotonic() < deadline, "the worker settles nothing"
        await asyncio.sleep(0.02)
        left = await connection.fetchval(LEFT)
    first, began = left, time.perf_counter()
    while left:
        assert time.monotonic() < deadline, f"{left} events of {events} are not settled"
        await asyncio.sleep(0.05)
        left = await connection.fetchval(LEFT)
    took = time.perf_counter() - began
    return Settled(events, first / took, await connection.fetchval(FAILED))


@asynccontextmanager
async def _worker(database_url: str, stripe: str) -> AsyncIterator[None]:
    """Run the product's worker in a process of its own until the block ends."""
    environ = {**os.environ, **PRODUCT, "DATABASE_URL": database_url, "STRIPE_API_BASE": stripe}
    words = [str(Path(sys.executable).with_name("proxycard")), "worker"]
    with tempfile.TemporaryDirectory(prefix="proxycard-bench-") as folder:
        logs = Logs(out=Path(os.devnull), err=Path(folder) / "errors.log")
        child = spawn(Command(words[0], words), logs, environ)
        try:
            yield
        finally:
            await asyncio.to_thread(child.stop)

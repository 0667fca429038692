"""Decisions a second and their times beside the floor's, with a Stripe that answers at once."""

import asyncio
import statistics
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
import msgspec

from bench import floor as floor_app
from bench.cards import open_cards
from bench.load import Run, in_flight
from bench.report import Figure, Part, Row, Table, at_least, at_most
from bench.row_sizes import row_bytes
from bench.servers import Database, Served, assert_durable, database, floor, product, stub_stripe

IN_FLIGHT = (1, 16, 64)
CAP = 500
WARM_UP_SECONDS = 2.0
SHARE_OF_FLOOR = 0.5
TIMES_FLOOR = 1.8


class Pair(msgspec.Struct, frozen=True):
    """The product and its floor, both running, warm, and writing rows of the same sizes."""

    database: Database
    cards: list[str]
    product: Served
    floor: Served
    product_bytes: dict[str, int]
    durable: str


def run(*, quick: bool) -> Part:
    """Run floor and product in turn, so that a machine that slows down slows both."""
    with database() as data:
        return asyncio.run(_measure(data, quick=quick))


async def _measure(data: Database, *, quick: bool) -> Part:
    rounds, seconds = (2, 1.0) if quick else (5, 2.0)
    rows: list[Row] = []
    figures: list[Figure] = []
    async with pair(data) as both:
        for number in IN_FLIGHT:
            runs: dict[str, list[Run]] = {"floor": [], "product": []}
            for _ in range(rounds):
                for name, server in (("floor", both.floor), ("product", both.product)):
                    found = await in_flight(server.purchases, both.cards, number, seconds)
                    runs[name].append(found)
            rows += [_row(name, number, found) for name, found in runs.items()]
            figures += _figures(number, runs["floor"], runs["product"])
        sizes = Table("Bytes of a row", await _sizes(both))
    title = f"Stripe answers at once; medians of {rounds} interleaved runs of {seconds:g} s"
    return Part([Table(title, rows), sizes], figures, [both.durable])


@asynccontextmanager
async def pair(data: Database) -> AsyncIterator[Pair]:
    """Open the product, see what rows it writes, and open a floor that writes the like."""
    durable = await assert_durable(data.url)
    cards = await open_cards(data.owner_url)
    connection = await asyncpg.connect(data.owner_url)
    await connection.execute(floor_app.SCHEMA)
    await connection.close()
    async with stub_stripe(0) as stripe, product(data.url, stripe, CAP) as decisions:
        await in_flight(decisions.purchases, cards, 16, WARM_UP_SECONDS)
        sizes = await row_bytes(data.owner_url, floor_app.WRITTEN)
        async with floor(data.url, stripe, sizes) as least:
            await in_flight(least.purchases, cards, 16, WARM_UP_SECONDS)
            yield Pair(data, cards, decisions, least, sizes, durable)


async def _sizes(both: Pair) -> list[Row]:
    written = [f"floor_{table}" for table in floor_app.WRITTEN]
    of_floor = await row_bytes(both.database.owner_url, written)
    return [
        {"table": table, "product": size, "floor": of_floor[f"floor_{table}"]}
        for table, size in both.product_bytes.items()
    ]


def _row(name: str, number: int, runs: Sequence[Run]) -> Row:
    return {
        "in flight": number,
        "what": name,
        "per second": round(median_per_second(runs), 1),
        "p50 ms": round(median_ms(runs, 0.5), 2),
        "p99 ms": round(median_ms(runs, 0.99), 2),
        "not approved": sum(run.not_approved for run in runs),
    }


def _figures(number: int, floor_runs: Sequence[Run], runs: Sequence[Run]) -> list[Figure]:
    share = median_per_second(runs) / median_per_second(floor_runs)
    times = median_ms(runs, 0.5) / median_ms(floor_runs, 0.5)
    if number == 1:
        return [at_most("p50 at 1 in flight, times the floor's", times, TIMES_FLOOR)]
    return [at_least(f"throughput at {number} in flight, of the floor's", share, SHARE_OF_FLOOR)]


def median_per_second(runs: Sequence[Run]) -> float:
    return statistics.median(run.per_second for run in runs)


def median_ms(runs: Sequence[Run], share: float) -> float:
    """Give the median over runs of the milliseconds in which a share of the answers came."""
    return statistics.median(run.percentile(share) for run in runs)

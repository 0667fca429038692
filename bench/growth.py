"""What a hundred times as many stored purchases cost a decision."""

import asyncio
import time
from collections.abc import Sequence

from bench.cards import CARDS, open_cards
from bench.load import Run, in_flight
from bench.report import Figure, Part, Row, Table, at_most
from bench.servers import Database, database, product, stub_stripe
from bench.throughput import CAP, WARM_UP_SECONDS, median_ms, median_per_second

FEW, MANY = 10_000, 1_000_000
MANY_WHEN_QUICK = 50_000
IN_FLIGHT = (1, 16)
LARGEST_GROWTH_PERCENT = 20


def run(*, quick: bool) -> Part:
    """Run a product with few and one with many purchases in turn, each on its own database."""
    with database() as young, database() as old:
        return asyncio.run(_measure(young, old, quick=quick))


async def _measure(young: Database, old: Database, *, quick: bool) -> Part:
    many = MANY_WHEN_QUICK if quick else MANY
    rounds, seconds = (2, 1.0) if quick else (5, 2.0)
    rows: list[Row] = []
    figures: list[Figure] = []
    cards = await open_cards(young.owner_url, FEW)
    began = time.perf_counter()
    old_cards = await open_cards(old.owner_url, many)
    stored_in = time.perf_counter() - began
    async with (
        stub_stripe(0) as stripe,
        product(young.url, stripe, CAP) as with_few,
        product(old.url, stripe, CAP) as with_many,
    ):
        targets = ((FEW, with_few.purchases, cards), (many, with_many.purchases, old_cards))
        for _, address, known in targets:
            await in_flight(address, known, 16, WARM_UP_SECONDS)
        for number in IN_FLIGHT:
            runs: dict[int, list[Run]] = {FEW: [], many: []}
            for _ in range(rounds):
                for stored, address, known in targets:
                    runs[stored].append(await in_flight(address, known, number, seconds))
            rows += [_row(number, stored, found) for stored, found in runs.items()]
            figures += _figures(number, runs[FEW], runs[many])
    title = f"{FEW:,} and {many:,} stored purchases of {CARDS:,} customers over ninety days"
    return Part([Table(title, rows)], figures, [f"Storing them took {stored_in:.0f} s."])


def _row(number: int, stored: int, runs: Sequence[Run]) -> Row:
    return {
        "in flight": number,
        "stored": stored,
        "per second": round(median_per_second(runs), 1),
        "p50 ms": round(median_ms(runs, 0.5), 2),
        "p99 ms": round(median_ms(runs, 0.99), 2),
        "not approved": sum(run.not_approved for run in runs),
    }


def _figures(number: int, few: Sequence[Run], many: Sequence[Run]) -> list[Figure]:
    slower = (median_ms(many, 0.5) / median_ms(few, 0.5) - 1) * 100
    fewer = (1 - median_per_second(many) / median_per_second(few)) * 100
    return [
        at_most(f"p50 at {number} in flight longer by, %", slower, LARGEST_GROWTH_PERCENT),
        at_most(f"throughput at {number} in flight less by, %", fewer, LARGEST_GROWTH_PERCENT),
    ]

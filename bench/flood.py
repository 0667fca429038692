"""Genuine purchases while somebody posts to the webhook what Stripe never signed."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.cards import open_cards
from bench.load import Run, at_rate, in_flight, together
from bench.report import Part, Row, Table, at_most
from bench.servers import Database, database, product, stub_stripe
from bench.throughput import CAP, WARM_UP_SECONDS

UNSIGNED_PER_SECOND = 2_000
GENUINE_PER_SECOND = 20
STRIPE_MS = 300
LARGEST_RISE_MS = 100
LASTS_LONGER_SECONDS = 1.0
ENDS_WITHIN_SECONDS = 10


def run(*, quick: bool) -> Part:
    """Send genuine purchases alone and under the flood, in turn."""
    rounds, seconds = (1, 4.0) if quick else (3, 10.0)
    with database() as data:
        return asyncio.run(_measure(data, rounds, seconds))


async def _measure(data: Database, rounds: int, seconds: float) -> Part:
    alone: list[Run] = []
    flooded: list[Run] = []
    unsigned: Counter[str] = Counter()
    cards = await open_cards(data.owner_url)
    async with stub_stripe(STRIPE_MS) as stripe, product(data.url, stripe, CAP) as decisions:
        address = decisions.purchases
        await in_flight(address, cards, 16, WARM_UP_SECONDS)
        for _ in range(rounds):
            alone.append(await at_rate(address, cards, GENUINE_PER_SECOND, seconds))
            async with flooding(address, seconds + LASTS_LONGER_SECONDS) as answers:
                flooded.append(await at_rate(address, cards, GENUINE_PER_SECOND, seconds))
            unsigned += answers
    quiet, loud = together(alone), together(flooded)
    rise = loud.percentile(0.99) - quiet.percentile(0.99)
    per_second = unsigned.total() / rounds / (seconds + LASTS_LONGER_SECONDS)
    statuses: list[Row] = [{"answer": status, "number": n} for status, n in unsigned.items()]
    title = f"{GENUINE_PER_SECOND} purchases a second, Stripe answers in {STRIPE_MS} ms"
    return Part(
        [
            Table(title, [_row("alone", quiet), _row("under the flood", loud)]),
            Table(f"Unsigned posts, {per_second:.0f} a second", statuses),
        ],
        [
            at_most("p99 of genuine answers later by, ms", rise, LARGEST_RISE_MS),
            at_most("genuine purchases not approved", quiet.not_approved + loud.not_approved, 0),
        ],
        [f"{UNSIGNED_PER_SECOND} unsigned posts a second were tried."],
    )


@asynccontextmanager
async def flooding(address: str, seconds: float) -> AsyncIterator[Counter[str]]:
    """Flood while the block runs; when it has ended, its answers by status are in the counter."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.flood_load"),
        *(address, str(UNSIGNED_PER_SECOND), str(seconds)),
        stdout=asyncio.subprocess.PIPE,
    )
    answers: Counter[str] = Counter()
    try:
        assert process.stdout is not None
        await process.stdout.readline()
        yield answers
        told = await asyncio.wait_for(process.stdout.readline(), ENDS_WITHIN_SECONDS)
        answers.update(json.loads(told))
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _row(name: str, found: Run) -> Row:
    return {
        "genuine": name,
        "answers": len(found.milliseconds),
        "not approved": found.not_approved,
        "p50 ms": round(found.percentile(0.5), 1),
        "p99 ms": round(found.percentile(0.99), 1),
        "latest ms": round(found.percentile(1), 1),
    }

"""Where the time of a decision goes, by step and by process, beside the floor's."""

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import asyncpg
import msgspec
from prometheus_client.parser import text_string_to_metric_families

from bench.cards import open_cards
from bench.load import Run, in_flight
from bench.machine import PROCESSES, cpu_seconds
from bench.report import Part, Row, Table
from bench.servers import Database, Served, database, product, stub_stripe
from bench.throughput import CAP, WARM_UP_SECONDS, Pair, pair

BUSY = 16
# A row keeps the steps up to when it is written; the writing itself is in the metrics only.
MEDIANS = """
SELECT key, percentile_cont(0.5) WITHIN GROUP (ORDER BY value::float) AS milliseconds
  FROM authorization_request, jsonb_each_text(step_ms)
 WHERE stripe_event_id NOT LIKE 'evt_stored_%' AND id > $1 GROUP BY key
"""
NEWEST = "SELECT id FROM authorization_request ORDER BY id DESC LIMIT 1"
# The product's step beside the floor's that does the same with less.
BESIDE = {
    "verify": None,
    "record": "first statement",
    "rules": None,
    "decide": None,
    "hold": "call",
    "write": "second statement",
}
MOST_LINES = 40


class Cost(msgspec.Struct, frozen=True):
    """A run, and the processor milliseconds that each of its decisions took."""

    run: Run
    server_ms: float
    postgres_ms: float


def run(*, quick: bool) -> Part:
    """Measure at one in flight, and once more when busy."""
    with database() as data:
        return asyncio.run(_measure(data, 2.0 if quick else 8.0))


async def _measure(data: Database, seconds: float) -> Part:
    async with pair(data) as both:
        begin = await _newest(both.database)
        written = await _write_seconds(both.product)
        ours = await _cost(both, both.product, 1, seconds)
        steps = await _medians(both.database, begin)
        count, total = await _write_seconds(both.product)
        if count > written[0]:
            steps["write"] = (total - written[1]) / (count - written[0]) * 1000
        await _steps_of(both.floor)
        floors = await _cost(both, both.floor, 1, seconds)
        floor_steps = await _steps_of(both.floor)
        busy = await _cost(both, both.product, BUSY, seconds)
        floor_busy = await _cost(both, both.floor, BUSY, seconds)
    by_step = _by_step(steps, floor_steps, ours.run, floors.run)
    shared = [
        *(_cost_row(1, "floor", floors), _cost_row(1, "product", ours)),
        *(_cost_row(BUSY, "floor", floor_busy), _cost_row(BUSY, "product", busy)),
    ]
    tables = [Table("One in flight, Stripe answers at once: median milliseconds by step", by_step)]
    if PROCESSES.exists():
        tables.append(Table("Processor milliseconds of a decision", shared))
    return Part(tables, notes=["`write` is a mean; the others are medians."])


def sampled(*, quick: bool) -> Part:
    """Sample the product's server while it is busy: which functions its time is spent in."""
    with database() as data:
        return asyncio.run(_sample(data, 4.0 if quick else 20.0))


async def _sample(data: Database, seconds: float) -> Part:
    cards = await open_cards(data.owner_url)
    with tempfile.TemporaryDirectory(prefix="proxycard-bench-") as folder:
        file = Path(folder) / "samples.json"
        async with (
            stub_stripe(0) as stripe,
            product(data.url, stripe, CAP, samples=file) as server,
        ):
            await in_flight(server.purchases, cards, BUSY, WARM_UP_SECONDS)
            found = await in_flight(server.purchases, cards, BUSY, seconds)
        counted = msgspec.json.decode(file.read_bytes())
    rows: list[Row] = [
        {"function": name, "itself %": own, "with what it calls %": whole}
        for name, own, whole in counted[:MOST_LINES]
    ]
    title = f"{BUSY} in flight, {found.per_second:.0f} a second while sampled"
    return Part([Table(title, rows)])


def _by_step(
    steps: Mapping[str, float], floors: Mapping[str, float], ours: Run, floor_run: Run
) -> list[Row]:
    rows: list[Row] = []
    for step, beside in BESIDE.items():
        if step in steps:
            least = floors[beside] if beside else None
            rows.append(_step_row(step, steps[step], least))
    whole, floor_whole = ours.percentile(0.5), floor_run.percentile(0.5)
    told = sum(steps.get(step, 0.0) for step in BESIDE)
    rest = "server, network, client"
    return [
        *rows,
        _step_row(rest, whole - told, floor_whole - sum(floors.values())),
        _step_row("as the client sees it", whole, floor_whole),
    ]


def _step_row(step: str, product_ms: float, floor_ms: float | None) -> Row:
    return {
        "step": step,
        "product ms": round(product_ms, 2),
        "floor ms": None if floor_ms is None else round(floor_ms, 2),
    }


def _cost_row(number: int, what: str, cost: Cost) -> Row:
    return {
        "in flight": number,
        "what": what,
        "server": round(cost.server_ms, 2),
        "PostgreSQL": round(cost.postgres_ms, 2),
        "per second": round(cost.run.per_second, 1),
    }


async def _cost(both: Pair, server: Served, number: int, seconds: float) -> Cost:
    pids = (server.pid, both.database.pid)
    before = [cpu_seconds(pid) for pid in pids]
    found = await in_flight(server.purchases, both.cards, number, seconds, warm_up=0)
    took = [cpu_seconds(pid) - was for pid, was in zip(pids, before, strict=True)]
    server_ms, postgres_ms = (seconds * 1000 / len(found.milliseconds) for seconds in took)
    return Cost(found, server_ms, postgres_ms)


async def _newest(data: Database) -> str:
    connection = await asyncpg.connect(data.owner_url)
    try:
        return str(await connection.fetchval(NEWEST))
    finally:
        await connection.close()


async def _medians(data: Database, after: str) -> dict[str, float]:
    connection = await asyncpg.connect(data.owner_url)
    try:
        rows = await connection.fetch(MEDIANS, after)
    finally:
        await connection.close()
    return {row["key"]: row["milliseconds"] for row in rows}


async def _write_seconds(server: Served) -> tuple[float, float]:
    """Give how often an answer was written, and the seconds that took, since the server began."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{server.address}/metrics") as response,
    ):
        text = await response.text()
    samples = {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if family.name == "proxycard_decision_step_seconds" and sample.labels["step"] == "write"
    }
    name = "proxycard_decision_step_seconds"
    return samples.get(f"{name}_count", 0.0), samples.get(f"{name}_sum", 0.0)


async def _steps_of(server: Served) -> dict[str, float]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{server.address}/steps") as response,
    ):
        return msgspec.json.decode(await response.read(), type=dict[str, float])

"""`make bench`: decisions a second and their times, beside the floor of the machine, in one run.

Prints the machine and a table, and writes the figures to bench/results.json.
"""

import asyncio
import json
import os
import platform
import statistics
import sys
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from bench import floor as floor_app
from bench.cards import open_cards
from bench.load import Run, in_flight
from bench.servers import database, floor, product, stub_stripe

ROUNDS = 5
SECONDS = 2.0
IN_FLIGHT = (1, 16, 64)
CAP = 500
RESULTS = Path(__file__).parent / "results.json"


async def measure(database_url: str, owner_url: str) -> list[dict[str, float | str]]:
    """Run floor and product in turn, so that a machine that slows down slows both."""
    cards = await open_cards(owner_url)
    connection = await asyncpg.connect(owner_url)
    await connection.execute(floor_app.SCHEMA)
    await connection.execute("GRANT ALL ON floor_request, floor_charge TO PUBLIC")
    await connection.close()
    rows = []
    async with (
        stub_stripe(0) as stripe,
        floor(database_url, stripe) as floor_address,
        product(database_url, stripe, CAP) as product_address,
    ):
        addresses = {"floor": floor_address, "product": product_address}
        for number in IN_FLIGHT:
            runs: dict[str, list[Run]] = {name: [] for name in addresses}
            for _ in range(ROUNDS):
                for name, address in addresses.items():
                    runs[name].append(await in_flight(address, cards, number, SECONDS))
            rows += [_row(name, number, found) for name, found in runs.items()]
    return rows


def _row(name: str, number: int, runs: list[Run]) -> dict[str, float | str]:
    """Give the medians over the rounds."""
    return {
        "what": name,
        "in flight": number,
        "per second": round(statistics.median(run.per_second for run in runs), 1),
        "p50 ms": round(statistics.median(run.percentile(0.5) for run in runs), 2),
        "p99 ms": round(statistics.median(run.percentile(0.99) for run in runs), 2),
        "not approved": sum(len(run.milliseconds) - run.approved for run in runs),
    }


def _machine() -> str:
    cores = os.cpu_count()
    return f"{platform.machine()}, {cores} cores, Python {platform.python_version()}"


def main() -> None:
    with database() as (database_url, owner_url):
        rows = asyncio.run(measure(database_url, owner_url))
    lines = [_machine(), "  ".join(f"{name:>12}" for name in rows[0])]
    lines += ["  ".join(f"{value:>12}" for value in row.values()) for row in rows]
    for floor_row, row in zip(rows[::2], rows[1::2], strict=True):
        share = float(row["per second"]) / float(floor_row["per second"])
        lines.append(f"{row['in flight']:>4} in flight: {share:.2f} of the floor's throughput")
    sys.stdout.write("\n".join(lines) + "\n")
    at = datetime.now(UTC).isoformat(timespec="seconds")
    RESULTS.write_text(json.dumps({"at": at, "machine": _machine(), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()

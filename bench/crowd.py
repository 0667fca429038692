"""Many purchases at once while Stripe takes its time: none too late, none refused for our sake."""

import asyncio
from datetime import UTC, datetime

import asyncpg

from bench.cards import open_cards
from bench.load import in_flight
from bench.report import Part, Row, Table, at_most
from bench.servers import Database, database, product, stub_stripe
from bench.throughput import WARM_UP_SECONDS

IN_FLIGHT = 500
STRIPE_MS = 300
LATEST_MS = 1650
REASONS = """
SELECT coalesce(reason, state) AS reason, count(*) AS number
  FROM authorization_request WHERE requested_at > $1 GROUP BY 1 ORDER BY 2
"""


def run(*, quick: bool) -> Part:
    """Keep 500 purchases in flight, all of them sent at once in the beginning."""
    with database() as data:
        return asyncio.run(_measure(data, 4.0 if quick else 15.0))


async def _measure(data: Database, seconds: float) -> Part:
    cards = await open_cards(data.owner_url)
    async with stub_stripe(STRIPE_MS) as stripe, product(data.url, stripe, IN_FLIGHT) as decisions:
        await in_flight(decisions.purchases, cards, 16, WARM_UP_SECONDS)
        began = datetime.now(UTC)
        found = await in_flight(decisions.purchases, cards, IN_FLIGHT, seconds, warm_up=0)
    connection = await asyncpg.connect(data.owner_url)
    stored = await connection.fetch(REASONS, began)
    await connection.close()
    times: Row = {
        "answers": len(found.milliseconds),
        "per second": round(found.per_second, 1),
        "p50 ms": round(found.percentile(0.5)),
        "p99 ms": round(found.percentile(0.99)),
        "latest ms": round(found.percentile(1)),
    }
    counts: list[Row] = [{"answer": name, "number": n} for name, n in found.answers.items()]
    reasons: list[Row] = [
        {"in the database": row["reason"], "number": row["number"]} for row in stored
    ]
    return Part(
        [
            Table(
                f"{IN_FLIGHT} in flight for {seconds:g} s, Stripe answers in {STRIPE_MS} ms",
                [times],
            ),
            Table("Answers", counts),
            Table("Kept", reasons),
        ],
        [
            at_most("latest answer, ms", found.percentile(1), LATEST_MS),
            at_most("purchases not approved", found.not_approved, 0),
        ],
    )

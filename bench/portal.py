"""What the customers' first page and dashboard take at fifty requests a second."""

import asyncio
import hashlib
import sys
import time
from pathlib import Path

import aiohttp
import asyncpg

from bench.cards import open_cards
from bench.report import Figure, Part, Row, Table, at_most
from bench.servers import PRODUCT, Database, database, served, stub_stripe
from local_stack.ports import free_ports

PURCHASES = 10_000
PER_SECOND = 50
P95_MS = 50.0
WARM_UP_SECONDS = 2.0
PATHS = ("/", "/dashboard", "/purchases")
TOKEN = "a token of the bench, for one session"  # noqa: S105  nobody else's
# All that is stored becomes one customer's, who is signed in.
ONE_CUSTOMER = """
WITH one AS (SELECT id, customer_id FROM card ORDER BY id LIMIT 1),
purchases AS (
    UPDATE card_authorization SET customer_id = one.customer_id, card_id = one.id FROM one),
requests AS (
    UPDATE authorization_request SET customer_id = one.customer_id, card_id = one.id FROM one),
charges AS (UPDATE charge SET customer_id = one.customer_id FROM one),
moved AS (
    INSERT INTO card_transaction (
        id, stripe_transaction_id, authorization_id, card_id, customer_id, kind, occurred_at,
        amount_minor, currency, merchant_name, fee_minor, earned_minor)
    SELECT gen_random_uuid(), 'ipi_bench_' || purchase.id, purchase.id, one.id, one.customer_id,
           'capture', purchase.occurred_at, -1999, 'usd', 'Blue Bottle', 150, 150
      FROM card_authorization AS purchase, one),
signed_up AS (
    INSERT INTO credential (
        id, email, email_verified_at, password_hash, password_changed_at, customer_id)
    SELECT gen_random_uuid(), 'bench@example.com', now(), 'none', now(), customer_id FROM one
    RETURNING id)
INSERT INTO customer_session (
    id, credential_id, token_hash, device_hash, last_seen_at, expires_at, password_at, address,
    user_agent)
SELECT gen_random_uuid(), id, $1, '', now(), now() + interval '1 day', now(), '127.0.0.1', 'bench'
  FROM signed_up
"""


def run(*, quick: bool) -> Part:
    """Serve the pages of a customer with many purchases, from one process."""
    with database() as stored:
        return asyncio.run(_measure(stored, 3.0 if quick else 15.0))


async def _measure(stored: Database, seconds: float) -> Part:
    await open_cards(stored.owner_url, PURCHASES)
    await _one_customer(stored)
    [port] = free_ports(1)
    words = [str(Path(sys.executable).with_name("proxycard")), "serve", "--part", "web"]
    async with stub_stripe(0) as stripe:
        environ = PRODUCT | {
            "DATABASE_URL": stored.url,
            "STRIPE_API_BASE": stripe,
            "PORT": str(port),
            "APP_URL": f"http://127.0.0.1:{port}",
        }
        async with served(words, port, environ) as pages:
            rows, figures = [], []
            for path in PATHS:
                await _at_rate(pages.address + path, WARM_UP_SECONDS)
                taken = await _at_rate(pages.address + path, seconds)
                rows.append(_row(path, taken))
                figures.append(_figure(path, taken))
    title = f"Pages of a customer with {PURCHASES:,} purchases, {PER_SECOND} a second, one process"
    return Part([Table(title, rows)], figures)


async def _one_customer(stored: Database) -> None:
    connection = await asyncpg.connect(stored.owner_url)
    try:
        await connection.execute(ONE_CUSTOMER, hashlib.sha256(TOKEN.encode()).digest())
        await connection.execute("ANALYZE")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def _at_rate(url: str, seconds: float) -> list[float]:
    """Ask for a page at a constant rate, whatever the answers do; give the milliseconds, sorted."""
    cookies = {"proxycard_customer": TOKEN}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookies=cookies) as session:
        started, asked = time.perf_counter(), []
        for number in range(int(PER_SECOND * seconds)):
            await asyncio.sleep(max(started + number / PER_SECOND - time.perf_counter(), 0))
            asked.append(asyncio.create_task(_ask(session, url)))
        return sorted(await asyncio.gather(*asked))


async def _ask(session: aiohttp.ClientSession, url: str) -> float:
    began = time.perf_counter()
    async with session.get(url, allow_redirects=False) as response:
        await response.read()
        assert response.status == 200, (url, response.status)  # noqa: PLR2004
    return (time.perf_counter() - began) * 1000


def _at(taken: list[float], share: float) -> float:
    return round(taken[min(int(len(taken) * share), len(taken) - 1)], 2)


def _row(path: str, taken: list[float]) -> Row:
    return {
        "page": path,
        "requests": len(taken),
        "p50 ms": _at(taken, 0.5),
        "p95 ms": _at(taken, 0.95),
        "p99 ms": _at(taken, 0.99),
    }


def _figure(path: str, taken: list[float]) -> Figure:
    return at_most(f"p95 of {path}, ms", _at(taken, 0.95), P95_MS)

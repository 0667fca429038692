"""`make bench-admin`: what the back office takes with 1,000,000 stored purchases.

Every home, list, search and one-page view, each asked for again and again by one member of staff;
then a list of all purchases as a file, while purchases are decided.
"""

import asyncio
import hashlib
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import aiohttp
import asyncpg
import msgspec

from app.admin.views.listing import TOO_LONG
from bench import exporting, history
from bench.admin_pages import BESIDE, HOMES, LISTS, ONE, SEARCH, Page, look_up, pages
from bench.machine import cpu_seconds
from bench.report import Figure, Part, Row, Table, at_most
from bench.servers import PRODUCT, Database, Served, database, product, served, stub_stripe
from bench.throughput import CAP
from local_stack.ports import free_ports

PURCHASES, PURCHASES_WHEN_QUICK = 1_000_000, 10_000
ROUNDS, ROUNDS_WHEN_QUICK = 20, 1
P95_MS = 300.0
LONGEST_OF_PAGE_SECONDS = 15.0
"""A page that is much too slow need not be asked for as often to be seen to be."""
TOKEN = "a token of the bench, for one member"  # noqa: S105  nobody else's
MEMBER = """
WITH member AS (
    INSERT INTO staff (id, email, name, password_hash, roles, state, demo, totp_last_step)
    VALUES (gen_random_uuid(), 'bench@example.com', 'Bench', 'none', '{owner}', 'active', false, 0)
    RETURNING id)
INSERT INTO staff_session (id, staff_id, token_hash, last_seen_at, expires_at, address, user_agent)
SELECT gen_random_uuid(), id, $1, now() + interval '2 hours', now() + interval '2 hours',
       '127.0.0.1', 'bench'
  FROM member
"""


class Taken(msgspec.Struct, frozen=True):
    """What a page took: milliseconds of each answer, sorted, and of processors for each."""

    page: Page
    milliseconds: list[float]
    processor_ms: float
    gave_up: bool

    @property
    def p95(self) -> float:
        return self.milliseconds[int((len(self.milliseconds) - 1) * 0.95)]


def run(*, quick: bool) -> Part:
    """Fill a database, serve the back office from one process, and ask for its pages."""
    with database() as data:
        return asyncio.run(_measure(data, quick=quick))


async def _measure(data: Database, *, quick: bool) -> Part:
    purchases = PURCHASES_WHEN_QUICK if quick else PURCHASES
    began = time.perf_counter()
    cards = await history.fill(data, purchases)
    notes = [f"Filling in {purchases:,} purchases took {time.perf_counter() - began:.0f} s."]
    if quick:
        await history.assert_true(data)
    known = await look_up(data.owner_url, datetime.now(UTC).date())
    async with stub_stripe(0) as stripe, _back_office(data, stripe) as office:
        async with _member(office) as member:
            rounds = ROUNDS_WHEN_QUICK if quick else ROUNDS
            taken = [await _ask(member, office, data, one, rounds) for one in pages(known)]
        async with product(data.url, stripe, CAP) as deciding, _member(office) as member:
            calm = await exporting.decide(deciding, cards, quick=quick)
            meanwhile = await exporting.export(member, office, deciding, cards, purchases)
    tables = [_table(group, taken, purchases) for group in (HOMES, LISTS, SEARCH, ONE, BESIDE)]
    tables.append(exporting.table(calm, meanwhile))
    figures = [*_figures(taken), *exporting.figures(calm, meanwhile)]
    return Part(tables, figures, notes)


@asynccontextmanager
async def _back_office(data: Database, stripe: str) -> AsyncIterator[Served]:
    connection = await asyncpg.connect(data.owner_url)
    try:
        await connection.execute(MEMBER, hashlib.sha256(TOKEN.encode()).digest())
    finally:
        await connection.close()
    [port] = free_ports(1)
    words = [str(Path(sys.executable).with_name("proxycard")), "serve", "--part", "web"]
    environ = PRODUCT | {
        "DATABASE_URL": data.url,
        "STRIPE_API_BASE": stripe,
        "PORT": str(port),
        "APP_URL": f"http://127.0.0.1:{port}",
    }
    async with served(words, port, environ) as office:
        yield office


@asynccontextmanager
async def _member(office: Served) -> AsyncIterator[aiohttp.ClientSession]:
    cookies = {"proxycard_staff": TOKEN}
    async with aiohttp.ClientSession(office.address, cookies=cookies) as session:
        yield session


async def _ask(
    member: aiohttp.ClientSession, office: Served, data: Database, page: Page, rounds: int
) -> Taken:
    """Ask for a page so many times after a first one that is not counted, and measure."""
    _, text = await _answer(member, page.addresses[-1])
    spent, milliseconds = _processors(office, data), []
    began = time.perf_counter()
    for number in range(rounds):
        took, text = await _answer(member, page.addresses[number % len(page.addresses)])
        milliseconds.append(took)
        if time.perf_counter() - began > LONGEST_OF_PAGE_SECONDS:
            break
    each = (_processors(office, data) - spent) * 1000 / len(milliseconds)
    return Taken(page, sorted(milliseconds), each, TOO_LONG in text)


async def _answer(member: aiohttp.ClientSession, address: str) -> tuple[float, str]:
    """Ask for a page; give the milliseconds and its text, or TOO_LONG where it gave up."""
    began = time.perf_counter()
    async with member.get(address, allow_redirects=False) as response:
        text = await response.text()
        gave_up = response.status == HTTPStatus.SERVICE_UNAVAILABLE or TOO_LONG in text
        # A search for one thing leads to it; a list that takes too long says so with a 200.
        known = {HTTPStatus.OK, HTTPStatus.SEE_OTHER}
        assert gave_up or response.status in known, (address, response.status)
    return (time.perf_counter() - began) * 1000, TOO_LONG if gave_up else text


def _processors(office: Served, data: Database) -> float:
    return cpu_seconds(office.pid) + cpu_seconds(data.pid)


def _table(group: str, taken: Sequence[Taken], purchases: int) -> Table:
    rows = [_row(one) for one in taken if one.page.group == group]
    return Table(f"{group}, {purchases:,} purchases stored", rows)


def _row(one: Taken) -> Row:
    held = not one.gave_up and one.p95 <= P95_MS
    return {
        "page": one.page.name,
        "answers": len(one.milliseconds),
        "p50 ms": round(statistics.median(one.milliseconds), 1),
        "p95 ms": round(one.p95, 1),
        "aim ms": None if one.page.group == BESIDE else P95_MS,
        "processor ms": round(one.processor_ms, 1),
        "": "gave up" if one.gave_up else "" if held or one.page.group == BESIDE else "too slow",
    }


def _figures(taken: Sequence[Taken]) -> list[Figure]:
    found = []
    for group in (HOMES, LISTS, SEARCH, ONE):
        theirs = [one for one in taken if one.page.group == group]
        slowest = max(theirs, key=lambda one: one.p95)
        over = sum(one.gave_up or one.p95 > P95_MS for one in theirs)
        name = f"{group}: the slowest p95 ({slowest.page.name}), ms"
        found.append(at_most(name, slowest.p95, P95_MS))
        found.append(at_most(f"{group}: pages of {len(theirs)} over the aim", over, 0))
    return found

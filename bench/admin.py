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


class Scale(msgspec.Struct, frozen=True):
    """How much is stored and asked for; `proves` the books, which takes long with many."""

    purchases: int
    rounds: int
    calm_seconds: float
    piece_seconds: float
    proves: bool


FULL = Scale(1_000_000, 20, 60.0, 5.0, proves=False)
QUICK = Scale(10_000, 1, 1.0, 1.0, proves=True)


def run(*, quick: bool) -> Part:
    """Fill a database, serve the back office from one process, and ask for its pages."""
    with database() as data:
        return asyncio.run(_run(data, QUICK if quick else FULL))


async def _run(data: Database, scale: Scale) -> Part:
    began = time.perf_counter()
    cards = await history.fill(data, scale.purchases)
    took = time.perf_counter() - began
    print(f"Filled in {scale.purchases:,} purchases in {took:.0f} s.", file=sys.stderr, flush=True)
    async with (
        stub_stripe(0) as stripe,
        _back_office(data, stripe) as office,
        product(data.url, stripe, CAP) as deciding,
    ):
        part = await measured(data, office, deciding, cards, scale)
    part.notes.append(f"Filling in {scale.purchases:,} purchases took {took:.0f} s.")
    return part


async def measured(
    data: Database, office: Served, deciding: Served, cards: Sequence[str], scale: Scale
) -> Part:
    """Ask for the pages of a database that is filled in, then for a file while cards are used."""
    if scale.proves:
        await history.assert_true(data)
    await _sign_in(data)
    known = await look_up(data.owner_url, datetime.now(UTC).date())
    async with _member(office) as member:
        taken = [_told(await _ask(member, office, data, one, scale.rounds)) for one in pages(known)]
        calm = await exporting.decide(deciding, cards, scale.calm_seconds)
        file, busy = await exporting.export(member, office, deciding, cards, scale.piece_seconds)
    assert file.rows >= scale.purchases, (file.rows, scale.purchases)
    groups = (HOMES, LISTS, SEARCH, ONE, BESIDE)
    tables = [_table(group, taken, scale.purchases) for group in groups]
    tables.append(exporting.table(calm, busy, file))
    return Part(tables, [*_figures(taken), *exporting.figures(calm, busy, file)], [])


async def _sign_in(data: Database) -> None:
    connection = await asyncpg.connect(data.owner_url)
    try:
        await connection.execute(MEMBER, hashlib.sha256(TOKEN.encode()).digest())
    finally:
        await connection.close()


@asynccontextmanager
async def _back_office(data: Database, stripe: str) -> AsyncIterator[Served]:
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
    """Ask for a page so many times and measure; before several there is one that is not counted."""
    if rounds > 1:
        await _answer(member, page.addresses[-1])
    spent, milliseconds, gave_up = _processors(office, data), [], False
    began = time.perf_counter()
    for number in range(rounds):
        took, text = await _answer(member, page.addresses[number % len(page.addresses)])
        milliseconds.append(took)
        gave_up = gave_up or text == TOO_LONG
        if time.perf_counter() - began > LONGEST_OF_PAGE_SECONDS:
            break
    each = (_processors(office, data) - spent) * 1000 / len(milliseconds)
    return Taken(page, sorted(milliseconds), each, gave_up)


def _told(one: Taken) -> Taken:
    """Say at once what a page took: all of them together take a quarter of an hour."""
    took = "gave up" if one.gave_up else f"p95 {one.p95:.0f} ms"
    print(f"  {one.page.group} · {one.page.name}: {took}", file=sys.stderr, flush=True)
    return one


async def _answer(member: aiohttp.ClientSession, address: str) -> tuple[float, str]:
    """Ask for a page; give the milliseconds and its text, or TOO_LONG where it gave up."""
    began = time.perf_counter()
    async with member.get(address, allow_redirects=False) as response:
        text = await response.text()
        gave_up = response.status == HTTPStatus.SERVICE_UNAVAILABLE or TOO_LONG in text
        # A search for one thing leads to it; a list that takes too long says so with a 200.
        leads_to = response.headers.get("Location", "")
        found = response.status == HTTPStatus.SEE_OTHER and not leads_to.startswith("/admin/login")
        assert gave_up or found or response.status == HTTPStatus.OK, (address, response.status)
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

"""The processes of a benchmark: PostgreSQL, the stub of Stripe, the floor, the product."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiohttp
import asyncpg
import msgspec

from app import schema
from bench.load import SECRET
from local_stack.ports import free_ports
from local_stack.postgres import OWNER, Cluster, running
from local_stack.processes import Child, Command, Logs, spawn

START_SECONDS = 120
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
"""What makes a commit outlive a power cut; a figure without any of them would say nothing."""
PRODUCT = {
    "STRIPE_SECRET_KEY": "sk_test_bench",
    "STRIPE_AUTHORIZATION_WEBHOOK_SECRET": SECRET,
    "STRIPE_EVENTS_WEBHOOK_SECRET": "whsec_events_of_the_bench",
    "SECRET_KEY": "a secret key of the bench, long enough",
    "REPAIR_WAIT_SECONDS": "3600",
    "BALANCE_EVERY_SECONDS": "3600",
    "HOST": "127.0.0.1",
    "DATA_DIR": "none",
}
"""The settings of every process of the product."""


class Database(msgspec.Struct, frozen=True):
    """A migrated database: the application's address, its owner's, and the server's process."""

    url: str
    owner_url: str
    pid: int


class Served(msgspec.Struct, frozen=True):
    """A server that listens: its address, the one to send purchases to, and its process."""

    address: str
    purchases: str
    pid: int


@contextmanager
def database() -> Iterator[Database]:
    """Run a migrated cluster that loses nothing in a power cut, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="proxycard-bench-") as folder:
        cluster = Cluster(Path(folder) / "postgres", Path(folder) / "postgres.log")
        with running(cluster):
            schema.upgrade(cluster.url(OWNER), cluster.url())
            # So that what was stored before a run is not still being written during it.
            cluster.psql(f"GRANT pg_checkpoint TO {OWNER}")
            pid = int((cluster.data / "postmaster.pid").read_text().split("\n", 1)[0])
            yield Database(cluster.url(), cluster.url(OWNER), pid)
        cluster.forget()


async def assert_durable(database_url: str) -> str:
    """Make sure that a commit is on the disk before it is told; give the server's version."""
    connection = await asyncpg.connect(database_url)
    try:
        for setting in DURABLE:
            found = await connection.fetchval(f"SHOW {setting}")
            assert found == "on", f"{setting} is {found}"
        version: str = await connection.fetchval("SHOW server_version")
    finally:
        await connection.close()
    return f"PostgreSQL {version.split(maxsplit=1)[0]}, {', '.join(DURABLE)} on"


@asynccontextmanager
async def served(
    words: list[str], port: int, environ: Mapping[str, str], purchases: str = "/"
) -> AsyncIterator[Served]:
    """Run a server in a process of its own until the block ends."""
    with tempfile.TemporaryDirectory(prefix="proxycard-bench-") as folder:
        logs = Logs(out=Path(os.devnull), err=Path(folder) / "errors.log")
        child = spawn(Command(words[0], words), logs, {**os.environ, **environ})
        address = f"http://127.0.0.1:{port}"
        try:
            await _listening(address, child)
            yield Served(address, address + purchases, child.process.pid)
        finally:
            await asyncio.to_thread(child.stop)


@asynccontextmanager
async def stub_stripe(latency_ms: int) -> AsyncIterator[str]:
    """Run a Stripe that says yes after so long; give its address."""
    [port] = free_ports(1)
    words = granian("bench.stub_stripe:app", port)
    async with served(words, port, {"BENCH_LATENCY_MS": str(latency_ms)}) as stub:
        yield stub.address


@asynccontextmanager
async def floor(
    database_url: str, stripe: str, row_bytes: Mapping[str, int]
) -> AsyncIterator[Served]:
    """Run the floor, writing rows of the sizes given."""
    [port] = free_ports(1)
    environ = {
        "DATABASE_URL": database_url,
        "STRIPE_API_BASE": stripe,
        "FLOOR_ROW_BYTES": msgspec.json.encode(row_bytes).decode(),
    }
    async with served(granian("bench.floor:app", port), port, environ) as server:
        yield server


@asynccontextmanager
async def product(
    database_url: str, stripe: str, cap: int, *, samples: Path | None = None
) -> AsyncIterator[Served]:
    """Run the product's real-time part as it is deployed.

    With a file for samples, where its time goes is sampled, which costs some of it.
    """
    [port] = free_ports(1)
    environ = PRODUCT | {
        "DATABASE_URL": database_url,
        "STRIPE_API_BASE": stripe,
        "MAX_CHARGES_IN_FLIGHT": str(cap),
        "REALTIME_PORT": str(port),
    }
    words = [str(Path(sys.executable).with_name("proxycard")), "serve", "--part", "realtime"]
    if samples is not None:
        environ["BENCH_SAMPLES"] = str(samples)
        words = granian("bench.sampled:app", port)
    async with served(words, port, environ, "/webhooks/stripe/authorizations") as server:
        yield server


def granian(target: str, port: int) -> list[str]:
    """Give the words that run an application on the product's server and loop."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "asgi", "--loop", "uvloop"),
        *("--host", "127.0.0.1", "--port", str(port), "--log-level", "error", target),
    ]


async def _listening(address: str, child: Child) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(START_SECONDS):
        while True:
            assert child.is_running(), f"{address} ended:\n{child.last_words()}"
            try:
                async with session.get(f"{address}/health/live"):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)

"""The processes of a benchmark: PostgreSQL, the stub of Stripe, the floor, the product."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiohttp

from app import schema
from bench.load import SECRET
from local_stack.ports import free_ports
from local_stack.postgres import OWNER, Cluster, running

START_SECONDS = 30


@contextmanager
def database() -> Iterator[tuple[str, str]]:
    """Run a migrated cluster with fsync on; give the application's and the owner's addresses."""
    with tempfile.TemporaryDirectory(prefix="proxycard-bench-") as folder:
        cluster = Cluster(Path(folder) / "postgres", Path(folder) / "postgres.log")
        with running(cluster):
            schema.upgrade(cluster.url(OWNER), cluster.url())
            yield cluster.url(), cluster.url(OWNER)
        cluster.forget()


@asynccontextmanager
async def served(words: list[str], port: int, environ: Mapping[str, str]) -> AsyncIterator[str]:
    """Run a server in a process of its own until the block ends; give its address."""
    process = subprocess.Popen(  # noqa: S603, ASYNC220 - our own words; it starts before any load
        words, env={**os.environ, **environ}, stdout=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        await _listening(address, process)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait)


@asynccontextmanager
async def stub_stripe(latency_ms: int) -> AsyncIterator[str]:
    [port] = free_ports(1)
    words = _granian("bench.stub_stripe:app", port)
    async with served(words, port, {"BENCH_LATENCY_MS": str(latency_ms)}) as address:
        yield address


@asynccontextmanager
async def floor(database_url: str, stripe: str) -> AsyncIterator[str]:
    [port] = free_ports(1)
    environ = {"DATABASE_URL": database_url, "STRIPE_API_BASE": stripe}
    async with served(_granian("bench.floor:app", port), port, environ) as address:
        yield address


@asynccontextmanager
async def product(database_url: str, stripe: str, cap: int) -> AsyncIterator[str]:
    """Run the product's web process; give the address of its real-time webhook."""
    [port] = free_ports(1)
    environ = {
        "DATABASE_URL": database_url,
        "STRIPE_API_BASE": stripe,
        "STRIPE_SECRET_KEY": "sk_test_bench",
        "STRIPE_AUTHORIZATION_WEBHOOK_SECRET": SECRET,
        "STRIPE_EVENTS_WEBHOOK_SECRET": "whsec_events_of_the_bench",
        "SECRET_KEY": "a secret key of the bench, long enough",
        "MAX_CHARGES_IN_FLIGHT": str(cap),
        "REPAIR_WAIT_SECONDS": "3600",
        "PORT": str(port),
        "HOST": "127.0.0.1",
        "DATA_DIR": "none",
    }
    words = [str(Path(sys.executable).with_name("proxycard")), "serve"]
    async with served(words, port, environ) as address:
        yield f"{address}/webhooks/stripe/authorizations"


def _granian(target: str, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "granian", "--interface", "asgi", "--loop", "uvloop"),
        *("--host", "127.0.0.1", "--port", str(port), "--log-level", "error", target),
    ]


async def _listening(address: str, process: subprocess.Popen[bytes]) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(START_SECONDS):
        while True:
            assert process.poll() is None, f"{address} ended before it listened"
            try:
                async with session.get(f"{address}/health/live"):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)

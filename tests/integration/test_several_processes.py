"""Several processes on one port: whichever is asked, /metrics counts for all of them."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from local_stack.processes import Child, Command, Logs, spawn
from tests.crashes.processes import environment
from tests.product import Product
from tests.serving import free_port, http_client
from tests.signing import AUTHORIZATIONS
from tests.situations import holder, pay
from tests.waiting import until

PROXYCARD = Path(sys.executable).with_name("proxycard")
POSTS = 40
SCRAPES = 12
SHARED = ("proxycard_webhook_refused_total", "proxycard_answers_total", "proxycard_decision_step")


@pytest.fixture
async def server(product: Product, tmp_path: Path) -> AsyncIterator[tuple[Child, str]]:
    """Give two processes that answer Stripe's questions on one port of their own."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    given = environment(product.settings)
    given |= {"REALTIME_PORT": str(port), "DATA_DIR": str(tmp_path / "data")}
    words = (PROXYCARD, "serve", "--part", "realtime", "--workers", "2")
    within = ("/bin/sh", "-c", 'cd "$0" && exec "$@"', tmp_path, *words)
    child = spawn(Command("server", within), Logs.in_one(tmp_path / "server.log"), given)
    try:
        await until(lambda: ready(child, url), seconds=60, why="the server is ready")
        yield child, url
    finally:
        child.stop()


async def ready(child: Child, url: str) -> bool:
    assert child.is_running(), child.last_words(50)
    try:
        async with http_client(url) as client:
            return (await client.get("/health/ready")).status_code == 200
    except httpx.TransportError:
        return False


async def scrape(url: str) -> dict[tuple[object, ...], float]:
    """Scrape over a connection of its own, which either process may take."""
    async with http_client(url) as client:
        told = (await client.get("/metrics")).text
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
    }


def counted(scraped: dict[tuple[object, ...], float]) -> dict[tuple[object, ...], float]:
    return {key: value for key, value in scraped.items() if str(key[0]).startswith(SHARED)}


async def test_every_scrape_has_the_sums_of_both(
    product: Product, server: tuple[Child, str], tmp_path: Path
) -> None:
    _, url = server
    ada = await holder(product)
    await product.control("settings", {"authorization_webhook_url": f"{url}{AUTHORIZATIONS}"})
    bought = [await pay(product, ada.card, 1000 + n) for n in range(6)]
    assert all(purchase["approved"] for purchase in bought)

    async def post_unsigned() -> None:
        async with http_client(url) as client:
            assert (await client.post(AUTHORIZATIONS, content=b"{}")).status_code == 400

    await asyncio.gather(*(post_unsigned() for _ in range(POSTS)))
    scraped = [await scrape(url) for _ in range(SCRAPES)]

    assert all(counted(each) == counted(scraped[0]) for each in scraped)
    assert scraped[0]["proxycard_webhook_refused_total", ("status", "400")] == POSTS
    assert scraped[0]["proxycard_answers_total", ("reason", "approved")] == len(bought)
    assert scraped[0]["proxycard_charges_in_flight",] == 0
    assert len(counting(tmp_path)) == 2


def counting(folder: Path) -> set[int]:
    """Give the processes that have begun to count."""
    files = (folder / "data" / "metrics").rglob("gauge_livesum_*.db")
    return {int(file.stem.rpartition("_")[2]) for file in files}


async def test_what_a_process_counted_stays_when_another_takes_its_place(
    server: tuple[Child, str], tmp_path: Path
) -> None:
    child, url = server
    await until(lambda: len(counting(tmp_path)) == 2)
    async with http_client(url) as client:
        for _ in range(POSTS):
            await client.post(AUTHORIZATIONS, content=b"{}")
    killed = min(counting(tmp_path))
    os.kill(killed, signal.SIGKILL)

    await until(lambda: len(counting(tmp_path) - {killed}) == 2, why="another takes its place")
    await until(lambda: ready(child, url), seconds=60)
    told = await scrape(url)
    assert told["proxycard_webhook_refused_total", ("status", "400")] == POSTS
    assert told["proxycard_charges_in_flight",] == 0
    assert killed not in counting(tmp_path)

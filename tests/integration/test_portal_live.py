"""Open pages hear of purchases within a second, from whichever process answered."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from app.live import CHANNEL
from app.portal import live_pages
from local_stack.processes import Command, Logs, spawn
from tests.crashes.processes import environment
from tests.integration.test_portal_purchases import signed_in_holder
from tests.integration.test_several_processes import PROXYCARD, ready
from tests.portal import browser, form_token_on
from tests.product import Product
from tests.serving import free_port, http_client
from tests.situations import helper, holder, pay
from tests.waiting import until

PATIENCE = 20
GONE_WITHIN_SECONDS = 8


@asynccontextmanager
async def open_page(client: httpx.AsyncClient) -> AsyncIterator[asyncio.Queue[str]]:
    """Listen as a page does; give the events that come, and `end` when there are no more."""
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def listen(response: httpx.Response) -> None:
        async for line in response.aiter_lines():
            if line.startswith("event: "):
                heard.put_nowait(line.removeprefix("event: "))
        heard.put_nowait("end")

    async with client.stream("GET", "/live") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        task = asyncio.create_task(listen(response))
        yield heard
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def event(heard: asyncio.Queue[str]) -> str:
    async with asyncio.timeout(PATIENCE):
        return await heard.get()


async def listened(product: Product, pages: int) -> None:
    listener = product.app.state.listener
    await until(lambda: listener.all_pages == pages, why=f"{pages} open pages")


async def test_an_answer_is_heard_by_that_customers_pages_only(product: Product) -> None:
    ada, grace = await holder(product), await holder(product, email="grace@example.com")
    async with signed_in_holder(product, ada) as client:
        assert (await client.get("/live/newest")).json() == {"id": None}
        async with open_page(client) as heard:
            await listened(product, 1)
            await product.settled()
            while not heard.empty():
                heard.get_nowait()  # what the listener's own beginning woke
            await pay(product, grace.card, 700)
            await product.settled()
            assert heard.empty()
            await pay(product, ada.card, 1_000, "Blue Bottle")
            assert await event(heard) == "changed"
            told = (await client.get("/live/newest")).json()
            assert told["sentence"].startswith("Blue Bottle, $10.00: ")
            declined = await pay(product, ada.card, 99_999_900)
            assert not declined["approved"]
            assert await event(heard) == "changed"
            told = (await client.get("/live/newest")).json()
            while told["status"] != "declined":
                assert await event(heard) == "changed"
                told = (await client.get("/live/newest")).json()
        await listened(product, 0)


async def test_what_merchants_do_later_is_heard_too(product: Product) -> None:
    ada = await holder(product)
    bought = await pay(product, ada.card, 1_000)
    await product.settled()
    async with signed_in_holder(product, ada) as client, open_page(client) as heard:
        await listened(product, 1)
        await helper(product, bought["id"], "capture")
        assert await event(heard) == "changed"


async def test_another_process_is_heard_and_a_lost_connection_is_found_again(
    product: Product,
) -> None:
    ada = await holder(product)
    async with signed_in_holder(product, ada) as client, open_page(client) as heard:
        await listened(product, 1)
        for told in ("no id", str(ada.customer.id)):
            await product.as_owner(f"SELECT pg_notify('{CHANNEL}', '{told}')")
        assert await event(heard) == "changed"
        product.app.state.listener.connection.terminate()
        assert await event(heard) == "changed"  # woken to look what was missed


async def test_a_page_left_open_ends_with_its_session(product: Product) -> None:
    ada = await holder(product)
    async with signed_in_holder(product, ada) as client, open_page(client) as heard:
        await listened(product, 1)
        token = form_token_on(await client.get("/settings"))
        await client.post("/sign-out", data={"form_token": token})
        await pay(product, ada.card, 500)
        heard_of = [await event(heard)]
        while heard_of[-1] == "changed":
            heard_of.append(await event(heard))
        assert heard_of[-1] == "over"
        assert await event(heard) == "end"


async def test_too_many_pages_ask_instead_and_strangers_hear_nothing(product: Product) -> None:
    ada = await holder(product)
    async with signed_in_holder(product, ada) as client:
        listener = product.app.state.listener
        kept = [listener.page(ada.customer.id) for _ in range(live_pages.MOST_OF_A_CUSTOMER)]
        for page in kept:
            await page.__aenter__()
        assert (await client.get("/live")).status_code == 204
        for page in kept:
            await page.__aexit__(None, None, None)
        assert (await client.get("/live/newest")).status_code == 200
    async with browser(product) as stranger:
        for path in ("/live", "/live/newest"):
            assert (await stranger.get(path)).headers["location"].startswith("/sign-in")
    async with http_client(product.settings.app_url) as bare:
        assert (await bare.get("/live")).status_code == 303


async def test_a_process_of_pages_hears_of_answers_elsewhere_and_ends_at_once(
    product: Product, tmp_path: Path
) -> None:
    ada = await holder(product)
    port = free_port()
    given = environment(product.settings)
    given |= {"PORT": str(port), "DATA_DIR": str(tmp_path / "data")}
    words = (PROXYCARD, "serve", "--part", "web")
    within = ("/bin/sh", "-c", 'cd "$0" && exec "$@"', tmp_path, *words)
    child = spawn(Command("web", within), Logs.in_one(tmp_path / "web.log"), given)
    try:
        async with signed_in_holder(product, ada) as client:
            cookies = dict(client.cookies.items())
        url = f"http://127.0.0.1:{port}"
        await until(lambda: ready(child, url), seconds=60, why="the pages are served")
        async with (
            http_client(url, cookies=cookies, timeout=30) as client,
            open_page(client) as heard,
        ):
            await pay(product, ada.card, 1_000)
            assert await event(heard) == "changed"
            began = time.monotonic()
            await asyncio.to_thread(child.stop)
            assert time.monotonic() - began < GONE_WITHIN_SECONDS
            while await event(heard) != "end":
                pass
    finally:
        child.stop()

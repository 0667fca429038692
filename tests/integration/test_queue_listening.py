"""The queue hears whatever it says, however long it takes to begin to listen."""

import asyncio

import asyncpg

from app.jobs.listening import ListensFirst
from tests.product import Product
from tests.waiting import until


async def test_a_queue_says_nothing_before_it_listens(product: Product) -> None:
    heard: list[object] = []
    async with asyncpg.create_pool(product.settings.database_url, min_size=2) as pool:
        driver = ListensFirst(pool)
        async with driver:
            saying = asyncio.create_task(driver.notify("a_channel", "are you there"))
            await pool.fetchval("SELECT 1")
            assert not saying.done()

            await driver.add_listener("a_channel", heard.append)

            await saying
            await until(lambda: heard == ["are you there"], why="it hears itself")

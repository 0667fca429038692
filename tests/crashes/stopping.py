"""Keeps the product's own worker still, for a test that needs the time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from tests.product import Product


@asynccontextmanager
async def queue_stopped(product: Product) -> AsyncIterator[None]:
    """Let the worker get no jobs for a while, nor events be stored, but everything else go on."""
    database = await asyncpg.connect(product.settings.owner_url)
    try:
        async with database.transaction():
            await database.execute("LOCK TABLE pgqueuer IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await database.close()

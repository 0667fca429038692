"""`make bench-admin` with few purchases: what it fills in is true, and all it asks for is there."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.config import Settings
from bench import admin, history
from bench.report import lines
from bench.servers import Database, Served
from local_stack.postgres import OWNER
from tests.conformance.recorder import Recorder
from tests.postgres import PostgresServer
from tests.product import running_product
from tests.signing import AUTHORIZATIONS


@asynccontextmanager
async def nobody_working(_: Settings) -> AsyncIterator[None]:
    """What is filled in is at no Stripe, where a worker would look for it."""
    yield


async def test_the_back_office_is_measured(postgres_server: PostgresServer, database: str) -> None:
    url, owner = postgres_server.app_url(database), postgres_server.owner_url(database)
    postgres_server.cluster.psql(f"GRANT pg_checkpoint TO {OWNER}")
    data = Database(url, owner, os.getpid())
    cards = await history.fill(data, admin.QUICK.purchases)
    async with running_product(url, owner, Recorder(), nobody_working) as product:
        address = product.settings.app_url
        served = Served(address, address + AUTHORIZATIONS, os.getpid())
        # What the worker keeps for the homes is there as well.
        assert await product.rows("SELECT 1 FROM traffic")
        assert await product.rows("SELECT 1 FROM declined_request")
        part = await admin.measured(data, served, served, cards, admin.QUICK)
    told = "\n".join(lines("admin", part))
    assert "gave up" not in told
    for page in ("profit: 30 days", "purchases: amount", "merchant", "purchase", "trial balance"):
        assert f"  {page} " in told
    assert "memory grows while exporting" in told

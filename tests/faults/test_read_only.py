"""Connections opened while the database only reads are not kept when it writes again."""

from urllib.parse import urlsplit

import pytest
from sqlalchemy.exc import DBAPIError

from app.heartbeat import WORKER, beat
from app.parts import open_parts
from tests.product import Product


async def test_writing_goes_on_after_one_failure(product: Product) -> None:
    database = urlsplit(product.settings.owner_url).path.removeprefix("/")
    read_only = f'ALTER DATABASE "{database}" SET default_transaction_read_only = on'
    await product.as_owner(read_only)
    async with open_parts(product.settings) as parts:
        for _ in range(2):
            with pytest.raises(DBAPIError, match="read-only transaction"):
                await beat(parts.sessions, WORKER)
        await product.as_owner(f"BEGIN READ WRITE; {read_only.replace(' = on', ' = off')}; COMMIT")
        await beat(parts.sessions, WORKER)

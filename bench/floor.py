"""The floor: what the machine needs for two committed statements and one HTTP call, and no more.

The same server and loop as the product, a pool of the same size, rows of the same size, the same
HTTP client; no routing, no signature, no decision.
"""

import os
from typing import Any
from uuid import uuid4

import aiohttp
import asyncpg

POOL_SIZE = 16
_HEADERS = [(b"content-type", b"application/json"), (b"stripe-version", b"2026-10-28.endive")]
_parts: dict[str, Any] = {}

# As many bytes as a purchase, its request and its charge, as measured in their tables.
SCHEMA = """
CREATE TABLE IF NOT EXISTS floor_request (id uuid PRIMARY KEY, body text NOT NULL, answer text);
CREATE TABLE IF NOT EXISTS floor_charge (id uuid PRIMARY KEY, body text NOT NULL);
"""
FIRST = "INSERT INTO floor_request (id, body) VALUES ($1, $2)"
SECOND = """
WITH answered AS (UPDATE floor_request SET answer = 'approved' WHERE id = $1 RETURNING id)
INSERT INTO floor_charge (id, body) SELECT $2, $3 FROM answered
"""
REQUEST_BYTES = "r" * 700
CHARGE_BYTES = "c" * 300


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Write, call, write, answer."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    while (await receive()).get("more_body"):
        pass
    request = uuid4()
    async with _parts["pool"].acquire() as connection:
        await connection.execute(FIRST, request, REQUEST_BYTES)
    async with _parts["session"].post(_parts["stripe"], data="amount=2149") as response:
        await response.read()
    async with _parts["pool"].acquire() as connection:
        await connection.execute(SECOND, request, uuid4(), CHARGE_BYTES)
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": b'{"approved":true}'})


async def _live(receive: Any, send: Any) -> None:
    await receive()
    pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=2, max_size=POOL_SIZE)
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=500))
    address = f"{os.environ['STRIPE_API_BASE']}/v1/payment_intents"
    _parts.update(pool=pool, session=session, stripe=address)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await session.close()
    await pool.close()
    await send({"type": "lifespan.shutdown.complete"})

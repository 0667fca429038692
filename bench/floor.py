"""The floor: what the machine needs for two committed statements and one HTTP call, and no more.

The same server, loop and pool as the product, rows of the same sizes under a primary
key each, the same HTTP client; no routing, no signature, no decision.
"""

import os
import secrets
import statistics
import time
from itertools import pairwise
from typing import Any

import aiohttp
import msgspec
from uuid_utils.compat import uuid7

from app.domain.issuing.decision_connections import open_decision_connections
from app.parts import DECISION_CONNECTIONS

_HEADERS = [(b"content-type", b"application/json"), (b"stripe-version", b"2026-10-28.endive")]
_parts: dict[str, Any] = {}
_steps: dict[str, list[float]] = {"first statement": [], "call": [], "second statement": []}

# A row for each row that the product writes about a purchase, and kept as whole as that.
SCHEMA = """
CREATE TABLE floor_card_authorization (id uuid PRIMARY KEY, body text NOT NULL);
CREATE TABLE floor_authorization_request (id uuid PRIMARY KEY, body text NOT NULL, answer text);
CREATE TABLE floor_charge (id uuid PRIMARY KEY, body text NOT NULL);
CREATE TABLE floor_flight_record (id uuid PRIMARY KEY, body text NOT NULL)
    WITH (toast_tuple_target = 8160);
CREATE TABLE floor_journal (id uuid PRIMARY KEY, body text NOT NULL);
GRANT ALL ON floor_card_authorization, floor_authorization_request, floor_charge,
             floor_flight_record, floor_journal TO PUBLIC;
"""
WRITTEN = ("card_authorization", "authorization_request", "charge", "flight_record", "journal")
FIRST = """
WITH purchase AS (INSERT INTO floor_card_authorization (id, body) VALUES ($1, $2))
INSERT INTO floor_authorization_request (id, body) VALUES ($3, $4)
"""
SECOND = """
WITH asked AS (
    UPDATE floor_authorization_request SET answer = 'approved' WHERE id = $1 RETURNING id
), record AS (INSERT INTO floor_flight_record (id, body) SELECT id, $2 FROM asked
), journal AS (INSERT INTO floor_journal (id, body) SELECT $3, $5 FROM asked)
INSERT INTO floor_charge (id, body) SELECT $3, $4 FROM asked
"""
WITHIN_SECONDS = 5
ROW_HEAD_BYTES = 24 + 16 + 4
"""A row's header, its id, and the length of its text."""


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Write, call, write, answer. `/steps` gives the median milliseconds of each, and forgets."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    while (await receive()).get("more_body"):
        pass
    body = b'{"approved":true}'
    if scope["method"] == "POST":
        await _answer()
    elif scope["path"] == "/steps":
        body = msgspec.json.encode({name: _median(taken) for name, taken in _steps.items()})
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": body})


async def _answer() -> None:
    request, bodies = uuid7(), _parts["bodies"]
    times = [time.perf_counter()]
    await _parts["connections"].row(
        FIRST,
        *(uuid7(), bodies["card_authorization"], request, bodies["authorization_request"]),
        within=WITHIN_SECONDS,
    )
    times.append(time.perf_counter())
    async with _parts["session"].post(_parts["stripe"], data="amount=2149") as response:
        await response.read()
    times.append(time.perf_counter())
    await _parts["connections"].row(
        SECOND,
        *(request, bodies["flight_record"], uuid7(), bodies["charge"], bodies["journal"]),
        within=WITHIN_SECONDS,
    )
    times.append(time.perf_counter())
    for taken, (before, after) in zip(_steps.values(), pairwise(times), strict=True):
        taken.append((after - before) * 1000)


async def _live(receive: Any, send: Any) -> None:
    await receive()
    opened = open_decision_connections(os.environ["DATABASE_URL"], DECISION_CONNECTIONS)
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=500))
    address = f"{os.environ['STRIPE_API_BASE']}/v1/payment_intents"
    async with opened as connections, session:
        _parts.update(connections=connections, session=session, stripe=address, bodies=_bodies())
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})


def _bodies() -> dict[str, str]:
    """Make text that no compression shortens, so that the rows have the sizes asked for."""
    sizes = msgspec.json.decode(os.environ["FLOOR_ROW_BYTES"], type=dict[str, int])
    return {
        name: secrets.token_urlsafe(size)[: max(size - ROW_HEAD_BYTES, 1)]
        for name, size in sizes.items()
    }


def _median(taken: list[float]) -> float:
    median = statistics.median(taken) if taken else 0.0
    taken.clear()
    return median

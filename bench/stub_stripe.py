"""A Stripe that says yes to every charge after BENCH_LATENCY_MS, in bare ASGI."""

import asyncio
import itertools
import os
import time
from typing import Any

import msgspec

LATENCY_SECONDS = float(os.environ.get("BENCH_LATENCY_MS", "0")) / 1000
_numbers = itertools.count(1)
_HEADERS = [(b"content-type", b"application/json")]


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer a charge as Stripe answers a hold that succeeded."""
    if scope["type"] == "lifespan":
        return
    while (await receive()).get("more_body"):
        pass
    if LATENCY_SECONDS:
        await asyncio.sleep(LATENCY_SECONDS)
    number = next(_numbers)
    intent = {
        "id": f"pi_{os.getpid()}_{number}",
        "object": "payment_intent",
        "amount": 2149,
        "amount_received": 0,
        "created": int(time.time()),
        "latest_charge": f"ch_{os.getpid()}_{number}",
        "metadata": {},
        "payment_method": "pm_bench",
        "status": "requires_capture",
    }
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": msgspec.json.encode(intent)})

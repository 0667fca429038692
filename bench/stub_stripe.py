"""A Stripe that says yes to every charge after BENCH_LATENCY_MS, in bare ASGI."""

import asyncio
import itertools
import os
import time
from typing import Any

import msgspec

LATENCY_SECONDS = float(os.environ.get("BENCH_LATENCY_MS", "0")) / 1000
FIVE_DAYS = 5 * 86_400
_numbers = itertools.count(1)
_HEADERS = [(b"content-type", b"application/json")]
_LIST: dict[str, Any] = {"object": "list", "data": [], "has_more": False}


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer a charge as Stripe answers a hold that succeeded, and show what stands of it."""
    if scope["type"] == "lifespan":
        return
    while (await receive()).get("more_body"):
        pass
    if LATENCY_SECONDS:
        await asyncio.sleep(LATENCY_SECONDS)
    body = msgspec.json.encode(_answer(scope["method"], scope["path"]))
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": body})


def _answer(method: str, path: str) -> dict[str, Any]:
    name = path.rpartition("/")[2]
    if method == "POST":
        number = next(_numbers)
        return _intent(f"pi_{os.getpid()}_{number}", _charge(f"ch_{os.getpid()}_{number}"))
    if path.startswith("/v1/payment_intents/"):
        return _intent(name, _charge(name.replace("pi_", "ch_")))
    if path.startswith("/v1/issuing/authorizations/"):
        return _authorization(name)
    return _LIST


def _intent(name: str, charge: Any) -> dict[str, Any]:
    return {
        "id": name,
        "object": "payment_intent",
        "amount": 2149,
        "amount_received": 0,
        "capture_method": "manual",
        "created": int(time.time()),
        "latest_charge": charge,
        "metadata": {},
        "payment_method": "pm_bench",
        "status": "requires_capture",
    }


def _charge(name: str) -> dict[str, Any]:
    until = int(time.time()) + FIVE_DAYS
    return {
        "id": name,
        "amount": 2149,
        "amount_captured": 0,
        "amount_refunded": 0,
        "balance_transaction": None,
        "payment_method_details": {"card": {"capture_before": until}},
    }


def _authorization(name: str) -> dict[str, Any]:
    now = int(time.time())
    asked = {"approved": True, "reason": "webhook_approved", "amount": 1999, "created": now}
    return {
        "id": name,
        "object": "issuing.authorization",
        "status": "pending",
        "approved": True,
        "amount": 1999,
        "currency": "usd",
        "created": now,
        "card": {"id": "ic_bench"},
        "merchant_data": {"category": "fast_food_restaurants", "name": "Blue Bottle"},
        "request_history": [asked],
        "transactions": [],
        "balance_transactions": [{"id": f"txn_{name}", "amount": -1999, "created": now}],
        "filling": "x" * 3000,
    }

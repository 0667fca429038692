"""Signed webhooks as Stripe sends them, and everything that is almost one."""

import hashlib
import hmac
import json
import time
from typing import Any
from uuid import uuid4

import httpx

from tests.product import AUTHORIZATION_SECRET, EVENTS_SECRET_FOR_SIGNING, Product

AUTHORIZATIONS = "/webhooks/stripe/authorizations"
EVENTS = "/webhooks/stripe/events"
SECRETS = {AUTHORIZATIONS: AUTHORIZATION_SECRET, EVENTS: EVENTS_SECRET_FOR_SIGNING}


def signature(body: bytes, secret: str, at: float | None = None) -> str:
    """Give one signature over the body, in hex, made at a Unix time (now, unless told).

    Source: https://docs.stripe.com/webhooks#verify-manually
    """
    signed = f"{_time(at)}.".encode() + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def header(body: bytes, *secrets: str, at: float | None = None) -> str:
    """Give a Stripe-Signature with one v1 for each secret, as while a secret is being rolled."""
    made = ",".join(f"v1={signature(body, secret, at)}" for secret in secrets)
    return f"t={_time(at)},{made}"


async def post(
    web: httpx.AsyncClient, path: str, body: Any, signed: str | None = None, **headers: str
) -> httpx.Response:
    """Deliver a body, signed with the address's own secret unless another header is given."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Content-Type": "application/json"} | headers
    given["Stripe-Signature"] = header(raw, SECRETS[path]) if signed is None else signed
    return await web.post(path, content=raw, headers=given)


def question(card_id: str, amount: Any = 1999, /, **change: Any) -> dict[str, Any]:
    """Give a real-time question about an authorization that Stripe itself knows nothing of."""
    authorization = {
        "id": f"iauth_{uuid4().hex}",
        "object": "issuing.authorization",
        "amount": 0,
        "approved": False,
        "card": {"id": card_id, "object": "issuing.card"},
        "merchant_data": {
            "name": "Blue Bottle",
            "category": "fast_food_restaurants",
            "country": "US",
        },
        "pending_request": {"amount": amount, "currency": "usd"},
        "request_history": [],
        "status": "pending",
    }
    return event("issuing_authorization.request", authorization | change)


def event(kind: str, thing: dict[str, Any], **change: Any) -> dict[str, Any]:
    """Give the envelope of an event about a thing: https://docs.stripe.com/api/events/object."""
    envelope = {
        "id": f"evt_{uuid4().hex}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(time.time()),
        "data": {"object": thing},
        "livemode": False,
        "pending_webhooks": 1,
        "request": None,
        "type": kind,
    }
    return envelope | change


async def asked(product: Product, authorization: str) -> bytes:
    """Give the bytes of the last question that the sandbox asked about an authorization."""
    response = await product.stripe.get(
        "/_sandbox/deliveries",
        params={"type": "issuing_authorization.request", "object_id": authorization},
    )
    body: str = response.json()["data"][0]["request_body"]
    return body.encode()


def _time(at: float | None) -> int:
    return int(time.time() if at is None else at)

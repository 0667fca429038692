"""What the pages show, read from the world in the shape the templates want."""

import itertools
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct

from stripe_sandbox.delivery import Delivery
from stripe_sandbox.events import REAL_TIME
from stripe_sandbox.pages.wording import (
    REASONS,
    clock_time,
    decimals,
    full_time,
    milliseconds,
    money,
)
from stripe_sandbox.payments.cards import remembered
from stripe_sandbox.world import World

RECENT_AUTHORIZATIONS: Final = 20
DELIVERIES_SHOWN: Final = 100
METHODS_SHOWN: Final = 100
PENDING: Final = "pending"


class CardView(Struct, frozen=True):
    id: str
    last4: str
    cardholder: str
    status: str
    currency: str
    decimals: int


class StepView(Struct, frozen=True):
    """One question about an authorization: the first, or an increment."""

    approved: bool
    amount: str
    reason: str
    text: str
    time: str


class AuthorizationView(Struct, frozen=True):
    """An authorization with what was answered last; `reply` is how long the product took.

    `afterwards` is where a merchant goes with one that is no longer open: to refund its capture,
    or to capture by force what was declined or reversed.
    """

    id: str
    approved: bool
    is_open: bool
    holds_money: bool
    status: str
    merchant: str
    category: str
    amount: str
    captured: str | None
    is_captured: bool
    afterwards: str | None
    card_last4: str
    cardholder: str
    decimals: int
    time: str
    full_time: str
    reply: str | None
    steps: list[StepView]
    metadata: dict[str, str]


class DeliveryView(Struct, frozen=True):
    id: str
    time: str
    full_time: str
    type: str
    object_id: str
    attempt: int
    outcome: str
    ok: bool
    duration: str
    url: str


class MethodView(Struct, frozen=True):
    id: str
    brand: str
    last4: str
    customer: str
    behaves_like: str


def cards(world: World) -> list[CardView]:
    """Every issued card, the newest first and those that can pay before those that cannot."""
    found = [_card(world.present(card)) for card in world.find("issuing.card")]
    return sorted(found, key=lambda card: card.status != "active")


def authorizations(world: World) -> list[AuthorizationView]:
    recent = itertools.islice(world.find("issuing.authorization"), RECENT_AUTHORIZATIONS)
    replies = reply_times(world)
    return [_authorization(world.present(one), replies) for one in recent]


def authorization(world: World, authorization_id: str) -> AuthorizationView:
    """One authorization, or Stripe's `resource_missing`."""
    found = world.get("issuing.authorization", authorization_id)
    return _authorization(world.present(found), reply_times(world))


def reply_times(world: World) -> dict[str, str]:
    """How long the product took over its last answer about each authorization, if it gave one."""
    times: dict[str, str] = {}
    for delivery in world.deliveries.recorded():
        if delivery.type == REAL_TIME:
            reply = "none" if delivery.status is None else milliseconds(delivery.duration_ms)
            times.setdefault(delivery.object_id, reply)
    return times


def deliveries(world: World, type_: str) -> list[DeliveryView]:
    """The latest attempts, newest first; an empty type stands for every type."""
    wanted = (one for one in world.deliveries.recorded() if type_ in ("", one.type))
    return [_delivery(one) for one in itertools.islice(wanted, DELIVERIES_SHOWN)]


def delivery_types(world: World) -> list[str]:
    return sorted({one.type for one in world.deliveries.recorded()})


def bodies(world: World, delivery_id: str) -> tuple[str, str]:
    """What was sent in one attempt and what was answered, each as readable JSON if it is JSON."""
    delivery = world.store.get("sandbox.delivery", delivery_id)
    if delivery is None:
        raise LookupError(f"no such delivery: {delivery_id}")
    event = world.store.get("event", delivery.event_id)
    sent = "" if event is None else readable(bytes(event.body).decode())
    return sent, readable(delivery.response_body)


def readable(text: str) -> str:
    try:
        return msgspec.json.format(text, indent=2)
    except msgspec.DecodeError:
        return text


def methods(world: World) -> list[MethodView]:
    """The saved payment methods, newest first."""
    saved = (method for method in world.find("payment_method") if method["customer"] is not None)
    return [_method(world, method) for method in itertools.islice(saved, METHODS_SHOWN)]


def _card(card: dict[str, Any]) -> CardView:
    return CardView(
        id=card["id"],
        last4=card["last4"],
        cardholder=card["cardholder"]["name"],
        status=card["status"],
        currency=card["currency"],
        decimals=decimals(card["currency"]),
    )


def _authorization(shown: dict[str, Any], replies: dict[str, str]) -> AuthorizationView:
    captured = sum(
        -transaction["amount"]
        for transaction in shown["transactions"]
        if transaction["type"] == "capture"
    )
    return AuthorizationView(
        id=shown["id"],
        approved=shown["approved"],
        is_open=shown["status"] == PENDING,
        holds_money=shown["amount"] > 0,
        status=shown["status"],
        merchant=shown["merchant_data"]["name"] or "unnamed merchant",
        category=shown["merchant_data"]["category"],
        amount=money(shown["amount"], shown["currency"]),
        captured=money(captured, shown["currency"]) if shown["transactions"] else None,
        is_captured=captured > 0,
        afterwards=_afterwards(shown),
        card_last4=shown["card"]["last4"],
        cardholder=shown["card"]["cardholder"]["name"],
        decimals=decimals(shown["currency"]),
        time=clock_time(shown["created"]),
        full_time=full_time(shown["created"]),
        reply=replies.get(shown["id"]),
        steps=list(_steps(shown)),
        metadata=shown["metadata"],
    )


def _afterwards(shown: dict[str, Any]) -> str | None:
    captures = [one["id"] for one in shown["transactions"] if one["type"] == "capture"]
    if captures:
        return f"/v1/test_helpers/issuing/transactions/{captures[0]}/refund"
    if not shown["approved"] or shown["status"] == "reversed":
        return f"/_sandbox/issuing/authorizations/{shown['id']}/force_capture"
    return None


def _steps(shown: dict[str, Any]) -> Iterator[StepView]:
    for step in shown["request_history"]:
        text = REASONS.get(step["reason"], step["reason"].replace("_", " ").capitalize())
        message = step.get("reason_message")
        yield StepView(
            approved=step["approved"],
            amount=money(step["amount"], step["currency"]),
            reason=step["reason"],
            text=f"{text} {message}" if message else text,
            time=clock_time(step["created"]),
        )


def _delivery(delivery: Delivery) -> DeliveryView:
    status = delivery.status
    ok = status is not None and status // 100 == 2  # noqa: PLR2004  2xx acknowledges
    outcome = delivery.error or str(status)
    if delivery.approved is not None:
        outcome = f"{outcome} · {'approved' if delivery.approved else 'declined'}"
    return DeliveryView(
        id=delivery.id,
        time=clock_time(delivery.at),
        full_time=full_time(delivery.at),
        type=delivery.type,
        object_id=delivery.object_id,
        attempt=delivery.attempt,
        outcome=outcome,
        ok=ok,
        duration=milliseconds(delivery.duration_ms),
        url=delivery.url,
    )


def _method(world: World, method: dict[str, Any]) -> MethodView:
    customer = world.get("customer", method["customer"])
    return MethodView(
        id=method["id"],
        brand=method["card"]["brand"],
        last4=method["card"]["last4"],
        customer=customer.get("name") or customer.get("email") or customer["id"],
        behaves_like=remembered(world, method)["behaves_like"] or "",
    )

"""What a publishable key opens: one intent by its client secret, and less of it to be seen.

https://docs.stripe.com/keys and, for the fields, "retrievable with publishable key" on
https://docs.stripe.com/api/setup_intents/object and https://docs.stripe.com/api/payment_intents/object.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from stripe_sandbox.errors import StripeError
from stripe_sandbox.events import Cause, cause
from stripe_sandbox.ids import new_id
from stripe_sandbox.routing import ControlCall, Reply
from stripe_sandbox.world import Object, World

Body = Mapping[str, Any]
Operation = Callable[[World, Body], Awaitable[dict[str, Any]]]

KINDS = {"seti": "setup_intent", "pi": "payment_intent"}
LONGEST_TEXT = 5000
HEADERS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
FIELDS = {
    "setup_intent": (
        *("id", "object", "automatic_payment_methods", "cancellation_reason", "client_secret"),
        *("created", "description", "last_setup_error", "livemode", "next_action"),
        *("payment_method", "payment_method_configuration_details", "payment_method_types"),
        *("status", "usage"),
    ),
    "payment_intent": (
        *("id", "object", "amount", "amount_details", "automatic_payment_methods"),
        *("canceled_at", "cancellation_reason", "capture_method", "client_secret"),
        *("confirmation_method", "created", "currency", "description", "last_payment_error"),
        *("livemode", "next_action", "payment_method", "payment_method_configuration_details"),
        *("payment_method_types", "processing", "receipt_email", "setup_future_usage"),
        *("shipping", "source", "status"),
    ),
    "payment_method": (
        *("id", "object", "allow_redisplay", "billing_details", "card", "created", "livemode"),
        "type",
    ),
}
CARD_FIELDS_KEPT_BACK = frozenset({"fingerprint", "regulated_status"})


def for_browsers(operation: Operation) -> Callable[[ControlCall], Awaitable[Reply]]:
    """Answer as Stripe's interface does, to a request that names a publishable key as `key`."""

    async def answer(call: ControlCall) -> Reply:
        request_id = new_id("req")
        cause.set(Cause(request_id))
        try:
            _check_key(call.body.get("key"))
            content, status = await operation(call.world, call.body), 200
        except StripeError as error:
            content, status = shown(error.body(request_id)), error.status
        body = msgspec.json.encode(content)
        return Reply(body, status, "application/json", HEADERS)

    return answer


def text(body: Body, name: str) -> str:
    """A parameter that has to be there and be a string."""
    if name not in body:
        raise StripeError(f"Missing required param: {name}.", code="parameter_missing", param=name)
    value = body[name]
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise StripeError("Invalid string: {}", param=name)
    return value


def intent_opened(world: World, body: Body) -> Object:
    """The SetupIntent or PaymentIntent of `client_secret`."""
    secret = text(body, "client_secret")
    intent_id, separator, _ = secret.partition("_secret_")
    kind = KINDS.get(intent_id.partition("_")[0])
    if kind is None or not separator:
        raise StripeError("Invalid client_secret provided.", param="client_secret")
    intent = world.get(kind, intent_id)
    if not hmac.compare_digest(intent["client_secret"].encode(), secret.encode()):
        raise StripeError(
            "The client_secret provided does not match any associated "
            f"{'SetupIntent' if kind == 'setup_intent' else 'PaymentIntent'} on this account. "
            "Ensure the publishable key used belongs to the same account that created the intent.",
            code=f"{kind}_invalid_parameter",
            param="client_secret",
        )
    return intent


def shown(value: Any) -> Any:
    """A value with the objects in it as a publishable key sees them."""
    if isinstance(value, list):
        return [shown(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("object")
    fields = FIELDS.get(kind, value) if isinstance(kind, str) else value
    seen = {name: shown(value[name]) for name in fields if name in value}
    if kind == "payment_method":
        card = seen["card"]
        seen["card"] = {name: card[name] for name in card if name not in CARD_FIELDS_KEPT_BACK}
    return seen


def _check_key(key: Any) -> None:
    """https://docs.stripe.com/keys: a secret key is never to be in a browser."""
    if not isinstance(key, str) or not key:
        raise StripeError(
            "You did not provide an API key. You need to provide your publishable key.", status=401
        )
    if key.startswith(("sk_", "rk_")):
        raise StripeError(
            "This API call cannot be made with a secret API key. Please use a publishable API key.",
            status=403,
            code="secret_key_required" if key.startswith("rk_") else None,
        )
    if not key.startswith("pk_test_") or not key.isascii():
        raise StripeError(f"Invalid API Key provided: {key[:8]}****", status=401)

"""What a payment frame and a challenge ask for: to confirm an intent, and to authenticate.

https://docs.stripe.com/js/setup_intents/confirm_setup,
https://docs.stripe.com/payments/3d-secure/authentication-flow. Nothing of a typed card is kept but
which published test card it is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from stripe_sandbox.errors import StripeError
from stripe_sandbox.ids import new_id
from stripe_sandbox.payments import control, payment_intents, payment_methods, setup_intents
from stripe_sandbox.payments.cards import remember, remembered
from stripe_sandbox.routing import Call, ControlCall
from stripe_sandbox.stripe_js.publishable import Body, intent_opened, shown, text
from stripe_sandbox.world import Object, World

CONFIRM = {"setup_intent": setup_intents.confirm, "payment_intent": payment_intents.confirm}
ASKS_AGAIN = "sandbox:requires_action"
ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


async def retrieve(world: World, body: Body) -> dict[str, Any]:
    """What `stripe.retrieveSetupIntent` and `stripe.retrievePaymentIntent` give."""
    return dict(shown(intent_opened(world, body)))


async def confirm(world: World, body: Body) -> dict[str, Any]:
    """Confirm with the card typed here, with a saved `payment_method`, or with the intent's own."""
    intent = intent_opened(world, body)
    if intent.get("confirmation_method") == "manual":
        raise StripeError(
            "This PaymentIntent cannot be confirmed using your publishable key because its "
            "`confirmation_method` property is set to `manual`. Please use your secret key "
            "instead, or create a PaymentIntent with `confirmation_method` set to `automatic`."
        )
    params = {}
    if "card" in body:
        params["payment_method"] = (await _typed(world, body))["id"]
    elif "payment_method" in body:
        params["payment_method"] = text(body, "payment_method")
    await CONFIRM[intent["object"]](_call(world, params, intent["id"]))
    return dict(shown(intent))


async def challenge(world: World, body: Body) -> dict[str, Any]:
    """What a bank tells the holder it asks: the card's end, and the amount if there is one."""
    intent = intent_opened(world, body)
    card = _waiting_method(world, intent)["card"]
    return {
        "amount": intent.get("amount"),
        "brand": card["brand"],
        "currency": intent.get("currency"),
        "last4": card["last4"],
    }


async def authenticate(world: World, body: Body) -> dict[str, Any]:
    """The holder's answer. What comes of it is read from the intent afterwards."""
    intent = intent_opened(world, body)
    method = _waiting_method(world, intent)
    answer = {"succeed": body.get("succeed") is True}
    try:
        with _as_itself(world, method):
            await control.authenticate(ControlCall(world, answer, {}, {"intent": intent["id"]}))
    except StripeError as error:
        if "payment_intent" not in error.extra:
            raise
    return {"status": intent["status"]}


def _waiting_method(world: World, intent: Object) -> Object:
    if intent["status"] != "requires_action":
        raise StripeError(
            f"This {intent['object']} asks for nothing: its status is {intent['status']}.",
            code=f"{intent['object']}_unexpected_state",
        )
    return world.get("payment_method", intent["payment_method"])


@contextmanager
def _as_itself(world: World, method: Object) -> Iterator[None]:
    """Have a card that was told to ask for authentication not ask again while it is given."""
    if remembered(world, method)["behaves_like"] != ASKS_AGAIN:
        yield
        return
    remember(world, method, behaves_like=None)
    try:
        yield
    finally:
        remember(world, method, behaves_like=ASKS_AGAIN)


async def _typed(world: World, body: Body) -> Object:
    """A PaymentMethod of the card that was typed."""
    card = body["card"]
    if not isinstance(card, dict):
        raise StripeError("Invalid object", param="card")
    number = "".join(text(card, "number").split())
    cvc, postal_code = text(card, "cvc"), text(card, "postal_code")
    params = {
        "type": "card",
        "card": {"number": number, **_expiry(world, card)},
        "billing_details": _billing_details(body.get("billing_details"), postal_code),
    }
    method = await payment_methods.create(_call(world, params, ""))
    checks = {
        "cvc_check": "pass" if cvc else "unchecked",
        "address_postal_code_check": "pass" if postal_code else None,
    }
    method["card"]["checks"] |= checks
    return world.save(method)


def _expiry(world: World, card: Body) -> dict[str, int]:
    month, year = card.get("exp_month"), card.get("exp_year")
    if type(month) is not int or not 1 <= month <= 12:  # noqa: PLR2004  months
        raise _card_error("Your card's expiration month is invalid.", "invalid_expiry_month")
    today = datetime.fromtimestamp(world.now(), UTC)
    if type(year) is not int or not (today.year, today.month) <= (year, month) < (2100, 1):
        raise _card_error("Your card's expiration year is invalid.", "invalid_expiry_year")
    return {"exp_month": month, "exp_year": year}


def _card_error(message: str, code: str) -> StripeError:
    return StripeError(
        message, status=402, type="card_error", code=code, param=code.removeprefix("invalid_")
    )


def _billing_details(given: Any, postal_code: str) -> dict[str, Any]:
    """What the page told of the holder, and the postal code that was typed."""
    details = given if isinstance(given, dict) else {}
    typed = {"postal_code": postal_code} if postal_code else {}
    address = _texts(details.get("address"), ADDRESS) | typed
    return _texts(details, ("email", "name", "phone")) | {"address": address}


def _texts(given: Any, names: tuple[str, ...]) -> dict[str, Any]:
    values = given if isinstance(given, dict) else {}
    return {name: text(values, name) for name in names if values.get(name)}


def _call(world: World, params: dict[str, Any], intent_id: str) -> Call:
    return Call(world, params, {"intent": intent_id}, "", new_id("req"))

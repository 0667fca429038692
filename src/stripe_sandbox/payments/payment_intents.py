"""PaymentIntents: create, confirm, change, read.

https://docs.stripe.com/api/payment_intents
"""

from typing import Any

from stripe_sandbox.errors import StripeError
from stripe_sandbox.metadata import merged
from stripe_sandbox.payments.attempts import Terms, attempt
from stripe_sandbox.payments.intent_rules import (
    check_amount,
    check_confirming,
    check_descriptors,
    refuse_not_simulated,
    unexpected_state,
)
from stripe_sandbox.payments.intents import new_intent, options_shown
from stripe_sandbox.payments.patching import without_empty
from stripe_sandbox.payments.payment_methods import check_owner, existing_customer, usable
from stripe_sandbox.routing import Call

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
CHANGEABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
# What may still be changed of an intent that is under way or over.
ALWAYS_CHANGEABLE = frozenset({"metadata", "description", "receipt_email", "expand"})


async def create(call: Call) -> dict[str, Any]:
    """Create, and with `confirm` pay at once. A declined intent exists all the same."""
    world, params = call.world, call.params
    confirms = bool(params.get("confirm"))
    _check(params)
    check_amount(params["amount"], params["currency"].lower())
    check_confirming(params, confirms=confirms)
    if params.get("customer"):
        existing_customer(world, params["customer"])
    intent = new_intent(world, params)
    intent["payment_method_options"] = options_shown(intent["payment_method_options"], params)
    method = _method(call, params, intent["customer"])
    if confirms and method is None:
        raise _missing_method(None)
    if method is not None and not confirms:
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    world.add(intent)
    world.emit("payment_intent.created", intent)
    if confirms and method is not None:
        attempt(world, intent, method, Terms.of(params))
    return intent


async def confirm(call: Call) -> dict[str, Any]:
    """Pay with the PaymentMethod given here or before."""
    world, params = call.world, call.params
    intent = world.get("payment_intent", call.path["intent"])
    _check(params)
    check_confirming(params, confirms=True)
    if intent["status"] not in CONFIRMABLE:
        raise unexpected_state(
            f"This PaymentIntent's status is {intent['status']}. You cannot confirm this "
            "PaymentIntent because it has already succeeded after being previously confirmed."
            if intent["status"] in ("succeeded", "requires_capture")
            else f"You cannot confirm this PaymentIntent because it has a status of "
            f"{intent['status']}. Only a PaymentIntent with one of the following statuses may be "
            f"confirmed: {', '.join(CONFIRMABLE)}.",
            intent,
            "payment_intent",
        )
    given = {"payment_method": intent["payment_method"]} | params
    method = _method(call, given, intent["customer"])
    if method is None:
        raise _missing_method(intent)
    _change(intent, params)
    attempt(world, intent, method, Terms.of(params))
    return intent


async def retrieve(call: Call) -> dict[str, Any]:
    return call.world.get("payment_intent", call.path["intent"])


async def update(call: Call) -> dict[str, Any]:
    """Change an intent; once it is under way only what does not touch money."""
    world, params = call.world, call.params
    intent = world.get("payment_intent", call.path["intent"])
    _check(params)
    settled = sorted(set(params) - ALWAYS_CHANGEABLE)
    if settled and intent["status"] not in CHANGEABLE:
        raise unexpected_state(
            f"This PaymentIntent's {settled[0]} could not be updated because it has a status of "
            f"{intent['status']}. You may only update the {settled[0]} of a PaymentIntent with one "
            f"of the following statuses: {', '.join(CHANGEABLE)}.",
            intent,
            "payment_intent",
        )
    if "amount" in params or "currency" in params:
        currency = str(params.get("currency", intent["currency"])).lower()
        amount: int = params["amount"] if "amount" in params else intent["amount"]
        check_amount(amount, currency)
        intent |= {"amount": amount, "currency": currency}
    if params.get("customer"):
        existing_customer(world, params["customer"])
        intent["customer"] = params["customer"]
    method = _method(call, params, intent["customer"])
    if method is not None:
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    _change(intent, params)
    world.save(intent)
    return intent


def _check(params: dict[str, Any]) -> None:
    refuse_not_simulated(params)
    check_descriptors(params)


def _method(call: Call, params: dict[str, Any], customer: str | None) -> dict[str, Any] | None:
    given = params.get("payment_method")
    if not given:
        return None
    method = usable(call.world, given)
    check_owner(method, customer)
    return method


def _change(intent: dict[str, Any], params: dict[str, Any]) -> None:
    intent["metadata"] = merged(intent["metadata"], params.get("metadata"))
    intent["payment_method_options"] = options_shown(intent["payment_method_options"], params)
    intent |= without_empty(
        params,
        (
            "capture_method",
            "description",
            "receipt_email",
            "setup_future_usage",
            "shipping",
            "statement_descriptor_suffix",
        ),
    )


def _missing_method(intent: dict[str, Any] | None) -> StripeError:
    return StripeError(
        "You cannot confirm this PaymentIntent because it's missing a payment method. You can "
        "either update the PaymentIntent with a payment method and then confirm it again, or "
        "confirm it again directly with a payment method or ConfirmationToken.",
        code="payment_intent_unexpected_state",
        extra=None if intent is None else {"payment_intent": intent},
    )

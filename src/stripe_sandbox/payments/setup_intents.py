"""SetupIntents: saving a customer's card for charges made without them.

https://docs.stripe.com/api/setup_intents
"""

from copy import deepcopy
from typing import Any

from stripe_sandbox.errors import StripeError
from stripe_sandbox.ids import random_text
from stripe_sandbox.metadata import merged
from stripe_sandbox.payments.cards import card_behind, remember
from stripe_sandbox.payments.intent_rules import refuse_not_simulated, unexpected_state
from stripe_sandbox.payments.intents import SECRET_LENGTH, next_action
from stripe_sandbox.payments.patching import without_empty
from stripe_sandbox.payments.payment_methods import (
    attach_to,
    check_owner,
    existing_customer,
    usable,
)
from stripe_sandbox.payments.published_cards import Authentication, Decline
from stripe_sandbox.payments.refusals import card_error, error_of
from stripe_sandbox.routing import Call
from stripe_sandbox.world import World

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
CARD_OPTIONS = {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
AUTHENTICATED_ON_SETUP = frozenset({Authentication.ALWAYS, Authentication.UNTIL_SET_UP})


async def create(call: Call) -> dict[str, Any]:
    """Create, and with `confirm` set the card up at once."""
    world, params = call.world, call.params
    refuse_not_simulated(params)
    if params.get("return_url") and not params.get("confirm"):
        raise StripeError("You cannot set `return_url` unless `confirm` is true.")
    if params.get("customer"):
        existing_customer(world, params["customer"])
    intent = _new(world, params)
    method = _method(world, params, intent["customer"])
    if params.get("confirm") and method is None:
        raise _missing_method()
    if method is not None:
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    world.add(intent)
    world.emit("setup_intent.created", intent)
    if params.get("confirm") and method is not None:
        _attempt(world, intent, method, params.get("return_url"))
    return intent


async def confirm(call: Call) -> dict[str, Any]:
    """Set up the PaymentMethod given here or before, and attach it to the customer."""
    world, params = call.world, call.params
    intent = world.get("setup_intent", call.path["intent"])
    refuse_not_simulated(params)
    if intent["status"] not in OPEN:
        raise unexpected_state(
            "You cannot confirm this SetupIntent because it has already "
            + ("succeeded." if intent["status"] == "succeeded" else "been canceled."),
            intent,
            "setup_intent",
        )
    given = {"payment_method": intent["payment_method"]} | params
    method = _method(world, given, intent["customer"])
    if method is None:
        raise _missing_method()
    _attempt(world, intent, method, params.get("return_url"))
    return intent


async def retrieve(call: Call) -> dict[str, Any]:
    return call.world.get("setup_intent", call.path["intent"])


async def update(call: Call) -> dict[str, Any]:
    world, params = call.world, call.params
    intent = world.get("setup_intent", call.path["intent"])
    refuse_not_simulated(params)
    if params.get("customer"):
        existing_customer(world, params["customer"])
    method = _method(world, params, params.get("customer") or intent["customer"])
    intent |= without_empty(params, ("customer", "description"))
    if method is not None:
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    intent["metadata"] = merged(intent["metadata"], params.get("metadata"))
    return world.save(intent)


async def cancel(call: Call) -> dict[str, Any]:
    intent = call.world.get("setup_intent", call.path["intent"])
    if intent["status"] not in OPEN:
        raise unexpected_state(
            "You cannot cancel this SetupIntent because it has a status of "
            f"{intent['status']}. Only a SetupIntent with one of the following statuses may be "
            f"canceled: {', '.join(OPEN)}.",
            intent,
            "setup_intent",
        )
    intent |= {
        "cancellation_reason": call.params.get("cancellation_reason"),
        "next_action": None,
        "status": "canceled",
    }
    call.world.save(intent)
    call.world.emit("setup_intent.canceled", intent)
    return intent


def succeed(world: World, intent: dict[str, Any], method: dict[str, Any]) -> None:
    """Save the card: from here it can be charged without its holder."""
    remember(world, method, set_up=True)
    if intent["customer"] and method["customer"] is None:
        attach_to(world, method, intent["customer"])
    intent |= {
        "last_setup_error": None,
        "next_action": None,
        "payment_method": method["id"],
        "status": "succeeded",
    }
    _keep_attempt(world, intent, method, "succeeded")
    world.save(intent)
    world.emit("setup_intent.succeeded", intent)


def fail(world: World, intent: dict[str, Any], method: dict[str, Any], decline: Decline) -> None:
    """Have the intent wait for another card."""
    intent |= {
        "last_setup_error": error_of(decline, deepcopy(method)),
        "next_action": None,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    _keep_attempt(world, intent, method, "failed")
    world.save(intent)
    world.emit("setup_intent.setup_failed", intent)


def _attempt(
    world: World, intent: dict[str, Any], method: dict[str, Any], return_url: str | None
) -> None:
    card = card_behind(world, method)
    if card.decline is not None and not card.savable:
        fail(world, intent, method, card.decline)
        raise card_error({**intent["last_setup_error"]}, setup_intent=intent)
    if card.authentication in AUTHENTICATED_ON_SETUP:
        intent |= {
            "next_action": next_action(intent, return_url),
            "payment_method": method["id"],
            "status": "requires_action",
        }
        _keep_attempt(world, intent, method, "requires_action")
        world.save(intent)
        world.emit("setup_intent.requires_action", intent)
        return
    succeed(world, intent, method)


def _method(world: World, params: dict[str, Any], customer: str | None) -> dict[str, Any] | None:
    given = params.get("payment_method")
    if not given:
        return None
    method = usable(world, given)
    check_owner(method, customer)
    return method


def _keep_attempt(
    world: World, intent: dict[str, Any], method: dict[str, Any], status: str
) -> None:
    attempt = world.add(
        {
            "id": world.new_id("setatt"),
            "object": "setup_attempt",
            "application": None,
            "created": world.now(),
            "customer": intent["customer"],
            "customer_account": None,
            "flow_directions": None,
            "livemode": False,
            "on_behalf_of": None,
            "payment_method": method["id"],
            "payment_method_details": {"card": _attempt_details(method), "type": "card"},
            "setup_error": intent["last_setup_error"],
            "setup_intent": intent["id"],
            "status": status,
            "usage": intent["usage"],
        }
    )
    intent["latest_attempt"] = attempt["id"]


def _attempt_details(method: dict[str, Any]) -> dict[str, Any]:
    card = method["card"]
    facts = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding")
    return {
        **{name: card[name] for name in (*facts, "last4", "wallet")},
        "network": card["brand"],
        "three_d_secure": None,
    }


def _new(world: World, params: dict[str, Any]) -> dict[str, Any]:
    intent_id = world.new_id("seti")
    allowed = params.get("allowed_payment_method_types")
    automatic = params.get("automatic_payment_methods") or {"enabled": True}
    given = (params.get("payment_method_options") or {}).get("card") or {}
    options = {name: given[name] for name in CARD_OPTIONS if name in given}
    return {
        "id": intent_id,
        "object": "setup_intent",
        "allowed_payment_method_types": allowed,
        "application": None,
        "automatic_payment_methods": (
            None if allowed else {"allow_redirects": "always"} | automatic
        ),
        "cancellation_reason": None,
        "client_secret": f"{intent_id}_secret_{random_text(SECRET_LENGTH)}",
        "created": world.now(),
        "customer": params.get("customer"),
        "customer_account": None,
        "description": params.get("description"),
        "excluded_payment_method_types": params.get("excluded_payment_method_types"),
        "flow_directions": params.get("flow_directions"),
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "managed_payments": None,
        "mandate": None,
        "metadata": merged({}, params.get("metadata")),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": CARD_OPTIONS | options},
        "payment_method_types": allowed or ["card"],
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": params.get("usage", "off_session"),
    }


def _missing_method() -> StripeError:
    return StripeError(
        "You cannot confirm this SetupIntent because it's missing a payment method. Update the "
        "SetupIntent with a payment method and then confirm it again.",
        code="setup_intent_unexpected_state",
    )

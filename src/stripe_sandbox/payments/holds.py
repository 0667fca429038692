"""Holds on a card: captured, cancelled, or lapsed.

https://docs.stripe.com/payments/place-a-hold-on-a-payment-method
"""

from typing import Any

from stripe_sandbox.errors import StripeError
from stripe_sandbox.metadata import merged
from stripe_sandbox.payments import charges
from stripe_sandbox.payments.attempts import conclude
from stripe_sandbox.payments.deadlines import due_intents, forget
from stripe_sandbox.payments.intent_rules import check_descriptors, shown, unexpected_state
from stripe_sandbox.payments.later import finish
from stripe_sandbox.payments.refunds import LATE_WORKS, give_back_uncaptured
from stripe_sandbox.routing import Call
from stripe_sandbox.world import World

CANCELABLE = (
    "requires_payment_method",
    "requires_capture",
    "requires_confirmation",
    "requires_action",
    "processing",
)


async def capture(call: Call) -> dict[str, Any]:
    """Take all or part of a hold; the remainder is released and the intent has succeeded."""
    world, params = call.world, call.params
    intent = world.get("payment_intent", call.path["intent"])
    check_descriptors(params)
    if intent["status"] != "requires_capture":
        raise unexpected_state(
            "This PaymentIntent could not be captured because it has already been captured."
            if intent["status"] == "succeeded"
            else "This PaymentIntent could not be captured because it has a status of "
            f"{intent['status']}. Only a PaymentIntent with one of the following statuses may be "
            "captured: requires_capture.",
            intent,
            "payment_intent",
        )
    capturable: int = intent["amount_capturable"]
    amount = params.get("amount_to_capture", capturable)
    _check_amount(amount, intent)
    if params.get("final_capture") is False:
        raise StripeError(
            "Multicapture is not available for this PaymentIntent.", param="final_capture"
        )
    intent["metadata"] = merged(intent["metadata"], params.get("metadata"))
    _take(world, intent, amount)
    return intent


async def cancel(call: Call) -> dict[str, Any]:
    """Give up an intent that has not succeeded; what it holds is released at no cost."""
    world = call.world
    intent = world.get("payment_intent", call.path["intent"])
    # A card payment the bank is still deciding about cannot be called back.
    if intent["status"] not in CANCELABLE or intent["status"] == "processing":
        raise unexpected_state(
            "You cannot cancel this PaymentIntent because it has a status of "
            f"{intent['status']}. Only a PaymentIntent with one of the following statuses may be "
            f"canceled: {', '.join(CANCELABLE)}.",
            intent,
            "payment_intent",
        )
    if intent["status"] == "requires_capture":
        charge = world.get("charge", intent["latest_charge"])
        give_back_uncaptured(world, charge, None)
        world.emit("charge.refunded", charge)
    _end(world, intent, call.params.get("cancellation_reason"))
    return intent


async def pass_time(world: World) -> None:
    """Let the clock's moves take effect: lapse holds, and have banks answer what is pending."""
    finish(world, (charges.book_later, *LATE_WORKS))
    # What a bank approves late can have lapsed by now as well, so until nothing is due.
    while due := due_intents(world):
        for intent in due:
            _let_happen(world, intent)


def _let_happen(world: World, intent: dict[str, Any]) -> None:
    charge = world.get("charge", intent["latest_charge"])
    if intent["status"] == "requires_capture":
        give_back_uncaptured(world, charge, "expired_uncaptured_charge")
        world.emit("charge.expired", charge)
        _end(world, intent, "automatic")
    else:
        charges.answer_yes(world, charge, captured=intent["capture_method"] != "manual")
        conclude(world, intent, charge)


def _check_amount(amount: int, intent: dict[str, Any]) -> None:
    if amount < 1:
        raise StripeError(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount_to_capture",
        )
    if amount > intent["amount_capturable"]:
        raise StripeError(
            f"The amount to capture ({shown(amount, intent['currency'])}) is greater than the "
            f"capturable amount ({shown(intent['amount_capturable'], intent['currency'])}) of "
            "this PaymentIntent.",
            code="amount_too_large",
            param="amount_to_capture",
        )


def _take(world: World, intent: dict[str, Any], amount: int) -> None:
    charge = world.get("charge", intent["latest_charge"])
    # What is not captured counts as refunded, though no refund object says so.
    charge |= {
        "amount_captured": amount,
        "amount_refunded": charge["amount"] - amount,
        "captured": True,
    }
    charge["payment_method_details"]["card"].pop("capture_before", None)
    charges.book(world, charge)
    forget(world, intent)
    intent |= {"amount_capturable": 0, "amount_received": amount, "status": "succeeded"}
    world.save(intent)
    world.emit("charge.captured", charge)
    world.emit("payment_intent.succeeded", intent)


def _end(world: World, intent: dict[str, Any], reason: str | None) -> None:
    forget(world, intent)
    intent |= {
        "amount_capturable": 0,
        "canceled_at": world.now(),
        "cancellation_reason": reason,
        "next_action": None,
        "status": "canceled",
    }
    world.save(intent)
    world.emit("payment_intent.canceled", intent)

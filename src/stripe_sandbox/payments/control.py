"""What the sandbox can be told about saved cards and waiting intents, under `/_sandbox`."""

from collections.abc import Sequence
from typing import Any

from stripe_sandbox.payments import setup_intents, topups
from stripe_sandbox.payments.attempts import SANDBOX_BEHAVIOURS, Terms, answer_of, attempt, fail
from stripe_sandbox.payments.cards import remember
from stripe_sandbox.payments.published_cards import TOKENS, Decline, card_of_token
from stripe_sandbox.routing import ControlCall, ControlRoute

PAYMENT_NOT_AUTHENTICATED = Decline(
    "payment_intent_authentication_failure",
    None,
    "The provided payment method has failed authentication. You can provide payment_method_data "
    "or a new PaymentMethod to attempt to fulfill this PaymentIntent again.",
    None,
)
SETUP_NOT_AUTHENTICATED = Decline(
    "setup_intent_authentication_failure",
    None,
    "The latest attempt to set up the payment method has failed because authentication failed.",
    None,
)


async def behaves_like(call: ControlCall) -> dict[str, Any]:
    """Have a saved card's later charges behave like the published card of `token`.

    So a card can be saved that Stripe would not let be saved. null gives it back its own ways;
    `sandbox:processing`, `sandbox:requires_action`, `sandbox:requires_payment_method` and
    `sandbox:succeeded` make the charge end in that status, with HTTP 200.
    """
    method = call.world.get("payment_method", call.path["payment_method"])
    token = call.body.get("token")
    card = card_of_token(token) if isinstance(token, str) else None
    if card is not None:
        token = next(name for name, known in TOKENS.items() if known == card)
    elif token is not None and token not in SANDBOX_BEHAVIOURS:
        known = ", ".join([*TOKENS, *sorted(SANDBOX_BEHAVIOURS)])
        raise ValueError(f"token is null or one of: {known}")
    remember(call.world, method, behaves_like=token)
    return {"payment_method": method["id"], "behaves_like": token}


async def refusing(call: ControlCall) -> dict[str, Any]:
    """Tell how charges of customers' saved cards would end while their holders are not there.

    By the PaymentMethod's id, in the words of a decline code; those that pay are left out.
    """
    answers = {
        method["id"]: answer_of(call.world, method)
        for method in call.world.find("payment_method")
        if method["customer"]
    }
    return {"refusing": {name: answer for name, answer in answers.items() if answer}}


async def authenticate(call: ControlCall) -> dict[str, Any]:
    """Do what a card's holder does when an intent asks for 3D Secure: `{"succeed": true}`."""
    intent_id = call.path["intent"]
    is_setup = intent_id.startswith("seti_")
    intent = call.world.get("setup_intent" if is_setup else "payment_intent", intent_id)
    succeeds = call.body.get("succeed", True)
    if intent["status"] != "requires_action":
        raise ValueError(f"the intent asks for nothing: its status is {intent['status']}")
    method = call.world.get("payment_method", intent["payment_method"])
    if is_setup and succeeds:
        setup_intents.succeed(call.world, intent, method)
    elif is_setup:
        setup_intents.fail(call.world, intent, method, SETUP_NOT_AUTHENTICATED)
    elif succeeds:
        attempt(call.world, intent, method, Terms(authenticated=True))
    else:
        fail(call.world, intent, method, PAYMENT_NOT_AUTHENTICATED, None)
    return {"id": intent["id"], "status": intent["status"]}


async def topup_succeeds(call: ControlCall) -> dict[str, Any]:
    """Have a pending top-up arrive now."""
    topup = _pending_topup(call)
    topups.succeed(call.world, topup)
    return topup


async def topup_fails(call: ControlCall) -> dict[str, Any]:
    """Have a pending top-up fail: `{"failure_code": …, "failure_message": …}`, both optional."""
    topup = _pending_topup(call)
    topups.fail(
        call.world,
        topup,
        str(call.body.get("failure_code", "insufficient_funds")),
        str(call.body.get("failure_message", "Your bank returned the debit for lack of funds.")),
    )
    return topup


def _pending_topup(call: ControlCall) -> dict[str, Any]:
    topup = call.world.get(topups.KIND, call.path["topup"])
    if topup["status"] != "pending":
        raise ValueError(f"the top-up is not pending: its status is {topup['status']}")
    return topup


ROUTES: Sequence[ControlRoute] = (
    ControlRoute("GET", "/_sandbox/payment_methods", refusing),
    ControlRoute("POST", "/_sandbox/payment_methods/{payment_method}/behaves_like", behaves_like),
    ControlRoute("POST", "/_sandbox/intents/{intent}/authenticate", authenticate),
    ControlRoute("POST", "/_sandbox/topups/{topup}/succeed", topup_succeeds),
    ControlRoute("POST", "/_sandbox/topups/{topup}/fail", topup_fails),
)

"""PaymentIntents as objects: what a new one looks like, and how they are read and listed.

https://docs.stripe.com/api/payment_intents
"""

from typing import Any

from stripe_sandbox.ids import random_text
from stripe_sandbox.metadata import merged
from stripe_sandbox.world import World

SECRET_LENGTH = 25
NULL_AT_FIRST = (
    "application",
    "application_fee_amount",
    "canceled_at",
    "cancellation_reason",
    "customer_account",
    "last_payment_error",
    "latest_charge",
    "managed_payments",
    "next_action",
    "on_behalf_of",
    "payment_method",
    "payment_method_configuration_details",
    "payment_record",
    "processing",
    "review",
    "source",
    "statement_descriptor",
    "transfer_data",
)
CARD_OPTIONS = {
    "installments": None,
    "mandate_options": None,
    "network": None,
    "request_three_d_secure": "automatic",
}


def new_intent(world: World, params: dict[str, Any]) -> dict[str, Any]:
    """A PaymentIntent nobody has tried to pay yet."""
    intent_id = world.new_id("pi")
    allowed = params.get("allowed_payment_method_types")
    given_automatic = params.get("automatic_payment_methods")
    automatic = None if allowed else given_automatic or {"enabled": True}
    return {
        "id": intent_id,
        "object": "payment_intent",
        **dict.fromkeys(NULL_AT_FIRST),
        "allowed_payment_method_types": allowed,
        "amount": params["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "automatic_payment_methods": (
            None if automatic is None else {"allow_redirects": "always"} | automatic
        ),
        "capture_method": params.get("capture_method", "automatic_async"),
        "client_secret": f"{intent_id}_secret_{random_text(SECRET_LENGTH)}",
        "confirmation_method": params.get("confirmation_method", "automatic"),
        "created": world.now(),
        "currency": params["currency"].lower(),
        "customer": params.get("customer"),
        "description": params.get("description"),
        "excluded_payment_method_types": params.get("excluded_payment_method_types"),
        "livemode": False,
        "metadata": merged({}, params.get("metadata")),
        "payment_method_options": {"card": dict(CARD_OPTIONS)},
        "payment_method_types": allowed or ["card"],
        "receipt_email": params.get("receipt_email"),
        "setup_future_usage": params.get("setup_future_usage"),
        "shipping": params.get("shipping"),
        "statement_descriptor_suffix": params.get("statement_descriptor_suffix"),
        "status": "requires_payment_method",
        "transfer_group": params.get("transfer_group"),
    }


def options_shown(current: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """`payment_method_options` with those of the card that Stripe gives back."""
    given = (params.get("payment_method_options") or {}).get("card") or {}
    shown = {name: given[name] for name in (*CARD_OPTIONS, "capture_method") if name in given}
    return {"card": current["card"] | shown}


def next_action(intent: dict[str, Any], return_url: str | None) -> dict[str, Any]:
    """What the holder of the card has to do: 3D Secure, by redirect when there is a way back.

    https://docs.stripe.com/payments/3d-secure/authentication-flow
    """
    url = f"https://hooks.stripe.com/3d_secure_2/hosted?intent={intent['id']}"
    if return_url:
        return {
            "type": "redirect_to_url",
            "redirect_to_url": {"return_url": return_url, "url": url},
        }
    return {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": url},
    }

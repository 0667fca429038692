"""PaymentIntents as objects: what a new one looks like, and how they are read and listed.

https://docs.stripe.com/api/payment_intents
"""

from typing import Any

from stripe_sandbox.ids import random_text
from stripe_sandbox.metadata import merged
from stripe_sandbox.world import World

SECRET_LENGTH = 25
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
        "allowed_payment_method_types": allowed,
        "amount": params["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": (
            None if automatic is None else {"allow_redirects": "always"} | automatic
        ),
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": params.get("capture_method", "automatic_async"),
        "client_secret": f"{intent_id}_secret_{random_text(SECRET_LENGTH)}",
        "confirmation_method": params.get("confirmation_method", "automatic"),
        "created": world.now(),
        "currency": params["currency"].lower(),
        "customer": params.get("customer"),
        "customer_account": None,
        "description": params.get("description"),
        "excluded_payment_method_types": params.get("excluded_payment_method_types"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "managed_payments": None,
        "metadata": merged({}, params.get("metadata")),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": dict(CARD_OPTIONS)},
        "payment_method_types": allowed or ["card"],
        "payment_record": None,
        "processing": None,
        "receipt_email": params.get("receipt_email"),
        "review": None,
        "setup_future_usage": params.get("setup_future_usage"),
        "shipping": params.get("shipping"),
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": params.get("statement_descriptor_suffix"),
        "status": "requires_payment_method",
        "transfer_data": None,
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

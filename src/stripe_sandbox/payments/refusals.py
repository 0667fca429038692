"""The refusal of a card as Stripe reports it: on the intent, and as the answer to the request.

https://docs.stripe.com/api/errors and https://docs.stripe.com/declines.
"""

from typing import Any

from stripe_sandbox.errors import StripeError
from stripe_sandbox.payments.published_cards import Decline


def error_of(
    decline: Decline, payment_method: dict[str, Any], charge: str | None = None
) -> dict[str, Any]:
    """The error object an intent keeps as `last_payment_error` or `last_setup_error`."""
    fields = {
        "advice_code": decline.advice if decline.network_code else None,
        "charge": charge,
        "code": decline.code,
        "decline_code": decline.decline_code,
        "doc_url": "https://stripe.com/docs/error-codes/" + decline.code.replace("_", "-"),
        "message": decline.message,
        "network_decline_code": decline.network_code,
        "payment_method": payment_method,
        "type": "card_error",
    }
    return {name: value for name, value in fields.items() if value is not None}


def card_error(error: dict[str, Any], **objects: dict[str, Any]) -> StripeError:
    """HTTP 402 carrying the error and the intent it happened to."""
    return StripeError(
        error["message"],
        status=402,
        type="card_error",
        code=error["code"],
        decline_code=error.get("decline_code"),
        extra={**error, **objects},
    )

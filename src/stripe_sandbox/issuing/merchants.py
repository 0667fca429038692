"""The merchant of a purchase."""

from typing import Any

from stripe_sandbox.issuing.merchant_categories import CODES

# What test mode fills in where a purchase does not say.
DEFAULTS = {
    "category": "taxicabs_limousines",
    "city": "San Francisco",
    "country": "US",
    "name": "Rocket Rides",
    "network_id": "1234567890",
    "postal_code": "94103",
    "state": "CA",
    "terminal_id": "99999999",
}


def merchant_data(given: dict[str, Any] | None) -> dict[str, Any]:
    """Give `merchant_data` as Stripe shows it, with the code of its category."""
    merchant: dict[str, Any] = DEFAULTS | (given or {})
    return merchant | {
        "category_code": CODES[merchant["category"]],
        "tax_id": None,
        "url": merchant.get("url"),
    }

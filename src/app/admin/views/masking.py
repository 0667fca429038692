"""What Stripe sent, without what tells who somebody is."""

import re
from typing import Any

HIDDEN = "•••"
# The fields of Stripe's objects that hold a person's data or a secret. A merchant's name stays.
# Source: https://docs.stripe.com/api/events/types, each type's object
PERSONAL = frozenset(
    {
        *("name", "first_name", "last_name", "email", "receipt_email", "customer_email", "phone"),
        *("phone_number", "phone_numbers", "preferred_locales", "dob", "birth_date"),
        *("address", "address_line1", "address_line2", "line1", "line2", "postal_code"),
        *("ip", "user_agent", "number", "cvc", "pin", "client_secret", "secret", "fingerprint"),
        *("individual", "billing", "billing_details", "shipping", "shipping_details"),
        *("evidence", "wallets", "document", "receipt_url", "description", "personal_id_number"),
    }
)
_EMAIL = re.compile(r"[^\s@\"<>]+@[^\s@\"<>]+\.[^\s@\"<>]+")


def masked(value: Any, field: str = "", parent: str = "") -> Any:
    """Give a copy of a payload with every personal value hidden, whatever it holds."""
    if field in PERSONAL and parent != "merchant_data" and value not in (None, "", {}, []):
        return HIDDEN
    if isinstance(value, dict):
        return {key: masked(inner, key, field) for key, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner, "", field) for inner in value]
    return _EMAIL.sub(HIDDEN, value) if isinstance(value, str) else value

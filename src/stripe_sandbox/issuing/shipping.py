"""How a physical card travels (https://docs.stripe.com/api/issuing/cards/object)."""

from typing import Any

ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")
UNKNOWN_YET = ("carrier", "delivered_at", "eta", "shipped_at", "tracking_number", "tracking_url")


def shipping(given: dict[str, Any] | None) -> dict[str, Any] | None:
    """Give the shipping of a card as asked for, or None for a virtual card."""
    if given is None:
        return None
    mode = (given.get("address_validation") or {}).get("mode", "validation_and_normalization")
    customs = given.get("customs")
    return dict.fromkeys(UNKNOWN_YET) | {
        "address": {name: given["address"].get(name) for name in ADDRESS},
        "address_validation": {"mode": mode, "normalized_address": None, "result": None},
        "business_name": given.get("business_name"),
        "customs": None if customs is None else {"eori_number": customs.get("eori_number")},
        "name": given["name"],
        "phone_number": given.get("phone_number"),
        "require_signature": given.get("require_signature"),
        "service": given.get("service", "standard"),
        "status": "pending",
        "type": given.get("type", "individual"),
    }

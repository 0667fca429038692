"""What a person can start from: purchases, faults, categories and countries."""

from typing import Final

from msgspec import Struct


class Purchase(Struct, frozen=True):
    """One purchase to try; `amount` is in major units, as a person types it."""

    merchant: str
    amount: str
    category: str
    country: str = "US"
    city: str = "San Francisco"
    note: str = ""


class FaultPreset(Struct, frozen=True):
    """A fault with a plain name; the rest is what `POST /_sandbox/faults` takes."""

    name: str
    meaning: str
    path: str
    action: str
    method: str = "POST"
    after_effect: bool = False
    delay_ms: int = 0
    status: int = 500


PURCHASES: Final = (
    Purchase("Blue Bottle Coffee", "19.99", "eating_places_restaurants"),
    Purchase("Whole Foods Market", "43.20", "grocery_stores_supermarkets"),
    Purchase("Hotel Belvedere", "300.00", "hotels_motels_and_resorts", "IT", "Rome"),
    Purchase(
        "Shell", "1.00", "automated_fuel_dispensers", note="1.00: a pump that finalizes later"
    ),
    Purchase(
        "Streaming Plus", "0.00", "digital_goods_media", note="zero amount: is the card real?"
    ),
)

HOLD: Final = "/v1/payment_intents"
FAULTS: Final = (
    FaultPreset(
        "Stripe answers 500 though it charged",
        "The hold is made; the answer says that it failed.",
        HOLD,
        "status",
        after_effect=True,
    ),
    FaultPreset(
        "Stripe answers 500 and did nothing",
        "No hold is made, and nobody can tell from the answer.",
        HOLD,
        "status",
    ),
    FaultPreset(
        "The bank takes 3 seconds",
        "Longer than a purchase may wait for an answer.",
        HOLD,
        "delay",
        delay_ms=3000,
    ),
    FaultPreset(
        "Connection dropped before Stripe saw it",
        "The request is lost on the way.",
        HOLD,
        "drop_before",
    ),
    FaultPreset(
        "Connection dropped after the charge",
        "The hold is made; its answer is lost on the way.",
        HOLD,
        "drop_after",
    ),
    FaultPreset(
        "Stripe never answers",
        "The connection stays open, silent.",
        HOLD,
        "hang",
        after_effect=True,
    ),
    FaultPreset("Too many requests", "Stripe refuses with 429.", HOLD, "status", status=429),
    FaultPreset(
        "Captures fail with 500",
        "The hold cannot be collected for now.",
        "/v1/payment_intents/{intent}/capture",
        "status",
    ),
)

ACTIONS: Final = {
    "status": "answer with a status",
    "delay": "wait, then answer",
    "hang": "never answer",
    "drop_before": "drop the connection before it takes effect",
    "drop_after": "drop the connection after it took effect",
}

EVENT_ACTIONS: Final = {
    "lose": "lose it for ever",
    "hold": "hold it back until it is released",
    "duplicate": "send it more than once",
}
EVENT_TYPES: Final = (
    "issuing_authorization.created",
    "issuing_authorization.updated",
    "issuing_transaction.created",
    "payment_intent.*",
    "charge.*",
    "refund.*",
    "topup.*",
)

COMMON_CATEGORIES: Final = (
    "eating_places_restaurants",
    "fast_food_restaurants",
    "grocery_stores_supermarkets",
    "digital_goods_media",
    "computer_software_stores",
    "book_stores",
    "taxicabs_limousines",
    "airlines_air_carriers",
    "hotels_motels_and_resorts",
    "car_rental_agencies",
    "automated_fuel_dispensers",
    "drug_stores_and_pharmacies",
    "automated_cash_disburse",
    "betting_casino_gambling",
)
COUNTRIES: Final = {
    "US": "United States",
    "CA": "Canada",
    "GB": "United Kingdom",
    "IE": "Ireland",
    "DE": "Germany",
    "FR": "France",
    "IT": "Italy",
    "ES": "Spain",
    "NL": "Netherlands",
    "SE": "Sweden",
    "PL": "Poland",
    "JP": "Japan",
    "AU": "Australia",
    "BR": "Brazil",
    "IN": "India",
    "CN": "China",
    "NG": "Nigeria",
    "RU": "Russia",
}

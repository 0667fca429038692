"""Puts amounts, times and Stripe's reasons into words."""

from datetime import UTC, datetime, timedelta
from typing import Final

# https://docs.stripe.com/currencies#zero-decimal
ZERO_DECIMAL: Final = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split()  # noqa: SIM905  reads as a list
)
MILLISECONDS_SHOWN_WHOLE: Final = 10

# https://docs.stripe.com/api/issuing/authorizations/object, request_history.reason
REASONS: Final = {
    "account_disabled": "The account is disabled.",
    "card_active": "No real-time endpoint is set: Stripe approved on its own.",
    "card_canceled": "The card is canceled.",
    "card_expired": "The card has expired.",
    "card_inactive": "The card is not active.",
    "cardholder_blocked": "The cardholder is blocked.",
    "cardholder_inactive": "The cardholder is not active.",
    "cardholder_verification_required": "The cardholder's details still have to be verified.",
    "insufficient_funds": "The Issuing balance is too low; the product was not asked.",
    "not_allowed": "This kind of purchase is not allowed.",
    "spending_controls": "The card's own limits refused it; the product was not asked.",
    "suspected_fraud": "Stripe suspects fraud.",
    "verification_failed": "The card details do not match.",
    "webhook_approved": "The product approved.",
    "webhook_declined": "The product declined.",
    "webhook_error": "The product's answer could not be used.",
    "webhook_timeout": "The product did not answer within two seconds.",
}


def decimals(currency: str) -> int:
    return 0 if currency in ZERO_DECIMAL else 2


def money(minor: int, currency: str) -> str:
    """`1999, "usd"` as `19.99 USD`; with a minus sign where it is negative."""
    places = decimals(currency)
    whole, part = divmod(abs(minor), 10**places)
    fraction = f".{part:0{places}d}" if places else ""
    return f"{'-' if minor < 0 else ''}{whole:,}{fraction} {currency.upper()}"


def clock_time(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).strftime("%H:%M:%S")


def full_time(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).strftime("%d %b %Y %H:%M:%S UTC")


def span(seconds: int) -> str:
    """`90061` as `1 d 1 h 1 min 1 s`; `0` as the empty string."""
    left = timedelta(seconds=abs(seconds))
    hours, rest = divmod(left.seconds, 3600)
    minutes, remaining = divmod(rest, 60)
    parts = ((left.days, "d"), (hours, "h"), (minutes, "min"), (remaining, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def milliseconds(duration: float) -> str:
    shown = f"{duration:.1f}" if duration < MILLISECONDS_SHOWN_WHOLE else f"{duration:,.0f}"
    return f"{shown} ms"


def label(category: str) -> str:
    """`grocery_stores_supermarkets` as `Grocery stores supermarkets`."""
    return category.replace("_", " ").capitalize()

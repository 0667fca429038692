"""How the back office writes what the tables hold: amounts, times, states, masked addresses."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.datastructures import QueryParams

from app.domain.identity.devices import device_in_words
from app.money import Currency, readable

NOTHING = "—"


def amount(minor: int | None, currency: Currency | str = Currency.USD) -> str:
    """Write minor units with their currency: 43.20 USD."""
    return NOTHING if minor is None else f"{readable(minor)} {currency.upper()}"


def moment(value: datetime | None, zone: ZoneInfo) -> str:
    """Write a time as clocks in the business's zone show it: 2026-11-24 14:02:11."""
    return value.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if value else NOTHING


def words(value: Enum | str | None) -> str:
    """Write a state or a kind as words: not_handled is “not handled”."""
    text = value.value if isinstance(value, Enum) else value
    return text.replace("_", " ") if text else NOTHING


def masked_email(email: str) -> str:
    """Write an e-mail address so that only who knows it recognises it: a•••@e•••.com."""
    name, _, host = email.partition("@")
    domain, dot, ending = host.rpartition(".")
    return f"{name[:1]}•••@{domain[:1]}•••{dot}{ending}"


def card_digits(last4: str) -> str:
    return f"···· {last4}"


def changed(given: QueryParams, **changes: object) -> str:
    """Write an address's query with some fields changed, and those changed to None left out."""
    kept = {**given, **changes}
    return urlencode({name: value for name, value in kept.items() if value is not None})


FILTERS: Mapping[str, Callable[..., Any]] = {
    "amount": amount,
    "changed": changed,
    "device": device_in_words,
    "masked_email": masked_email,
    "moment": moment,
    "readable": readable,
    "words": words,
}
"""For templates."""

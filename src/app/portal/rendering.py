"""Pages made from templates: how amounts, times and states are written for customers."""

from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.domain.identity.devices import device_in_words
from app.money import Currency, readable
from app.portal.category_words import category
from app.portal.static_files import address_of

FOLDER = Path(__file__).parent / "templates"


def amount(minor: int, currency: Currency | str = Currency.USD) -> str:
    """Write minor units as a customer of that currency reads them: $1,234.50."""
    sign, digits = ("-", readable(-minor)) if minor < 0 else ("", readable(minor))
    return f"{sign}${digits}" if currency == Currency.USD else f"{sign}{digits} {currency.upper()}"


HOW = {
    "moment": "%-d %b %Y, %H:%M UTC",
    "exact": "%-d %b %Y, %H:%M:%S UTC",
    "date": "%-d %b %Y",
    "day": "%-d %b",
}


def written(value: datetime, how: str = "moment") -> str:
    """Write a time; where scripts run, they put it into the browser's own zone."""
    return value.astimezone(UTC).strftime(HOW[how])


def words(value: Enum | str) -> str:
    text = value.value if isinstance(value, Enum) else value
    return text.replace("_", " ")


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["static"] = address_of
    environment.filters.update(
        amount=amount,
        category=category,
        device=device_in_words,
        readable=readable,
        words=words,
        written=written,
    )
    return environment


ENVIRONMENT = _environment()


def render(template: str, told: dict[str, Any]) -> str:
    return ENVIRONMENT.get_template(template).render(told)

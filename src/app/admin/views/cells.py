"""What stands in a cell of a list or a record. All text from the tables is escaped."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from markupsafe import Markup
from starlette.requests import Request

from app.admin.permissions import FULL_EMAIL, allowed
from app.admin.views.names import Names
from app.admin.wording import NOTHING, amount, card_digits, masked_email, moment, words
from app.domain.issuing.explanations import EXPLANATIONS

Text = str | Markup
Cell = Callable[[Any, str, Request], Text]


def zone_of(request: Request) -> ZoneInfo:
    """Give the zone that staff count their days in."""
    return ZoneInfo(request.state.parts.settings.business_timezone)


def plain(row: Any, field: str, request: Request) -> Text:
    """Write a column's value by what it is."""
    value = getattr(row, field, None)
    if value is None or value in ("", []):
        return NOTHING
    if field.endswith("_minor"):
        return amount(value, row.currency)
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value, zone_of(request))
    return str(value)


def block(text: str) -> Markup:
    return Markup("<pre>{}</pre>").format(text)


def link(href: str, text: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(href, text)


def badge(value: str) -> Markup:
    """Write a state as a word that has its colour from the style sheet."""
    return Markup('<span class="state" data-state="{}">{}</span>').format(value, words(value))


def when(value: datetime, zone: ZoneInfo) -> Markup:
    """Write a time that no line break parts."""
    return Markup('<time class="when">{}</time>').format(moment(value, zone))


_WRITERS: Sequence[tuple[type, Callable[[Any, ZoneInfo], Text]]] = (
    (StrEnum, lambda value, _: badge(value)),
    (datetime, when),
    (date, lambda value, _: value.isoformat()),
    (bool, lambda value, _: "yes" if value else "no"),
    (list, lambda value, _: ", ".join(words(str(item)) for item in value)),
    (dict, lambda value, _: block(msgspec.json.format(msgspec.json.encode(value)).decode())),
)


def identifier(row: Any, field: str, _: Request) -> Text:
    """Write an id that people copy but do not read."""
    value = getattr(row, field)
    return Markup("<code>{}</code>").format(value) if value else NOTHING


def pointing(field_of_names: str, address: str) -> Cell:
    """Make a cell that names what an id points at, linked to its record."""

    def cell(row: Any, field: str, request: Request) -> Text:
        key = getattr(row, field)
        if key is None:
            return NOTHING
        names: Names = request.state.names
        name = getattr(names, field_of_names).get(key)
        # No line ends between the dots and the digits of a card.
        return (
            link(f"{address}/{key}", name.replace("···· ", "····\N{NO-BREAK SPACE}"))
            if name
            else NOTHING
        )

    return cell


def titled(address: str) -> Cell:
    """Make a cell of what a row is called, linked to its page."""

    def cell(row: Any, field: str, _: Request) -> Text:
        return link(f"{address}/{row.id}", str(getattr(row, field)))

    return cell


def email(row: Any, _: str, request: Request) -> Text:
    """Write an e-mail address in full only for roles that may see it in a list."""
    full = allowed(request.state.staff, "customers", FULL_EMAIL)
    return str(row.email) if full else masked_email(row.email)


def recipient(row: Any, _: str, request: Request) -> Text:
    """Write where a letter goes, as e-mail addresses are written."""
    full = allowed(request.state.staff, "customers", FULL_EMAIL)
    return str(row.recipient) if full else masked_email(row.recipient)


def last4(row: Any, field: str, _: Request) -> Text:
    return card_digits(getattr(row, field))


def expiry(row: Any, _: str, __: Request) -> Text:
    return f"{row.exp_month:02}/{row.exp_year}"


def percent(row: Any, field: str, _: Request) -> Text:
    whole, hundredths = divmod(getattr(row, field), 100)
    return f"{whole}.{hundredths:02} %"


def unsigned(row: Any, field: str, _: Request) -> Text:
    """Write an amount without the sign, which the kind beside it says in words."""
    return amount(abs(getattr(row, field)), row.currency)


def milliseconds(row: Any, _: str, __: Request) -> Text:
    total = row.step_ms.get("total")
    return f"{round(total)} ms" if isinstance(total, int | float) else NOTHING


def short(field: str) -> Cell:
    """Make a cell of the beginning of a long text."""

    def cell(row: Any, _: str, __: Request) -> Text:
        value = getattr(row, field) or NOTHING
        return value if len(value) <= SHORT else value[: SHORT - 1] + "…"

    return cell


SHORT = 80


def reason(row: Any, field: str, _: Request) -> Text:
    """Write a decline's reason in a few words."""
    value = getattr(row, field)
    return EXPLANATIONS[value].short if value else NOTHING


def explained(part: str) -> Cell:
    """Make a cell of one part of what there is to say about a decline's reason."""

    def cell(row: Any, _: str, __: Request) -> Text:
        if row.reason is None:
            return NOTHING
        value = getattr(EXPLANATIONS[row.reason], part)
        return {True: "yes", False: "no"}.get(value) or str(value)

    return cell


SHARED: Mapping[str, Cell] = {
    "customer_id": pointing("customers", "/admin/customer"),
    "card_id": pointing("cards", "/admin/cards/details"),
    "funding_source_id": pointing("sources", "/admin/sources/details"),
    "authorization_id": pointing("merchants", "/admin/purchase"),
    "purchase_id": pointing("merchants", "/admin/purchase"),
    "price_plan_id": pointing("prices", "/admin/prices/details"),
    "percent_bps": percent,
    "last4": last4,
    "expiry": expiry,
    "reason": reason,
    "decided_by": explained("decided_by"),
    "step_total": milliseconds,
}
"""Cells of fields that mean the same in every list."""

LABELS: Mapping[str, str] = {
    "customer_id": "Customer",
    "card_id": "Card",
    "funding_source_id": "Linked card",
    "authorization_id": "Purchase",
    "purchase_id": "Purchase",
    "price_plan_id": "Price",
    "last4": "Number",
    "percent_bps": "Percent",
    "created_at": "Created",
    "occurred_at": "Time",
    "requested_at": "Time",
    "decided_by": "Whose decision",
    "merchant_name": "Merchant",
    "step_total": "Answered in",
    "not_handled": "Not handled yet",
    "stripe_reason": "Stripe's reason",
    "email": "E-mail",
}


def label(field: str) -> str:
    """Name a column: amount_minor is “Amount”."""
    return LABELS.get(field) or words(field.removesuffix("_minor")).capitalize()

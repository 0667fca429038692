"""Stripe's webhooks, read strictly: past this file no one sees a raw body."""

import json
import math
from typing import Annotated, Any, NoReturn

import msgspec

from app.domain.issuing.asking import Ask
from app.domain.issuing.merchant_names import NAMELESS
from app.errors import AppError

LARGEST_QUESTION_BYTES = 64 * 1024
# An authorization comes with all of its transactions and movements: hundreds, of a split shipment.
LARGEST_EVENT_BYTES = 2 * 1024 * 1024
REQUEST_TYPE = "issuing_authorization.request"
_LARGEST_AMOUNT = 2**53
_LONGEST_TEXT = 200
_LONGEST_ID = 255
_HIGHEST_RISK = 99
# Far deeper than anything of Stripe's, and far from what recursion and the database bear.
_MOST_LEVELS = 100

Amount = Annotated[int, msgspec.Meta(ge=-_LARGEST_AMOUNT, le=_LARGEST_AMOUNT)]
Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=255, pattern=r"\A[\x21-\x7e]+\Z")]


class NotAnEvent(AppError, status=400):
    """The bytes are Stripe's, and are not an event we could do anything with."""


class TooLarge(AppError, status=413):
    """The body is larger than a question, or an event, of Stripe's can be."""


class EventData(msgspec.Struct, frozen=True):
    object: dict[str, Any]
    previous_attributes: dict[str, Any] | None = None


class Event(msgspec.Struct, frozen=True):
    """The envelope of an event: https://docs.stripe.com/api/events/object."""

    id: Identifier
    type: str
    created: int
    data: EventData
    livemode: bool = False
    # The connected account it comes from; we are a single account, whose own events have none.
    account: str | None = None

    @property
    def object_id(self) -> str | None:
        """The id of what it is about. Not everything has one: a balance has none."""
        found = self.data.object.get("id")
        return found if isinstance(found, str) and len(found) <= _LONGEST_ID else None


class _Identified(msgspec.Struct, frozen=True):
    id: Identifier


class _Merchant(msgspec.Struct, frozen=True):
    category: str = ""
    name: str | None = None
    country: str | None = None
    city: str | None = None
    network_id: str | None = None


class _AmountDetails(msgspec.Struct, frozen=True):
    cashback_amount: int | None = None


class _Pending(msgspec.Struct, frozen=True):
    amount: Amount
    currency: str
    is_amount_controllable: bool = False
    network_risk_score: int | None = None
    amount_details: _AmountDetails | None = None


class _Authorization(msgspec.Struct, frozen=True):
    id: Identifier
    card: _Identified
    merchant_data: _Merchant
    pending_request: _Pending
    request_history: list[Any]
    amount: Amount


def read_event(body: bytes, *, livemode: bool) -> Event:
    """Read genuine bytes. Raise NotAnEvent unless they are an event of our mode.

    What it gives holds nothing that a database text cannot hold.
    """
    try:
        data = json.loads(
            body,
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse,
            parse_float=_finite,
        )
        event = msgspec.convert(data if _is_plain(body) else storable(data), Event)
    except (ValueError, RecursionError, msgspec.ValidationError):
        raise NotAnEvent("The body is not a JSON event") from None
    if event.livemode is not livemode:
        raise NotAnEvent("The event is of the other mode (live or test)")
    if event.account is not None:
        raise NotAnEvent("The event is of another account")
    return event


def read_ask(event: Event) -> Ask | None:
    """Read the question in a real-time event; None when a field we need cannot be read."""
    if event.type != REQUEST_TYPE:
        raise NotAnEvent(f"This address answers {REQUEST_TYPE} only")
    if event.object_id is None:
        raise NotAnEvent("The event's object has no id")
    try:
        asked = msgspec.convert(event.data.object, _Authorization)
    except msgspec.ValidationError:
        return None
    merchant, details = asked.merchant_data, asked.pending_request.amount_details
    return Ask(
        event=event.id,
        authorization=asked.id,
        card=asked.card.id,
        ordinal=len(asked.request_history),
        amount_minor=asked.pending_request.amount,
        currency=clean(asked.pending_request.currency)[:3],
        approved_before_minor=max(asked.amount, 0),
        merchant_name=clean(merchant.name or "") or NAMELESS,
        merchant_category=clean(merchant.category),
        merchant_country=clean(merchant.country) if merchant.country else None,
        merchant_city=clean(merchant.city) if merchant.city else None,
        merchant_network_id=clean(merchant.network_id) if merchant.network_id else None,
        risk_score=_risk(asked.pending_request.network_risk_score),
        controllable=asked.pending_request.is_amount_controllable,
        least_minor=(details.cashback_amount or 0) if details else 0,
    )


def _risk(score: int | None) -> int | None:
    """Keep a score of the range Stripe names, and take another for none."""
    return score if score is not None and 0 <= score <= _HIGHEST_RISK else None


def clean(text: str) -> str:
    """Make somebody else's text safe to store and show: no control characters, not endless."""
    whole = text[:_LONGEST_TEXT].encode("utf-8", "replace").decode()
    return "".join(c for c in whole if c.isprintable()).strip()


def _is_plain(body: bytes) -> bool:
    r"""Tell, without looking at each value, that a body surely holds nothing to be replaced.

    NUL and half characters only come written as \u escapes, and what opens few brackets is not
    nested deeply.
    """
    escapes = b"\\u0000" in body or b"\\ud" in body or b"\\uD" in body
    return not escapes and body.count(b"{") + body.count(b"[") <= _MOST_LEVELS


def storable(value: Any, levels: int = _MOST_LEVELS) -> Any:
    """Give the same JSON without what a database text cannot hold: NUL and half characters.

    Raises ValueError when it is nested deeper than so many levels.
    """
    if levels == 0:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "")
    if isinstance(value, list):
        return [storable(item, levels - 1) for item in value]
    if isinstance(value, dict):
        return {storable(name): storable(item, levels - 1) for name, item in value.items()}
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice in one object")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _finite(number: str) -> float:
    """Read a number, and refuse one too large for a float, which Python would make infinite."""
    found = float(number)
    if not math.isfinite(found):
        raise ValueError(number)
    return found

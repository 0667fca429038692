"""Turns what the app logs about an answered purchase into one line for a person at a terminal."""

from datetime import datetime

import msgspec

from app.money import Currency, readable

_LONGEST_TEXT = 60


class _Answered(msgspec.Struct, tag_field="event", tag="purchase_answered"):
    """The fields of the log line that the person's line is made of; amounts in minor units."""

    timestamp: datetime
    answer: str
    amount_minor: int
    currency: str
    duration_ms: float
    merchant: str | None = None
    held_minor: int | None = None
    funding_mode: str | None = None
    source_brand: str | None = None
    source_last4: str | None = None
    reason: str | None = None
    reason_text: str | None = None
    own_ms: float | None = None


_decoder = msgspec.json.Decoder(_Answered)


def purchase_line(logged: bytes) -> str | None:
    """Return the line for a person, its time in this machine's zone; None for any other event."""
    try:
        purchase = _decoder.decode(logged)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    clock = purchase.timestamp.astimezone().strftime("%H:%M:%S")
    amount = readable(purchase.amount_minor)
    if purchase.currency != Currency.USD:
        amount += f" {_harmless(purchase.currency)}"
    merchant = _harmless(purchase.merchant or "unnamed merchant")
    parts = (_outcome(purchase), _took(purchase))
    return " · ".join((f"{clock} {_harmless(purchase.answer)} {amount} {merchant}", *parts))


def _outcome(purchase: _Answered) -> str:
    if purchase.answer != "approved":
        return _harmless(purchase.reason_text or purchase.reason or "no reason given")
    if not purchase.held_minor:
        return "nothing held"
    verb = "charged" if purchase.funding_mode == "charge" else "held"
    card = _harmless(f"{purchase.source_brand or 'card'} {purchase.source_last4 or ''}".strip())
    return f"{verb} {readable(purchase.held_minor)} on {card}"


def _took(purchase: _Answered) -> str:
    whole = f"{purchase.duration_ms:.0f} ms"
    if purchase.own_ms is None or round(purchase.own_ms) == round(purchase.duration_ms):
        return whole
    return f"{whole}, {purchase.own_ms:.0f} ours"


def _harmless(text: str) -> str:
    """Keep what can be printed: a merchant chooses its name, and a terminal obeys control codes."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    short = " ".join(printable.split())
    return short if len(short) <= _LONGEST_TEXT else f"{short[: _LONGEST_TEXT - 1]}…"

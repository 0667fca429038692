"""Genuine bytes that are not an event, and events that are not what we expect."""

import json
from typing import Any

import pytest

from app.webhooks.reading import NotAnEvent, clean, read_ask, read_event, storable


def event(**change: Any) -> dict[str, Any]:
    asked = {
        "id": "iauth_1",
        "amount": 0,
        "card": {"id": "ic_1"},
        "merchant_data": {"name": "Blue Bottle", "category": "bakeries", "new": 1},
        "pending_request": {"amount": 1999, "currency": "usd", "is_amount_controllable": False},
        "request_history": [],
    }
    return {
        "id": "evt_1",
        "type": "issuing_authorization.request",
        "created": 1_800_000_000,
        "livemode": False,
        "data": {"object": asked | change},
    }


def read(value: Any) -> Any:
    return read_ask(read_event(json.dumps(value).encode(), livemode=False))


def test_a_question_is_read() -> None:
    ask = read(event())

    assert (ask.authorization, ask.card, ask.ordinal) == ("iauth_1", "ic_1", 0)
    assert (ask.amount_minor, ask.currency, ask.merchant_name) == (1999, "usd", "Blue Bottle")


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b'"x"',
        b"{",
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b"9" * 5_000,
        b"NaN",
        b'{"id": "evt_1", "id": "evt_2"}',
        json.dumps(event()).replace('"amount": 0', '"amount": NaN').encode(),
        json.dumps(event() | {"data": {"object": {}}}).encode(),
        json.dumps(event() | {"data": {"object": {"id": 7}}}).encode(),
        json.dumps(event() | {"livemode": True}).encode(),
        json.dumps(event() | {"type": "charge.succeeded"}).encode(),
    ],
)
def test_what_is_not_a_question_is_refused(body: bytes) -> None:
    with pytest.raises(NotAnEvent):
        read_ask(read_event(body, livemode=False))


@pytest.mark.parametrize("amount", [1.5, "1999", True, None, 2**53 + 1, 10**40])
def test_an_amount_that_is_none_is_not_rounded_or_wrapped(amount: Any) -> None:
    assert read(event(pending_request={"amount": amount, "currency": "usd"})) is None


@pytest.mark.parametrize("missing", ["card", "pending_request", "request_history"])
def test_a_missing_field_cannot_be_read(missing: str) -> None:
    assert read(event(**{missing: None})) is None


def test_other_peoples_text_is_made_safe() -> None:
    assert clean("Blue\x00 Bottle\n\x1b[31m") == "Blue Bottle[31m"
    assert clean("\ud800" + "x" * 500) == "?" + "x" * 199
    assert storable({"a\x00": ["\ud800", 1, None]}) == {"a": ["?", 1, None]}

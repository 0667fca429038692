"""One line for a person, whatever a merchant calls itself."""

import json
import time
from collections.abc import Iterator

import pytest

from local_stack.purchase_lines import purchase_line

APPROVED = {
    "event": "purchase_answered",
    "level": "info",
    "timestamp": "2026-11-24T14:02:11.123456Z",
    "answer": "approved",
    "amount_minor": 1999,
    "currency": "usd",
    "merchant": "Blue Bottle",
    "held_minor": 2149,
    "funding_mode": "hold",
    "source_brand": "visa",
    "source_last4": "4242",
    "reason": None,
    "reason_text": None,
    "duration_ms": 212,
    "own_ms": 9,
}
DECLINED = APPROVED | {
    "answer": "declined",
    "amount_minor": 8000,
    "held_minor": None,
    "reason": "daily_limit",
    "reason_text": "over the card's daily limit",
    "duration_ms": 6.2,
    "own_ms": 6.2,
}


@pytest.fixture(autouse=True)
def _machine_in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            APPROVED,
            "14:02:11 approved 19.99 Blue Bottle · held 21.49 on visa 4242 · 212 ms, 9 ours",
        ),
        (
            APPROVED | {"funding_mode": "charge"},
            "14:02:11 approved 19.99 Blue Bottle · charged 21.49 on visa 4242 · 212 ms, 9 ours",
        ),
        (
            DECLINED,
            "14:02:11 declined 80.00 Blue Bottle · over the card's daily limit · 6 ms",
        ),
        (
            DECLINED | {"reason_text": None},
            "14:02:11 declined 80.00 Blue Bottle · daily_limit · 6 ms",
        ),
        (
            APPROVED | {"amount_minor": 0, "held_minor": None, "own_ms": None},
            "14:02:11 approved 0.00 Blue Bottle · nothing held · 212 ms",
        ),
        (
            APPROVED | {"currency": "eur", "amount_minor": 123456},
            (
                "14:02:11 approved 1,234.56 eur Blue Bottle · held 21.49 on visa 4242"
                " · 212 ms, 9 ours"
            ),
        ),
        (
            DECLINED | {"merchant": "Evil\x1b[2J\r\n14:02:12 approved\u202e Ltd"},
            (
                "14:02:11 declined 80.00 Evil [2J 14:02:12 approved Ltd · "
                "over the card's daily limit · 6 ms"
            ),
        ),
        (
            DECLINED | {"merchant": "x" * 500},
            f"14:02:11 declined 80.00 {'x' * 59}… · over the card's daily limit · 6 ms",
        ),
        (
            DECLINED | {"merchant": None},
            "14:02:11 declined 80.00 unnamed merchant · over the card's daily limit · 6 ms",
        ),
    ],
)
def test_an_answered_purchase_is_one_line(event: dict[str, object], line: str) -> None:
    assert purchase_line(json.dumps(event).encode()) == line


@pytest.mark.parametrize(
    "logged",
    [
        b"",
        b"\n",
        b"not json",
        b"\xff\xfe",
        b"[1, 2]",
        b'{"event": "request_answered"}',
        b'{"event": "purchase_answered"}',
        json.dumps(APPROVED | {"amount_minor": "much"}).encode(),
    ],
)
def test_anything_else_in_the_log_is_no_line(logged: bytes) -> None:
    assert purchase_line(logged) is None

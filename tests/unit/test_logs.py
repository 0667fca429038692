"""What reaches a log line, and what never does."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from app.logs import configure_logs


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Logs as in production, into a text; as they were afterwards."""
    written = io.StringIO()
    monkeypatch.setattr("sys.stdout", written)
    configure_logs()
    yield written
    monkeypatch.undo()
    configure_logs()


def test_only_named_fields_are_written(lines: io.StringIO) -> None:
    structlog.get_logger().info(
        "purchase_answered", merchant="Blue\nBottle", headers={"Cookie": "x"}, secret="sk_test_1"
    )

    line = json.loads(lines.getvalue())
    assert (line["event"], line["merchant"]) == ("purchase_answered", "Blue\nBottle")
    assert len(lines.getvalue().splitlines()) == 1, "a merchant's text cannot forge a line"
    assert not {"headers", "secret"} & line.keys()


def test_an_exception_is_named_without_its_message(lines: io.StringIO) -> None:
    try:
        int("4242424242424242 is no number")
    except ValueError:
        structlog.get_logger().exception("answer_failed", authorization="iauth_1")

    line = json.loads(lines.getvalue())
    assert line["exception"].startswith("ValueError at test_an_exception_is_named")
    assert "4242" not in lines.getvalue()


def test_a_library_s_warning_is_a_line_like_ours(lines: io.StringIO) -> None:
    logging.getLogger("somebody").warning("slow", extra={"password": "x"})

    line = json.loads(lines.getvalue())
    assert (line["event"], line["logger"], line["level"]) == ("slow", "somebody", "warning")
    assert "password" not in line

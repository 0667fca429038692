"""JSON lines with the fields we name, and no others: no secret, card number, event or header."""

import logging
import sys
import traceback
from types import TracebackType
from typing import Any, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from app.card_numbers import without_card_numbers

ALLOWED = frozenset(
    {
        *("event", "level", "timestamp", "logger", "request_id", "exception", "error"),
        *("method", "path", "status", "duration_ms", "own_ms"),
        *("authorization", "stripe_event", "charge", "state", "approved", "attempts", "job"),
        "customer",
        *("answer", "amount_minor", "currency", "merchant", "held_minor", "funding_mode"),
        *("source_brand", "source_last4", "reason", "reason_text"),
        *("host", "port", "settled", "failed"),
    }
)
FREE_TEXT = frozenset({"merchant", "reason_text"})
"""What others have written, and may hold a card's number."""


def configure_logs(to: TextIO | None = None) -> None:
    """Write every log line, ours and the libraries', as one JSON object: on standard output."""
    to = to or sys.stdout
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _name_exception,
    ]
    structlog.configure(
        processors=[*shared, _allow_listed, structlog.processors.JSONRenderer(_json)],
        logger_factory=structlog.PrintLoggerFactory(to),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(to)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _allow_listed,
                structlog.processors.JSONRenderer(_json),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def _name_exception(_: WrappedLogger, __: str, entry: EventDict) -> EventDict:
    """Keep an exception's kind and where it was raised; its message may hold anything."""
    told: Any = entry.pop("exc_info", None)
    error = sys.exc_info()[1] if told is True else told
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        entry["exception"] = f"{type(error).__name__} at {_where(error.__traceback__)}"
    return entry


def _where(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)
    return " < ".join(f"{f.name}:{f.lineno}" for f in reversed(frames[-6:]))


def _json(entry: EventDict, **_: Any) -> str:
    return msgspec.json.encode(entry, enc_hook=str).decode()


def _allow_listed(_: WrappedLogger, __: str, entry: EventDict) -> EventDict:
    return {
        name: without_card_numbers(value) if name in FREE_TEXT and isinstance(value, str) else value
        for name, value in entry.items()
        if name in ALLOWED
    }

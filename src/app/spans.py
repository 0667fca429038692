"""What was done and how long it took, for a collector of traces; off unless one is named.

A span is made when its work is over, from times that were taken anyway, and never holds a body, a
header or a card number.
"""

import asyncio
import time
from collections.abc import Mapping
from importlib import import_module
from typing import Protocol

import msgspec

from app.domain.issuing.asking import Answer, Ask
from app.domain.issuing.authorize import Authorizer
from app.domain.issuing.stopwatch import Stopwatch

Attributes = Mapping[str, str | int | bool]


class Span(msgspec.Struct, frozen=True):
    """Work that is over. `steps` are its parts in their order, in milliseconds."""

    name: str
    seconds: float
    attributes: Attributes
    steps: Mapping[str, float] = {}
    ended_at: float = msgspec.field(default_factory=time.time)


class Spans(Protocol):
    """Where spans go. Neither call waits for anybody."""

    def add(self, span: Span) -> None: ...

    def close(self) -> None:
        """Send what is left. Waits for the collector, a few seconds at most."""
        ...


def open_spans(endpoint: str, service: str) -> Spans | None:
    """Open the way to the collector at an address, if there is one.

    The library behind it takes a third of a second to load, so it is loaded only then.
    """
    if not endpoint:
        return None
    opened: Spans = import_module("app.telemetry").OtlpSpans(endpoint, service)
    return opened


class TracedAuthorizer:
    """Answers as the authorizer that it is given does, and adds a span for each decision."""

    def __init__(self, authorizer: Authorizer, spans: Spans) -> None:
        self.authorizer = authorizer
        self.spans = spans

    async def answer(self, ask: Ask, watch: Stopwatch) -> Answer:
        """Answer; the span is made when the loop has nothing else to do with this answer."""
        answer = await self.authorizer.answer(ask, watch)
        if not answer.replayed:
            span = _decision(ask, answer)
            asyncio.get_running_loop().call_soon(self.spans.add, span)
        return answer


def _decision(ask: Ask, answer: Answer) -> Span:
    steps = {name: took for name, took in answer.step_ms.items() if name != "total"}
    attributes: dict[str, str | int | bool] = {
        "proxycard.authorization": ask.authorization,
        "proxycard.approved": answer.approved,
        "proxycard.reason": answer.reason or "approved",
    }
    return Span("decision", answer.step_ms.get("total", 0.0) / 1000, attributes, steps)

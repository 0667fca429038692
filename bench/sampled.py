"""The product's real-time part, sampled: which functions its processor time is spent in.

Writes a list of [function, percent in itself, percent with what it calls] to the file that
BENCH_SAMPLES names when the server ends.
"""

import os
import signal
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec

from app.asgi import production_realtime

EVERY_SECONDS = 0.002
_itself: Counter[str] = Counter()
_with_callees: Counter[str] = Counter()
_product = production_realtime()


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Serve the product; sample from its start to its end."""
    if scope["type"] != "lifespan":
        await _product(scope, receive, send)
        return
    signal.signal(signal.SIGPROF, _sample)
    signal.setitimer(signal.ITIMER_PROF, EVERY_SECONDS, EVERY_SECONDS)
    await _product(scope, receive, send)
    signal.setitimer(signal.ITIMER_PROF, 0)
    Path(os.environ["BENCH_SAMPLES"]).write_bytes(msgspec.json.encode(_counted()))  # noqa: ASYNC240 - the server has ended


def _sample(_: int, frame: FrameType | None) -> None:
    if frame is None:
        return
    _itself[_name(frame)] += 1
    seen = set()
    while frame is not None:
        seen.add(_name(frame))
        frame = frame.f_back
    _with_callees.update(seen)


def _name(frame: FrameType) -> str:
    module = frame.f_globals.get("__name__", "?")
    return f"{module}.{frame.f_code.co_qualname}"


def _counted() -> list[tuple[str, float, float]]:
    whole = _itself.total() or 1
    return [
        (name, round(own * 100 / whole, 1), round(_with_callees[name] * 100 / whole, 1))
        for name, own in _itself.most_common()
    ]

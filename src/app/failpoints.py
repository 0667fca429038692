"""Places in the decision where a test may have the process killed, as a power cut would.

Nothing happens unless FAILPOINT names the place in the process's environment, or the test runs the
decision itself and has said what happens there.
"""

import os
import signal
from collections.abc import Callable
from contextvars import ContextVar
from enum import StrEnum


class Place(StrEnum):
    """In the order in which a purchase passes them."""

    RECEIVED = "received"
    VERIFIED = "verified"
    RECORDED = "recorded"
    CHARGING = "charging"
    CHARGED = "charged"
    WRITTEN = "written"
    ANSWERED = "answered"


_armed = os.environ.get("FAILPOINT")


def is_armed(place: Place) -> bool:
    return _armed == place


def _die_where_armed(place: Place) -> None:
    if is_armed(place):
        os.kill(os.getpid(), signal.SIGKILL)


# What reaching a place does: a test that plays several processes in one sets it for each.
on_reached: ContextVar[Callable[[Place], None]] = ContextVar("on_reached", default=_die_where_armed)


def reached(place: Place) -> None:
    """Say that the decision is here; where a test wants so, it gets no further."""
    on_reached.get()(place)

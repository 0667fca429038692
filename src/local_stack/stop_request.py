"""Ctrl-C, SIGTERM and a closed terminal all ask for the same: an orderly end."""

import signal
import time
from collections.abc import Callable
from types import FrameType


class Stopped(Exception):
    """A person, or the system, asked for the end while something was still being waited for."""


class StopRequest:
    """Notes that the end was asked for; whoever waits looks at it between two steps.

    Nothing is interrupted half-way, so no child is ever started and then forgotten.
    """

    def __init__(self) -> None:
        self._asked = False

    def listen(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def wait_for(self, condition: Callable[[], bool], seconds: float, poll: float = 0.02) -> bool:
        """Wait until the condition holds and tell whether it did; raises Stopped when asked to."""
        deadline = time.monotonic() + seconds
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                return False
            time.sleep(poll)
        return True

    def check(self) -> None:
        if self._asked:
            raise Stopped

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True

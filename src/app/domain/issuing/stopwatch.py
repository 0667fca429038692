"""The time a decision may take, on a clock that nobody can move."""

import time
from collections.abc import Callable

ANSWER_WITHIN_SECONDS = 1.65
"""Stripe waits two seconds for our answer, the network included.

Source: https://docs.stripe.com/issuing/controls/real-time-authorizations
"""


class Stopwatch:
    """Counts from the receipt of a request, and remembers what each step took."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        self.started = now()
        self.last = self.started
        self.step_ms: dict[str, float] = {}

    def left(self) -> float:
        """Give the seconds until the answer must be on its way."""
        return self.started + ANSWER_WITHIN_SECONDS - self.now()

    def step(self, name: str) -> None:
        """Note that a step has ended now; steps of one name add up."""
        now = self.now()
        before = self.step_ms.get(name, 0.0)
        self.step_ms[name] = round(before + (now - self.last) * 1000, 2)
        self.last = now

    def total(self) -> dict[str, float]:
        """Give the steps so far and the time since receipt, in milliseconds."""
        return self.step_ms | {"total": round((self.now() - self.started) * 1000, 2)}

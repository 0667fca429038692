"""The time a decision may take, on a clock that nobody can move."""

import time
from collections.abc import Callable

ANSWER_WITHIN_SECONDS = 1.65
"""Stripe waits two seconds for our answer, the network included.

Source: https://docs.stripe.com/issuing/controls/real-time-authorizations
"""


class Stopwatch:
    """Counts from the receipt of a request, and remembers what each step took.

    Every limit is `patience` times as long: 1, but where the card network is the offline one and
    told to wait longer than Stripe does.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic, *, patience: float = 1.0) -> None:
        self.now = now
        self.patience = patience
        self.started = now()
        self.last = self.started
        self.step_ms: dict[str, float] = {}

    def left(self) -> float:
        """Give the seconds until the answer must be on its way."""
        return self.started + ANSWER_WITHIN_SECONDS * self.patience - self.now()

    def at_most(self, seconds: float, *, keep: float = 0.0) -> float:
        """Give the seconds a step may take: its own limit, or what is left but for `keep`."""
        return min(seconds * self.patience, self.left() - keep * self.patience)

    def has(self, seconds: float) -> bool:
        """Whether there is still time for what needs so many seconds."""
        return self.left() >= seconds * self.patience

    def step(self, name: str) -> None:
        """Note that a step has ended now; steps of one name add up."""
        now = self.now()
        before = self.step_ms.get(name, 0.0)
        self.step_ms[name] = round(before + (now - self.last) * 1000, 2)
        self.last = now

    def total(self) -> dict[str, float]:
        """Give the steps so far and the time since receipt, in milliseconds."""
        return self.step_ms | {"total": round((self.now() - self.started) * 1000, 2)}

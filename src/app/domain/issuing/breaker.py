"""Stops charging while Stripe does not answer, so that nobody waits for what will not come.

Over the last calls, more than half without a clear outcome open it. While it is open, one call a
second goes through as a probe; the first clear outcome closes it. Time is passed in.
"""

from collections import deque

CALLS_LOOKED_AT = 20
FEWEST_CALLS = 10
OPENS_ABOVE = 0.5
PROBE_EVERY_SECONDS = 1.0
FORGET_AFTER_SECONDS = 60.0


class Breaker:
    """Knows how the last charges went in this process. Moments are monotonic seconds."""

    def __init__(self) -> None:
        self.calls: deque[tuple[float, bool]] = deque(maxlen=CALLS_LOOKED_AT)
        self.opened_at: float | None = None
        self.probed_at = 0.0

    @property
    def is_open(self) -> bool:
        return self.opened_at is not None

    def lets_pass(self, now: float) -> bool:
        """Tell whether a charge may be tried now. While open, that takes the second's probe."""
        if self.opened_at is None:
            return True
        if now - self.probed_at < PROBE_EVERY_SECONDS:
            return False
        self.probed_at = now
        return True

    def saw(self, now: float, *, clear: bool) -> None:
        """Note how a charge ended: with a clear yes or no, or with neither."""
        if self.opened_at is not None:
            if clear:
                self.opened_at = None
                self.calls.clear()
            return
        self.calls.append((now, clear))
        recent = [was_clear for at, was_clear in self.calls if now - at < FORGET_AFTER_SECONDS]
        unclear = recent.count(False)
        if len(recent) >= FEWEST_CALLS and unclear / len(recent) > OPENS_ABOVE:
            self.opened_at = self.probed_at = now

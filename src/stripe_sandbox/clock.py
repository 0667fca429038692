"""The sandbox's clock: real time, moved forward on request."""

import time

LONGEST_STEP_SECONDS = 10 * 365 * 24 * 3600


class Clock:
    """Gives Unix seconds. Signatures and retries keep to real time, everything dated to this."""

    def __init__(self, offset_seconds: int = 0) -> None:
        self.offset_seconds = offset_seconds

    def now(self) -> int:
        return int(time.time()) + self.offset_seconds

    def advance(self, seconds: int) -> None:
        """Move forward; a clock that went back would date answers before their questions."""
        assert 0 <= seconds <= LONGEST_STEP_SECONDS
        self.offset_seconds += seconds

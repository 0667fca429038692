"""The business clock: what everything dated is dated with.

Real time is used for signatures, deadlines, leases and sessions. Limits, expiries and reports use
this clock. It runs with an offset only where the card network is simulated and its clock can be
moved; `app.adapters.clock` keeps the offset in step.
"""

from datetime import UTC, datetime, timedelta


def real_time() -> datetime:
    return datetime.now(UTC)


class Clock:
    """Real time plus an offset, in UTC."""

    def __init__(self) -> None:
        self.offset = timedelta(0)

    def now(self) -> datetime:
        return real_time() + self.offset

"""How far the demo's past has been played, where a local stack is playing one."""

from datetime import datetime
from pathlib import Path

import msgspec

FILE = "demo-story.json"
"""What the local stack keeps in DATA_DIR until the past has been played."""


class DemoPast(msgspec.Struct, frozen=True):
    """From when until when it goes, and the moment that it has come to."""

    begin: datetime
    end: datetime
    played: datetime

    @property
    def percent(self) -> int:
        share = (self.played - self.begin) / (self.end - self.begin)
        return max(0, min(99, int(share * 100)))


def demo_past(data_dir: str) -> DemoPast | None:
    """Give how far it has come, or None where nothing is being played."""
    try:
        return msgspec.json.decode((Path(data_dir) / FILE).read_bytes(), type=DemoPast)
    except (OSError, msgspec.MsgspecError):
        return None

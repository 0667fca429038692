"""Reads what is appended to a log, whole lines only."""

from collections.abc import Iterator
from pathlib import Path


class LogFollower:
    """Gives the lines written to a log after the follower was made; the log may not exist yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = path.stat().st_size if path.exists() else 0

    def new_lines(self) -> Iterator[bytes]:
        """Give the lines completed since the last call; a line half written waits for its end."""
        if not self._path.exists():
            return
        with self._path.open("rb") as log:
            log.seek(self._read)
            for line in log:
                if not line.endswith(b"\n"):
                    return
                self._read += len(line)
                yield line

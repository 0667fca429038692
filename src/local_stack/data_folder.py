"""The folder in which one copy of the stack keeps everything: data, secrets, logs."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from local_stack.postgres import Cluster
from local_stack.refusal import Refusal

_LARGEST_LOG_BYTES = 20_000_000


class DataFolder:
    """Names what lies where in `path`, which is made absolute: children run elsewhere."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.logs = self.path / "logs"
        self.postgres = self.path / "postgres"
        self.sandbox = self.path / "sandbox"
        self.secrets = self.path / "secrets.env"
        """What was generated once and has to stay the same."""
        self.stack = self.path / "stack.env"
        """All settings of the stack that ran last, for the command line."""
        self.schema_stamp = self.path / "schema-stamp"
        self.demo_data_loaded = self.path / "demo-data-loaded"
        self.demo_story = self.path / "demo-story.json"
        """How far the demo's past has been played, while it is."""
        self._lock = self.path / "proxycard.lock"

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Have the folder for this process alone; raises a refusal when that cannot be.

        A folder that holds anything else is refused, because forgetting deletes the whole of it.
        """
        try:
            lock = self._open_lock()
        except OSError as error:
            raise Refusal(
                f"DATA_DIR {self.path} cannot be used ({error.strerror}): "
                "wants a folder that this user may write."
            ) from error
        with lock:
            _lock_or_refuse(lock, self.path)
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            self._rotate_logs()
            yield

    def claimed_by(self) -> int | None:
        """Return the process that runs a stack on the folder now."""
        if not self._lock.exists():
            return None
        with self._lock.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(lock.read())
        return None

    def cluster(self) -> Cluster:
        return Cluster(self.postgres, self.logs / "postgres.log")

    def forget(self) -> None:
        """Delete the folder and the database of its own, wherever PostgreSQL had to keep it."""
        if not self._lock.exists() and not self._is_empty():
            raise Refusal(f"DATA_DIR {self.path} was not made by `make run`: delete it by hand.")
        if not self._lock.exists():
            return
        with self.claimed():
            if self.postgres.exists():
                self.cluster().forget()
            shutil.rmtree(self.path)

    def _open_lock(self) -> IO[str]:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._lock.exists() and not self._is_empty():
            raise Refusal(f"DATA_DIR {self.path} holds other things: wants a folder of its own.")
        lock = self._lock.open("a")
        self.logs.mkdir(exist_ok=True)
        return lock

    def _is_empty(self) -> bool:
        return not self.path.exists() or not any(self.path.iterdir())

    def _rotate_logs(self) -> None:
        for log in self.logs.glob("*.*"):
            if log.suffix in {".log", ".jsonl"} and log.stat().st_size > _LARGEST_LOG_BYTES:
                log.replace(log.with_suffix(f"{log.suffix}.before"))


def _lock_or_refuse(lock: IO[str], path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Refusal(
            f"Another `make run` uses DATA_DIR {path}: end it, or set DATA_DIR to another folder."
        ) from error

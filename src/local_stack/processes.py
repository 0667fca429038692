"""Children that never outlive the process that started them."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_TAIL_BYTES = 8192


@dataclass(frozen=True)
class Command:
    """What to start, as whom (another `user` takes root), and the signal that ends it well."""

    name: str
    words: Sequence[str | Path]
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM


@dataclass(frozen=True)
class Child:
    """A process in a session of its own, so that a Ctrl-C reaches only the one who started it."""

    command: Command
    process: subprocess.Popen[bytes]
    logs: Mapping[Path, int]
    """Its log files, errors first, and where in each its own output begins."""

    def is_running(self) -> bool:
        return self.process.poll() is None

    def stop(self, grace_seconds: float = 15.0) -> None:
        """Ask it to end, wait, and kill whatever is left of its session after the grace."""
        if self.is_running():
            self.process.send_signal(self.command.stop_signal)
            try:
                self.process.wait(grace_seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return  # the usual case: nothing of the session is left

    def last_words(self, lines: int = 5) -> str:
        """Return the end of its log, for the person who wants to know why it died."""
        for log, begin in self.logs.items():
            written = [line for line in _tail(log, begin).splitlines() if line.strip()]
            if written:
                return "\n".join(f"  {line}" for line in written[-lines:])
        return "  (it wrote nothing)"


@dataclass(frozen=True)
class Logs:
    """Where a child's output goes; appended to, so that the story of earlier starts stays."""

    out: Path
    err: Path

    @classmethod
    def in_one(cls, path: Path) -> "Logs":
        return cls(out=path, err=path)


def spawn(command: Command, logs: Logs, env: Mapping[str, str] | None = None) -> Child:
    """Start it, with this process's environment unless another is given."""
    with logs.out.open("ab") as out, logs.err.open("ab") as err:
        begins = {logs.err: err.tell(), logs.out: out.tell()}  # appended to: each file's end
        process = subprocess.Popen(  # noqa: S603  every command is spelled out in this package
            command.words,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=env,
            start_new_session=True,
            preexec_fn=_die_with_parent(command.stop_signal),  # noqa: PLW1509  no thread runs here
            **as_user(command.user),
        )
    return Child(command, process, begins)


def as_user(user: str | None) -> dict[str, Any]:
    """Return what subprocess needs to run as `user`: its groups too, and a folder it can be in."""
    if user is None:
        return {}
    account = pwd.getpwnam(user)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": [], "cwd": "/"}


def _die_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    """Give the hook that has Linux send `death_signal` to a child when its parent is gone.

    A parent that is killed outright cannot stop its children, so the kernel has to. Other systems
    know nothing like it: there the next start finds what was left behind.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def set_death_signal() -> None:
        prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # it died before the line above
            os.kill(os.getpid(), death_signal)

    return set_death_signal


def _tail(log: Path, begin: int) -> str:
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(begin, log.stat().st_size - _TAIL_BYTES))
        return file.read().decode(errors="replace")

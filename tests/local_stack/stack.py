"""Starts the whole stack as a person does, for tests that use it from outside."""

import os
import queue
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import IO

from local_stack.env_files import read_env_file
from local_stack.ports import free_ports

_READY_SECONDS = 120.0
_STOP_SECONDS = 60.0


class StackEnded(Exception):
    """The command ended while a line of it was waited for; holds what it had said until then."""


@dataclass(frozen=True)
class RunningStack:
    """Where a stack is reached, what its parts run with, and what the command prints."""

    data_dir: Path
    app_url: str
    sandbox_url: str
    process: subprocess.Popen[str]
    lines: "queue.Queue[str | None]"

    @property
    def environment(self) -> dict[str, str]:
        """The settings of the app, by name: its database and keys among them."""
        return read_env_file(self.data_dir / "stack.env")

    def next_line(self, containing: str, seconds: float = 10.0) -> str:
        """Wait for a line on the terminal that contains this; raises queue.Empty without one."""
        said: list[str] = []
        while True:
            line = self.lines.get(timeout=seconds)
            if line is None:
                raise StackEnded("\n".join(said))
            if containing in line:
                return line
            said.append(line)

    def stop(self) -> int:
        """End it as a service manager would; return the exit code."""
        self.process.terminate()
        return self.process.wait(_STOP_SECONDS)


@contextmanager
def running_stack(data_dir: Path, **settings: str) -> Iterator[RunningStack]:
    """Run the stack on free ports until the block ends; `settings` are more of the environment."""
    port, sandbox_port = free_ports(2)
    ours = {
        "DATA_DIR": str(data_dir),
        "PORT": str(port),
        "SANDBOX_PORT": str(sandbox_port),
        "DEMO_DAYS": "0",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "local_stack", "run"],
        env=os.environ | ours | settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    lines: queue.Queue[str | None] = queue.Queue()
    reader = threading.Thread(target=_read, args=(process.stdout, lines))
    reader.start()
    app_url, sandbox_url = (f"http://127.0.0.1:{number}" for number in (port, sandbox_port))
    stack = RunningStack(data_dir, app_url, sandbox_url, process, lines)
    try:
        stack.next_line("Ready in", _READY_SECONDS)
        yield stack
    finally:
        stack.stop()
        reader.join()
        process.stdout.close()


def _read(output: IO[str], lines: "queue.Queue[str | None]") -> None:
    for line in output:
        lines.put(line.rstrip("\n"))
    lines.put(None)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310  our own address
            return bool(response.status == HTTPStatus.OK)
    except OSError:
        return False

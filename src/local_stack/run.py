"""Runs the stack for a person at a terminal: the ready block, then one line for each purchase."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from local_stack.data_folder import DataFolder
from local_stack.env_files import read_env_file
from local_stack.log_follower import LogFollower
from local_stack.ports import free_ports
from local_stack.purchase_lines import purchase_line
from local_stack.refusal import FAILED
from local_stack.settings import StackSettings, demo_password
from local_stack.stop_request import Stopped, StopRequest
from local_stack.supervisor import Stack

_FOLLOW_SECONDS = 0.1
_STOP_SECONDS = 90.0
_DEMO_CUSTOMER = "customer@example.com"
_DEMO_ROLES = "support, finance, risk, admin, auditor or owner"
_KEPT_FOR_DEMO = frozenset({"FUNDING_MODE", "BUSINESS_TIMEZONE"})
_INTERRUPTED = 130  # as a shell says it of a command that Ctrl-C ended


def run(settings: StackSettings) -> int:
    """Keep the stack running until it is asked to end, or a part of it cannot be kept running."""
    stop_request = StopRequest()
    stop_request.listen()
    began = time.monotonic()
    with settings.folder.claimed():
        follower = LogFollower(settings.folder.logs / "app.jsonl")
        try:
            with _running(settings, stop_request) as stack:
                _write(_ready_block(settings, time.monotonic() - began))
                while True:
                    stop_request.check()
                    stack.mend()
                    _tell_purchases(follower)
                    time.sleep(_FOLLOW_SECONDS)
        except Stopped:
            with suppress(Stopped):
                _write(f"Stopped. The data is kept in {settings.folder.path}\n")
    return 0


def stop(settings: StackSettings) -> int:
    """End the stack that another terminal runs on the data folder, and wait until it has ended."""
    pid = settings.folder.claimed_by()
    if pid is None:
        _write(f"Nothing runs on {settings.folder.path}\n")
        return 0
    os.kill(pid, signal.SIGTERM)
    ended = StopRequest().wait_for(lambda: settings.folder.claimed_by() is None, _STOP_SECONDS)
    return 0 if ended else FAILED


def run_demo(settings: StackSettings) -> int:
    """Tell the demo on the stack that runs on the data folder, or else on one of its own."""
    if settings.folder.claimed_by() is not None:
        return _demo(read_env_file(settings.folder.stack))
    stop_request = StopRequest()
    stop_request.listen()
    with tempfile.TemporaryDirectory(prefix="proxycard-demo-") as folder:
        own = _beside(settings, Path(folder) / "data")
        try:
            with own.folder.claimed(), _running(own, stop_request) as stack:
                return _demo(stack.environment)
        except Stopped:
            return _INTERRUPTED
        finally:
            own.folder.forget()


def _beside(settings: StackSettings, folder: Path) -> StackSettings:
    """Give settings for a stack that touches nothing the person has, whatever was given."""
    port, sandbox_port = free_ports(2)
    return StackSettings(
        folder=DataFolder(folder),
        given={
            **{name: value for name, value in settings.given.items() if name in _KEPT_FOR_DEMO},
            "DEMO_DAYS": "0",
        },
        host="127.0.0.1",
        port=port,
        sandbox_port=sandbox_port,
    )


@contextmanager
def _running(settings: StackSettings, stop_request: StopRequest) -> Iterator[Stack]:
    stack = Stack(settings, stop_request, _write)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


def _demo(environment: dict[str, str]) -> int:
    words = [sys.executable, "-m", "local_stack.demo"]
    return subprocess.run(words, env=os.environ | environment, check=False).returncode  # noqa: S603


def _tell_purchases(follower: LogFollower) -> None:
    for logged in follower.new_lines():
        line = purchase_line(logged)
        if line is not None:
            _write(f"{line}\n")


def _ready_block(settings: StackSettings, seconds: float) -> str:
    app = settings.app_url
    rows = [
        ("Customer portal", f"{app}/"),
        ("Back office", f"{app}/admin"),
        ("Test purchase", f"{app}/admin/test"),
    ]
    if settings.brings_demo_data:
        rows[0] = ("Customer portal", f"{app}/ (one click signs in as {_DEMO_CUSTOMER},")
        rows.insert(1, ("", f"or its password: {demo_password(settings)})"))
        rows[2] = ("Back office", f"{app}/admin (one click signs in as {_DEMO_ROLES})")
    if settings.brings_stripe:
        rows.append(("Offline Stripe", f"{settings.sandbox_url}/_sandbox/"))
    rows += [
        ("Logs", str(settings.folder.logs)),
        ("Stop", "Ctrl-C; the data is kept"),
        ("Forget the data", "make run-fresh"),
    ]
    lines = [f"  {name:<16} {value}" for name, value in rows]
    return "\n".join(["", f"Ready in {seconds:.1f} s", *lines, "", ""])


def _write(text: str) -> None:
    """Write to the terminal; when whoever read it is gone, that asks for the end."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())  # the interpreter flushes once more when it ends
        raise Stopped from error

"""Runs `proxycard` in the test's own process: one of its own takes a second to import everything.

The code is the command's, from its words to its exit code. `run` of `tests.integration.test_cli`
starts a process instead, for what only that shows: files with settings, signals, where logs go.
"""

import asyncio
import contextlib
import io
import logging
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import structlog
from structlog.typing import EventDict, WrappedLogger

from app.cli import main

_ONE_AT_A_TIME = threading.Lock()
"""Folder, environment and streams are the process's."""


class Said(NamedTuple):
    """The exit code, the output and what was complained of."""

    code: int
    output: str
    complaint: str


class _Routed:
    """A standard stream that gives a command's words to it, and everybody else's to the first one.

    The product goes on running in the other thread meanwhile.
    """

    encoding, errors = "utf-8", "strict"

    def __init__(self, name: str) -> None:
        self._before = getattr(sys, name)
        self._words: ContextVar[io.StringIO | None] = ContextVar(name, default=None)

    @property
    def is_heard(self) -> bool:
        """Whether it is the command that speaks."""
        return self._words.get() is not None

    def begin(self) -> io.StringIO:
        words = io.StringIO()
        self._words.set(words)
        return words

    def write(self, text: str) -> int:
        return int((self._words.get() or self._before).write(text))

    def flush(self) -> None:
        (self._words.get() or self._before).flush()

    def isatty(self) -> bool:
        return False


async def run_here(folder: Path, *words: str, typed: str = "", **settings: str) -> Said:
    """Run the command in a folder; `settings` are all that its environment has, but for PATH."""
    return await asyncio.to_thread(_run, folder, words, typed, settings)


def _run(folder: Path, words: tuple[str, ...], typed: str, settings: Mapping[str, str]) -> Said:
    with _ONE_AT_A_TIME, _process_of_its_own(folder, typed, settings) as (output, complaint):
        said, complained = output.begin(), complaint.begin()
        code = 0
        try:
            main(list(words))
        except SystemExit as error:
            code = int(error.code or 0)
        return Said(code, said.getvalue(), complained.getvalue())


@contextlib.contextmanager
def _process_of_its_own(
    folder: Path, typed: str, settings: Mapping[str, str]
) -> Iterator[tuple[_Routed, _Routed]]:
    output, complaint = _Routed("stdout"), _Routed("stderr")
    environment = {"PATH": os.environ["PATH"], **settings}
    with (
        contextlib.chdir(folder),
        patch.object(os, "environ", environment),
        patch.multiple(sys, stdin=io.StringIO(typed), stdout=output, stderr=complaint),
        # Where logs go is the process's too, and the product of the test writes them.
        patch.object(structlog, "configure"),
        patch.object(logging, "basicConfig"),
    ):
        _let_commands_be_quiet()
        yield output, complaint


def _let_commands_be_quiet() -> None:
    processors = structlog.get_config()["processors"]
    if _only_warnings not in processors:
        processors.insert(0, _only_warnings)


def _only_warnings(_: WrappedLogger, level: str, entry: EventDict) -> EventDict:
    """Of what a command logs nobody reads less than a warning, and that as a complaint."""
    if isinstance(sys.stderr, _Routed) and sys.stderr.is_heard:
        if level in {"warning", "error", "exception", "critical"}:
            sys.stderr.write(f"{entry}\n")
        raise structlog.DropEvent
    return entry

"""A worker in a process of its own, which is killed as a power cut would."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.config import Settings
from local_stack.processes import Child, Command, Logs, spawn
from tests.crashes.processes import environment
from tests.soak.worker import claims_run_out

WORKER = (Path(sys.executable).with_name("proxycard"), "worker")


class KilledWorker:
    """Like `CrashingWorker`; `crash` kills the process, and starts another."""

    settles_within_seconds = 240.0
    """A process looks again at a purchase after a minute, and some want that more than once."""

    def __init__(self) -> None:
        self._settings: Settings | None = None
        self._folder = Path()
        self._child: Child | None = None

    @asynccontextmanager
    async def working(self, settings: Settings) -> AsyncIterator[None]:
        self._settings = settings
        with tempfile.TemporaryDirectory(prefix="proxycard-soak-") as folder:
            self._folder = Path(folder)
            self._start()
            try:
                yield
            finally:
                assert self._child is not None
                await asyncio.to_thread(self._child.stop)

    async def crash(self) -> None:
        assert self._child is not None
        assert self._settings is not None
        self._child.process.kill()
        await asyncio.to_thread(self._child.process.wait)
        await claims_run_out(self._settings)
        self._start()

    def _start(self) -> None:
        assert self._settings is not None
        # The shell only changes the folder, where no `.env` of a developer's is.
        within = ("/bin/sh", "-c", 'cd "$0" && exec "$@"', self._folder, *WORKER)
        logs = Logs.in_one(self._folder / "worker.log")
        self._child = spawn(Command("worker", within), logs, environment(self._settings))

"""A worker in a thread of its own, which can be ended in the middle of what it does."""

import asyncio
import gc
import threading
import warnings
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Protocol

import asyncpg

from app.config import Settings
from app.jobs.worker import work

ENDS_WITHIN_SECONDS = 20

TIME_PASSES = """
UPDATE card_authorization SET leased_until = now(), settle_after = now()
 WHERE leased_until IS NOT NULL;
UPDATE pgqueuer SET heartbeat = now() - interval '1 minute' WHERE status = 'picked';
"""
"""As long as what the dead has claimed is its own: purchases, and jobs of the queue."""


async def claims_run_out(settings: Settings) -> None:
    """Let so much time pass for what a worker had claimed when it ended."""
    connection = await asyncpg.connect(settings.owner_url)
    await connection.execute(TIME_PASSES)
    await connection.close()


class Crashes(Protocol):
    """A worker that a test can end in the middle of what it does."""

    settles_within_seconds: float

    def working(self, settings: Settings) -> AbstractAsyncContextManager[None]: ...

    async def crash(self) -> None: ...


class CrashingWorker:
    """Runs the worker; `crash` breaks off every task of it where it is, and starts another."""

    settles_within_seconds = 90.0

    def __init__(self) -> None:
        self._settings: Settings | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()

    @asynccontextmanager
    async def working(self, settings: Settings) -> AsyncIterator[None]:
        self._settings = settings
        self._start()
        try:
            yield
        finally:
            await asyncio.to_thread(self._end, gently=True)

    async def crash(self) -> None:
        assert self._settings is not None
        await asyncio.to_thread(self._end, gently=False)
        with warnings.catch_warnings(action="ignore", category=ResourceWarning):
            gc.collect()  # a crash closes nothing
        await claims_run_out(self._settings)
        self._start()

    def _start(self) -> None:
        up = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(up,), name="worker", daemon=True)
        self._thread.start()
        assert up.wait(ENDS_WITHIN_SECONDS), "the worker does not start"

    def _run(self, up: threading.Event) -> None:
        with suppress(asyncio.CancelledError):
            asyncio.run(self._work(up))

    async def _work(self, up: threading.Event) -> None:
        assert self._settings is not None
        self._loop, self._main = asyncio.get_running_loop(), asyncio.current_task()
        self._stop = asyncio.Event()
        up.set()
        await work(self._settings, self._stop)

    def _end(self, *, gently: bool) -> None:
        """End it and wait for that. Not gently: `asyncio.run` cancels all that is left running."""
        assert self._loop is not None
        assert self._main is not None
        assert self._thread is not None
        if self._thread.is_alive():
            end = self._stop.set if gently else self._main.cancel
            with suppress(RuntimeError):  # it has ended meanwhile
                self._loop.call_soon_threadsafe(end)
        self._thread.join(ENDS_WITHIN_SECONDS)
        assert not self._thread.is_alive(), "the worker does not end"

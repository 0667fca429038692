"""Processes of the product that a test starts, so that it can end them as it likes."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from app.config import Settings
from local_stack.processes import Child, Command, Logs, spawn
from tests.serving import free_port, http_client
from tests.waiting import until

ROOT = Path(__file__).parents[2]
PROXYCARD = (Path(sys.executable).with_name("proxycard"), "serve", "--part", "realtime")
"""The product as it is deployed: a server that watches over the process that answers."""
ONE_PROCESS = (sys.executable, "-m", "tests.crashes.one_process")
STARTS_WITHIN_SECONDS = 60


class Running(msgspec.Struct, frozen=True):
    """A process that answers Stripe's questions at `url`."""

    child: Child
    url: str

    def exit_code(self) -> int | None:
        """Give how it ended, as a negative signal where one ended it; None while it runs."""
        return self.child.process.poll()

    async def ended(self, seconds: float = 20) -> int:
        """Wait for its end and give its exit code."""
        await until(lambda: self.exit_code() is not None, seconds=seconds, why="the process ends")
        code = self.exit_code()
        assert code is not None
        return code


def start(
    settings: Settings,
    folder: Path,
    words: Sequence[str | Path] = ONE_PROCESS,
    *,
    port: int | None = None,
    environ: Mapping[str, str] = {},
) -> Running:
    """Start a process with a product's settings, and what `environ` sets beside them.

    It runs in `folder`, where no `.env` of a developer's is, and leaves its log there.
    """
    port = port or free_port()
    log = folder / f"process-{port}.log"
    ours = {"REALTIME_PORT": str(port), "PYTHONPATH": str(ROOT)}
    given = environment(settings) | ours | dict(environ)
    # The shell only changes the folder, and becomes the process.
    within = ("/bin/sh", "-c", 'cd "$0" && exec "$@"', folder, *words)
    return Running(spawn(Command("realtime", within), Logs.in_one(log), given), _url(port))


@asynccontextmanager
async def started(
    settings: Settings,
    folder: Path,
    environs: Sequence[Mapping[str, str]],
    words: Sequence[str | Path] = ONE_PROCESS,
) -> AsyncIterator[list[Running]]:
    """Have processes run for a while, one for each of the environments.

    Those that are in the list at the end are ended, so that a test may put others in their places.
    """
    processes = [start(settings, folder, words, environ=environ) for environ in environs]
    try:
        await ready(processes)
        yield processes
    finally:
        for process in processes:
            process.child.stop()


async def ready(processes: Sequence[Running]) -> None:
    """Wait until all of them answer."""
    async with http_client(timeout=5) as client:
        await asyncio.gather(*(_ready(client, process) for process in processes))


async def _ready(client: httpx.AsyncClient, process: Running) -> None:
    async def answers() -> bool:
        assert process.exit_code() is None, process.child.last_words(200)
        try:
            return (await client.get(f"{process.url}/health/live")).status_code == 200
        except httpx.TransportError:
            return False

    await until(answers, seconds=STARTS_WITHIN_SECONDS, why="the process answers")


def environment(settings: Settings) -> dict[str, str]:
    """Give settings as the environment variables they are read from."""
    given: dict[str, Any] = msgspec.structs.asdict(settings)
    return {name.upper(): str(value) for name, value in given.items() if value != ""}


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"

"""Tells every process that something of a customer's has changed, so that open pages show it.

A notification carries the customer's id and nothing else. It is sent after the answer and apart
from it: a transaction that notifies takes a lock that all others wait for as they commit, and a
decision must not. What is lost with a process is no loss: pages look again by themselves.
Source: https://www.postgresql.org/docs/current/sql-notify.html
"""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from types import FrameType
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy import text

from app.db import Sessions

log = structlog.get_logger()

CHANNEL = "customer_changed"
GATHER_SECONDS = 0.05
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 5.0
LOOK_EVERY_SECONDS = 5.0
ANSWER_WITHIN_SECONDS = 5.0
MOST_WAITING = 10_000
_NOTIFY = text("SELECT pg_notify(:channel, id) FROM unnest(CAST(:ids AS text[])) AS id")


class Announcer:
    """Gathers whose pages have changed, and tells of them together."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.waiting: set[UUID] = set()
        self.woken = asyncio.Event()
        self.ended = False

    def tell(self, customer_id: UUID | None) -> None:
        """Note that a customer's pages have changed. Costs the caller next to nothing."""
        if customer_id is not None and len(self.waiting) < MOST_WAITING:
            self.waiting.add(customer_id)
            self.woken.set()

    def end(self) -> None:
        """Have `keep_telling` return when what is waiting has been told."""
        self.ended = True
        self.woken.set()

    async def keep_telling(self) -> None:
        """Tell until told to end."""
        while self.waiting or not self.ended:
            await self.woken.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self.woken.clear()
            told, self.waiting = self.waiting, set()
            if not told:
                continue
            try:
                given = {"channel": CHANNEL, "ids": [str(one) for one in told]}
                async with self.sessions.begin() as session:
                    await session.execute(_NOTIFY, given)
            except Exception as error:  # noqa: BLE001  pages look again by themselves
                log.warning("pages_not_told", error=type(error).__name__)


@asynccontextmanager
async def announcing(sessions: Sessions) -> AsyncIterator[Announcer]:
    """Keep telling for as long as the block lasts; what waits then is told before it ends."""
    announcer = Announcer(sessions)
    task = asyncio.create_task(announcer.keep_telling())
    try:
        yield announcer
    finally:
        announcer.end()
        await asyncio.wait([task], timeout=ANSWER_WITHIN_SECONDS)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Listener:
    """The one connection of a process that hears of changes, and the pages that wait for them."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        self.pages: dict[UUID, set[asyncio.Event]] = {}
        self.closed = False
        self.connection: asyncpg.Connection | None = None

    @asynccontextmanager
    async def page(self, customer_id: UUID) -> AsyncIterator[asyncio.Event]:
        """Give an event that is set whenever something of the customer's has changed."""
        changed = asyncio.Event()
        waiting = self.pages.setdefault(customer_id, set())
        waiting.add(changed)
        try:
            yield changed
        finally:
            waiting.discard(changed)
            if not waiting:
                self.pages.pop(customer_id, None)

    def open_pages(self, customer_id: UUID) -> int:
        return len(self.pages.get(customer_id, ()))

    @property
    def all_pages(self) -> int:
        return sum(map(len, self.pages.values()))

    def close(self) -> None:
        """Wake every page for the last time: the process ends."""
        self.closed = True
        self._wake_all()

    async def keep_listening(self) -> None:
        """Listen until canceled, over as many connections as it takes."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._listen()
                pause = FIRST_PAUSE_SECONDS
            except Exception as error:  # noqa: BLE001  the database is away: try again
                log.warning("listening_lost", error=type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _listen(self) -> None:
        connection = await asyncpg.connect(self.database_url, timeout=ANSWER_WITHIN_SECONDS)
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        self.connection = connection
        try:
            await connection.add_listener(CHANNEL, self._heard)
            self._wake_all()  # what was told meanwhile was told to nobody
            while True:
                if await _set_within(lost, LOOK_EVERY_SECONDS):
                    return
                await connection.fetchval("SELECT 1", timeout=ANSWER_WITHIN_SECONDS)
        finally:
            connection.terminate()

    def _heard(self, _: object, __: int, ___: str, told: object) -> None:
        with suppress(ValueError):
            for changed in self.pages.get(UUID(str(told)), ()):
                changed.set()

    def _wake_all(self) -> None:
        for waiting in self.pages.values():
            for changed in waiting:
                changed.set()


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await event.wait()
    return False


@asynccontextmanager
async def listening(database_url: str) -> AsyncIterator[Listener]:
    """Keep listening for as long as the block lasts, or until the process is told to end."""
    listener = Listener(database_url)
    task = asyncio.create_task(listener.keep_listening())
    try:
        with _ending(listener.close):
            yield listener
    finally:
        listener.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextmanager
def _ending(close: Callable[[], None]) -> Iterator[None]:
    """Have pages closed at the signal to end, which whoever handles it now still gets.

    The server waits for requests in flight before it tells the application that it ends, and a page
    that listens is a request in flight.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    unhandled = (None, signal.SIG_DFL, signal.SIG_IGN, signal.default_int_handler)

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(close)
        earlier = before[signal.Signals(number)]
        assert callable(earlier)
        earlier(number, frame)

    taken = [number for number, earlier in before.items() if earlier not in unhandled]
    for number in taken:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, before[number])

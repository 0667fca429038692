"""An event loop whose time is virtual: it jumps to the next timer when nothing is under way.

It stands still while PostgreSQL is at work, which takes real time. That is seen on the wire: a
connection has an answer to come from when it is written to until the server says it is ready.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from app.clock import Clock

BEGINNING = datetime(2026, 11, 2, 9, tzinfo=UTC)
STUCK_AFTER_SECONDS = 20.0
# The message that ends every answer, but for its last byte, the state of the transaction.
# Source: https://www.postgresql.org/docs/current/protocol-message-formats.html
READY_FOR_QUERY = b"Z\x00\x00\x00\x05"

Result = TypeVar("Result")


class Stuck(Exception):
    """Nothing happens and nothing will: somebody waits for a lock or for an answer in vain."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Counts seconds from nought. Its network connections must all be PostgreSQL's."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.at_work: set[object] = set()
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        return self.passed

    def wall(self) -> datetime:
        """Give what the clock on the wall would show."""
        return BEGINNING + timedelta(seconds=self.passed)

    async def create_connection(self, *args: Any, **kwargs: Any) -> Any:
        return await self._watched(super().create_connection, *args, **kwargs)

    async def create_unix_connection(self, *args: Any, **kwargs: Any) -> Any:
        return await self._watched(super().create_unix_connection, *args, **kwargs)

    async def _watched(
        self,
        connect: Callable[..., Coroutine[Any, Any, Any]],
        factory: Callable[[], Any],
        *args: Any,
        **kwargs: Any,
    ) -> tuple[Any, Any]:
        connecting = object()
        self.at_work.add(connecting)
        try:
            _, protocol = await connect(lambda: _Receiving(factory(), self), *args, **kwargs)
        finally:
            self.at_work.discard(connecting)
        return protocol.sending, protocol.inner


class VirtualClock(Clock):
    """The business clock, where time is virtual."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self.loop = loop

    def now(self) -> datetime:
        return self.loop.wall() + self.offset


def run_in_virtual_time(work: Coroutine[Any, Any, Result]) -> Result:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


def virtual_loop() -> VirtualLoop:
    """Give the running loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


class _JumpingSelector(selectors.DefaultSelector):
    """Waits in real time for PostgreSQL, and for timers by putting the clock forward."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self.loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and (timeout <= 0 or not self.loop.at_work):
            found = super().select(0)
            if not found:
                self.loop.passed += max(timeout, 0)
            return found
        found = super().select(STUCK_AFTER_SECONDS)
        if not found:
            raise Stuck(f"{len(self.loop.at_work)} statements wait, and no time passes meanwhile")
        return found


class _Receiving(asyncio.Protocol):
    """Passes on what a connection receives, and notes when an answer is complete."""

    def __init__(self, inner: Any, loop: VirtualLoop) -> None:
        self.inner = inner
        self.at_work = loop.at_work
        self.tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.sending = _Sending(transport, self)
        self.inner.connection_made(self.sending)

    def data_received(self, data: bytes) -> None:
        self.tail = (self.tail + data)[-len(READY_FOR_QUERY) - 1 :]
        if self.tail.startswith(READY_FOR_QUERY):
            self.at_work.discard(self)
        self.inner.data_received(data)

    def eof_received(self) -> bool | None:
        keep_open: bool | None = self.inner.eof_received()
        return keep_open

    def pause_writing(self) -> None:
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        self.inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self.at_work.discard(self)
        self.inner.connection_lost(exc)


class _Sending:
    """A transport that notes when an answer is to come."""

    def __init__(self, transport: Any, receiving: _Receiving) -> None:
        self.transport = transport
        self.receiving = receiving

    def write(self, data: bytes) -> None:
        self.receiving.at_work.add(self.receiving)
        self.transport.write(data)

    def writelines(self, parts: list[bytes]) -> None:
        self.write(b"".join(parts))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)

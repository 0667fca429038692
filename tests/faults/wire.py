"""The TCP connections between the product and Stripe, and how badly they can carry."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from tests.serving import free_port

CHARGE = b"POST /v1/payment_intents HTTP"
CHUNK = 64 * 1024
SECONDS_A_BYTE = 1.0


class Wire:
    """Carries bytes to Stripe and back. What it does to a charge is counted in `disturbed`."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.upstream: tuple[str, int] | None = None
        self.dripping = 0
        self.disturbed = 0
        self.server: asyncio.Server | None = None
        self.carrying: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def lead_to(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self.upstream = (parts.hostname, parts.port)

    async def open(self) -> None:
        self.server = await asyncio.start_server(self._take, "127.0.0.1", self.port)

    async def close(self) -> None:
        """Stop listening, and cut what is connected."""
        assert self.server is not None
        self.server.close()
        for task in self.carrying:
            task.cancel()
        await asyncio.gather(*self.carrying, return_exceptions=True)
        await self.server.wait_closed()

    @asynccontextmanager
    async def unanswered(self) -> AsyncIterator[None]:
        """Let nobody through: who connects meanwhile waits for an answer to the first packet.

        A full queue of connections that nobody accepts does that, without a firewall.
        """
        await self.close()
        with socket.socket() as listening, socket.socket() as first, socket.socket() as second:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(("127.0.0.1", self.port))
            listening.listen(0)
            for waiting in (first, second):
                waiting.settimeout(0)
                with suppress(BlockingIOError):
                    waiting.connect(("127.0.0.1", self.port))
            yield
        await self.open()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.carrying.add(task)
        task.add_done_callback(self.carrying.discard)
        if self.upstream is None:
            writer.close()
            return
        theirs_in, theirs_out = await asyncio.open_connection(*self.upstream)
        drips = asyncio.Event()
        try:
            with suppress(OSError):
                await asyncio.gather(
                    self._there(reader, theirs_out, drips), self._back(theirs_in, writer, drips)
                )
        finally:
            theirs_out.close()
            writer.close()

    async def _there(
        self, ours: asyncio.StreamReader, stripe: asyncio.StreamWriter, drips: asyncio.Event
    ) -> None:
        while data := await ours.read(CHUNK):
            if self.dripping and data.startswith(CHARGE):
                self.dripping -= 1
                self.disturbed += 1
                drips.set()
            stripe.write(data)
            await stripe.drain()
        stripe.write_eof()

    async def _back(
        self, stripe: asyncio.StreamReader, ours: asyncio.StreamWriter, drips: asyncio.Event
    ) -> None:
        while data := await stripe.read(CHUNK):
            for piece in _pieces(data, drips=drips.is_set()):
                ours.write(piece)
                await ours.drain()
                if drips.is_set():
                    await asyncio.sleep(SECONDS_A_BYTE)
        ours.close()


def _pieces(data: bytes, *, drips: bool) -> list[bytes]:
    return [data[n : n + 1] for n in range(len(data))] if drips else [data]


@asynccontextmanager
async def a_wire() -> AsyncIterator[Wire]:
    """Open a wire on a free port; it leads nowhere until it is told where."""
    wire = Wire(free_port())
    await wire.open()
    try:
        yield wire
    finally:
        await wire.close()

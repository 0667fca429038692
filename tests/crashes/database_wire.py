"""The connections between a process of the product and its database, and how badly they carry.

Reads as much of PostgreSQL's protocol as it takes to know which statement runs: a statement is
prepared under a name once for each connection, and run by that name.

Source: https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

from tests.serving import free_port

CHUNK = 64 * 1024
HEADER = 5
SSL_REQUEST = 80877103
READY = b"Z\x00\x00\x00\x05I"
"""Ends every answer, in a connection that is in no transaction: what was asked has committed."""


class Trouble(StrEnum):
    """What happens to the answers of the database, from the moment it is set."""

    NONE = "none"
    LATE = "late"
    DRIPPING = "byte by byte"


class Lost(StrEnum):
    """How an answer is lost that the database has given."""

    CUT = "the connection is cut"
    SILENT = "the connection stays, and nothing comes"


class DatabaseWire:
    """Carries bytes to the database of `url` and back.

    `losing` names a statement whose next answer is lost after it has committed; nothing gets
    through while `lets_through` is not set. `disturbed` counts answers lost, late or dripped.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        self.socket = f"{query['host'][0]}/.s.PGSQL.{query['port'][0]}"
        self.port = free_port()
        self.url = f"postgresql://{parts.username}@127.0.0.1:{self.port}{parts.path}"
        self.trouble = Trouble.NONE
        self.late_seconds = 0.0
        self.lets_through = asyncio.Event()
        self.lets_through.set()
        self.losing: tuple[bytes, Lost] | None = None
        self.disturbed = 0
        self.carrying: set[asyncio.Task[None]] = set()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.carrying.add(task)
        task.add_done_callback(self.carrying.discard)
        theirs = await asyncio.open_unix_connection(self.socket)
        connection = _Connection(self, (reader, writer), theirs)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await connection.carry()
        finally:
            writer.transport.abort()
            theirs[1].transport.abort()

    async def cut(self) -> None:
        """Reset every connection."""
        for task in self.carrying:
            task.cancel()
        await asyncio.gather(*self.carrying, return_exceptions=True)


class _Connection:
    def __init__(
        self,
        wire: DatabaseWire,
        ours: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        theirs: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self.wire = wire
        self.from_us, self.to_us = ours
        self.from_database, self.to_database = theirs
        self.statements: dict[bytes, bytes] = {}
        self.losing: Lost | None = None

    async def carry(self) -> None:
        """Carry both ways until either side has ended."""
        ways = {asyncio.create_task(self._there()), asyncio.create_task(self._back())}
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in done:
                way.result()
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _there(self) -> None:
        await self._greeting()
        while True:
            head = await self.from_us.readexactly(HEADER)
            kind, length = struct.unpack("!ci", head)
            body = await self.from_us.readexactly(length - 4)
            self._note(kind, body)
            await self.wire.lets_through.wait()
            self.to_database.write(head + body)

    async def _greeting(self) -> None:
        """Pass on the first messages, which have no kind: the wish to encrypt, and who comes."""
        code = SSL_REQUEST
        while code == SSL_REQUEST:
            length, code = struct.unpack("!ii", await self.from_us.readexactly(8))
            rest = await self.from_us.readexactly(length - 8)
            self.to_database.write(struct.pack("!ii", length, code) + rest)

    def _note(self, kind: bytes, body: bytes) -> None:
        if kind == b"P":
            name, text, _ = body.split(b"\0", 2)
            self.statements[name] = text
        elif kind == b"B" and self.wire.losing is not None:
            _, name, _ = body.split(b"\0", 2)
            wanted, how = self.wire.losing
            if wanted in self.statements.get(name, b""):
                self.losing, self.wire.losing = how, None

    async def _back(self) -> None:
        while data := await self.from_database.read(CHUNK):
            if self.losing is None:
                await self._deliver(data)
                continue
            while not data.endswith(READY):
                data += await self.from_database.read(CHUNK)
            self.wire.disturbed += 1
            if self.losing is Lost.CUT:
                return
            await asyncio.Event().wait()  # until the other way has ended

    async def _deliver(self, data: bytes) -> None:
        wire = self.wire
        pieces = [data]
        if wire.trouble is not Trouble.NONE:
            wire.disturbed += 1
        if wire.trouble is Trouble.LATE:
            await asyncio.sleep(wire.late_seconds)
        elif wire.trouble is Trouble.DRIPPING:
            pieces = [data[n : n + 1] for n in range(len(data))]
        for piece in pieces:
            await wire.lets_through.wait()
            self.to_us.write(piece)
            await self.to_us.drain()
            if wire.trouble is Trouble.DRIPPING:
                await asyncio.sleep(wire.late_seconds)


@asynccontextmanager
async def a_database_wire(url: str) -> AsyncIterator[DatabaseWire]:
    """Open a wire to a database that is reached by a socket, as those of the tests are."""
    wire = DatabaseWire(url)
    server = await asyncio.start_server(wire.take, "127.0.0.1", wire.port)
    try:
        yield wire
    finally:
        server.close()
        await wire.cut()
        await server.wait_closed()

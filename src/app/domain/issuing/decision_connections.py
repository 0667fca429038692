"""The connections to the database that only decisions use: lent to the oldest question first."""

import asyncio
import heapq
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any

import asyncpg

GIVE_BACK_WITHIN_SECONDS = 1.0
"""A connection whose server says nothing by then is closed, and another opened when needed."""


class Turns:
    """Lets so many at once; of those who wait, whoever began first goes next."""

    def __init__(self, number: int) -> None:
        self.free = number
        self.waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self.arrivals = count()

    async def take(self, began: float) -> None:
        """Wait for a turn. `began` is a moment; infinity goes behind everybody."""
        if self.free:
            self.free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self.waiting, (began, next(self.arrivals), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.give()  # it had come, and nobody is here any more to use it
            raise

    def give(self) -> None:
        """Give a turn back, to whoever is next."""
        while self.waiting:
            turn = heapq.heappop(self.waiting)[2]
            if not turn.done():
                turn.set_result(None)
                return
        self.free += 1


class DecisionConnections:
    """So many connections, each lent for one statement that commits by itself.

    Under a rush, a decision that has put money on hold must not queue behind those that have only
    begun: the one that began first is served first.
    """

    def __init__(self, pool: asyncpg.Pool, size: int) -> None:
        self.pool = pool
        self.size = size
        self.turns = Turns(size)
        self.giving_back: set[asyncio.Task[None]] = set()

    async def row(
        self, statement: str, *arguments: Any, within: float, began: float = math.inf
    ) -> asyncpg.Record | None:
        """Run a statement and give its first row.

        Raises TimeoutError when there is no answer `within` so many seconds; what the statement
        does may be done then.
        """
        async with asyncio.timeout(within):
            await self.turns.take(began)
            connection = None
            try:
                connection = await self.pool.acquire()
                found = await connection.fetchrow(statement, *arguments)
                await self.pool.release(connection)
            except BaseException as error:
                self._give_back_later(connection, error)
                raise
            self.turns.give()
            return found

    async def expire(self) -> None:
        """Have every connection opened anew before it is used again."""
        await self.pool.expire_connections()

    def _give_back_later(self, connection: Any, error: BaseException) -> None:
        """One that failed goes back when the server has had its word, and nobody waits for that."""
        task = asyncio.create_task(self._give_back(connection, error))
        self.giving_back.add(task)
        task.add_done_callback(self.giving_back.discard)

    async def _give_back(self, connection: Any, error: BaseException) -> None:
        try:
            with suppress(TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
                    # After a failover, what is still connected to the old primary only reads.
                    await self.expire()
                if connection is not None:
                    await self.pool.release(connection, timeout=GIVE_BACK_WITHIN_SECONDS)
        finally:
            self.turns.give()


@asynccontextmanager
async def open_decision_connections(
    database_url: str, size: int
) -> AsyncIterator[DecisionConnections]:
    """Open all of them at once, so that none is opened within the two seconds of a decision."""
    pool = await asyncpg.create_pool(
        database_url,
        min_size=size,
        max_size=size,
        max_inactive_connection_lifetime=0,
        command_timeout=5,
        reset=_nothing_to_reset,
        # The same statements all day: planning one costs as much as running it.
        server_settings={"plan_cache_mode": "force_generic_plan"},
    )
    async with pool:
        yield DecisionConnections(pool, size)


async def _nothing_to_reset(_: asyncpg.Connection) -> None:
    """Leave out the round trip that cleans a connection: a decision changes nothing of it."""

"""Seal the rows of an append-only table in batches, each chained to the one before it by its hash.

Nobody can then change, delete or add a row of a sealed batch, be it as the owner of the database,
without the hash of that batch and of all after it becoming others. Whoever keeps the last hash
somewhere else can prove it: the job that seals writes it into the log.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import RowMapping, Select, String, cast, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.db import Sessions
from app.domain.sealing.horizon import oldest_running

AT_ONCE = 5_000
BEFORE_ALL = 0
NO_SEAL = "0" * 64


class Sealed(msgspec.Struct, frozen=True):
    """What sealing has done: how many rows and batches, and the last hash of the chain."""

    rows: int
    batches: int
    last_hash: str


class Batch(msgspec.Struct, frozen=True):
    """What the rows of some transactions hash to, in hexadecimal."""

    rows: int
    hash: str


class Chain(msgspec.Struct, frozen=True):
    """A table whose rows are sealed, and the table of its seals.

    `columns`: every column, in the order in which they are hashed; the first is the row's key.
    `counts`: the seals' column that holds how many rows a batch has, and what they are called.
    `lock`: the key of the lock that lets one process at a time seal.
    """

    table: Any
    seals: Any
    columns: tuple[str, ...]
    counts: str
    lock: int

    async def seal(self, sessions: Sessions) -> Sealed:
        """Seal all rows up to the oldest running transaction."""
        rows = batches = 0
        while True:
            async with sessions.begin() as session:
                made = await self._seal_next(session)
                if made is None:
                    last = await self.last_seal(session)
                    return Sealed(rows, batches, last.hash if last else NO_SEAL)
            rows, batches = rows + made.rows, batches + 1

    async def first_difference(self, session: AsyncSession) -> str | None:
        """Recompute the chain; say which seal is the first that its rows do not bear out."""
        before, since = NO_SEAL, BEFORE_ALL
        connection = await session.connection()
        seals = await session.scalars(select(self.seals).order_by(self.seals.number))
        for one in seals.all():
            if one.from_transaction != since:
                return (
                    f"seal {one.number} begins at transaction {one.from_transaction} and not at"
                    f" {since}, where the one before it ends: a seal was taken away"
                )
            found = await self._hashed(connection, before, since, one.until_transaction)
            if (found.rows, found.hash) != (getattr(one, self.counts), one.hash):
                return self._different(one, found)
            before, since = one.hash, one.until_transaction
        return None

    async def last_seal(self, session: AsyncSession) -> Any:
        """Give the newest seal, or None."""
        newest = select(self.seals).order_by(self.seals.number.desc()).limit(1)
        return await session.scalar(newest)

    async def unsealed(self, session: AsyncSession) -> int:
        """Count the rows that wait to be sealed."""
        last = await self.last_seal(session)
        since = last.until_transaction if last else BEFORE_ALL
        counted = select(func.count()).where(self.table.transaction_id >= since)
        return await session.scalar(counted) or 0

    def canonical(self, row: RowMapping | Mapping[str, Any]) -> bytes:
        """Write a row in the one way it is hashed in: a line of JSON, times in UTC."""
        plain = [_plain(row[name]) for name in self.columns]
        return msgspec.json.encode(plain, order="sorted") + b"\n"

    async def _seal_next(self, session: AsyncSession) -> Batch | None:
        await session.execute(text(f"SELECT pg_advisory_xact_lock({self.lock})"))
        last = await self.last_seal(session)
        before, since = (last.hash, last.until_transaction) if last else (NO_SEAL, BEFORE_ALL)
        horizon = await oldest_running(session, since)
        end = await session.scalar(self._end(since, horizon))
        if end is None:
            return None
        until = int(end) + 1
        made = await self._hashed(await session.connection(), before, since, until)
        count = {self.counts: made.rows}
        session.add(
            self.seals(from_transaction=since, until_transaction=until, hash=made.hash, **count)
        )
        return made

    def _end(self, since: int, until: int) -> Select[Any]:
        """Select the last transaction of the next batch."""
        number = self.table.transaction_id
        batch = (
            select(number)
            .where(number >= since, number < until)
            .order_by(number)
            .limit(AT_ONCE)
            .subquery()
        )
        return select(func.max(batch.c.transaction_id))

    async def _hashed(
        self, connection: AsyncConnection, before: str, since: int, until: int
    ) -> Batch:
        """Hash the rows of some transactions, after the hash of the batch before them."""
        hashed, count = hashlib.sha256(f"{before}\n{since}\n{until}\n".encode()), 0
        async for row in self._rows(connection, since, until):
            hashed.update(self.canonical(row))
            count += 1
        return Batch(count, hashed.hexdigest())

    async def _rows(
        self, connection: AsyncConnection, since: int, until: int
    ) -> AsyncIterator[RowMapping]:
        number = self.table.transaction_id
        key = getattr(self.table, self.columns[0])
        statement = (
            select(*[getattr(self.table, name) for name in self.columns])
            .where(number >= since, number < until)
            # By the bytes of the key: the order of a language may change with the library.
            .order_by(number, cast(key, String).collate("C"))
        )
        async with connection.stream(statement) as rows:
            async for row in rows.mappings():
                yield row

    def _different(self, one: Any, found: Batch) -> str:
        where = (
            f"seal {one.number} of {one.sealed_at:%Y-%m-%d %H:%M:%S} UTC, transactions"
            f" {one.from_transaction} to {one.until_transaction - 1}"
        )
        sealed, what = getattr(one, self.counts), self.counts
        if found.rows < sealed:
            return f"{where}: {sealed} {what} were sealed and {found.rows} are there"
        if found.rows > sealed:
            return f"{where}: {found.rows - sealed} {what} were added after {sealed} were sealed"
        return f"{where}: one of the {what}, or the seal, is not what it was when it was sealed"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value) if isinstance(value, UUID) else value

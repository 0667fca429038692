"""What every table shares, and the one place where a request's transaction begins and ends."""

import enum
import time
from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from advanced_alchemy.base import DefaultBase
from sqlalchemy import BigInteger, DateTime, Enum, ExceptionContext, Text, Uuid, event, func
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry
from uuid_utils.compat import uuid7

Sessions = async_sessionmaker[AsyncSession]
READ_ONLY = "25006"
TRANSACTION_ID = "(pg_current_xact_id()::text)::bigint"
"""PostgreSQL's 64-bit number of the running transaction, which only grows; an SQL default."""
ASK_AFTER_SECONDS = 1.0
"""A connection that was used so lately is used again without asking whether it still is one."""
GONE = ("08", "57P", "53300")
"""Connection errors, a server that stops or starts, no connection left.

Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
"""


class Table(DefaultBase):
    """A table with an id that sorts by time."""

    __abstract__ = True

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


Table.registry.update_type_annotation_map(
    {
        # A StrEnum is stored as its value, in text, and the database rejects any other text.
        enum.Enum: Enum(
            enum.Enum,
            native_enum=False,
            create_constraint=True,
            length=40,
            values_callable=lambda kind: [member.value for member in kind],
        ),
        str: Text(),
        int: BigInteger(),
        datetime: DateTime(timezone=True),
        UUID: Uuid(),
    }
)


def async_url(database_url: str) -> str:
    """Name SQLAlchemy's asyncpg driver in a plain postgresql:// address."""
    return "postgresql+asyncpg://" + database_url.split("://", 1)[1]


def create_engine(database_url: str) -> AsyncEngine:
    """Open the pool that everything but the decision uses."""
    engine = create_async_engine(async_url(database_url), pool_size=10)
    event.listen(engine.sync_engine, "handle_error", _leave_what_only_reads)
    event.listen(engine.sync_engine, "checkin", _note_rest)
    event.listen(engine.sync_engine, "checkout", _ask_after_rest)
    return engine


def _note_rest(_: object, record: ConnectionPoolEntry) -> None:
    record.info["rests_since"] = time.monotonic()


def _ask_after_rest(connection: Any, record: ConnectionPoolEntry, _: object) -> None:
    """Make sure that a connection still is one, where it was not used for a while.

    To ask each time costs a busy worker as much as one statement in five.
    """
    since = record.info.get("rests_since")
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError("the database has closed the connection")
    if since is None or time.monotonic() - since < ASK_AFTER_SECONDS:
        return
    try:
        connection.ping()
    except Exception as error:
        raise InvalidatePoolError(str(error)) from error


def _leave_what_only_reads(context: ExceptionContext) -> None:
    """Count a connection that only reads as lost: it stays so, whatever the database does later.

    A server that has handed over to another one answers like this.
    """
    if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
        context.is_disconnect = True


def is_gone(error: Exception) -> bool:
    """Say whether an error means that the database cannot be reached, whatever was asked of it."""
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None) or ""
        return error.connection_invalidated or state.startswith(GONE)
    return isinstance(error, OSError | PoolTimeout)


def create_sessions(engine: AsyncEngine) -> Sessions:
    return async_sessionmaker(engine, expire_on_commit=False)


def session_provider(sessions: Sessions) -> Callable[[], AsyncGenerator[AsyncSession, None]]:
    """Give each request one transaction: commit when its handler returns, roll back when it raises.

    The commit comes before the response is sent, so a commit that fails answers 500 and never a
    false success.
    """

    async def provide_session() -> AsyncGenerator[AsyncSession, None]:
        async with sessions.begin() as session:
            yield session

    return provide_session

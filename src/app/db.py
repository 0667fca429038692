"""What every table shares, and the one place where a request's transaction begins and ends."""

import enum
from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from uuid import UUID

from advanced_alchemy.base import DefaultBase
from sqlalchemy import BigInteger, DateTime, Enum, Text, Uuid, func
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import Mapped, mapped_column
from uuid_utils.compat import uuid7

Sessions = async_sessionmaker[AsyncSession]


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
    return create_async_engine(async_url(database_url), pool_pre_ping=True, pool_size=10)


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

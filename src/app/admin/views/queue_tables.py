"""The queue's own tables as the lists read them: part of neither our models nor our migrations.

pgqueuer keeps waiting, running and held jobs in one table and how each ended in another.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import BigInteger, DateTime, Enum, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class JobStatus(StrEnum):
    """FAILED: held after its last attempt, for a person to look at."""

    QUEUED = "queued"
    PICKED = "picked"
    SUCCESSFUL = "successful"
    EXCEPTION = "exception"
    CANCELED = "canceled"
    DELETED = "deleted"
    FAILED = "failed"


_STATUS = Enum(
    JobStatus,
    name="pgqueuer_status",
    create_type=False,
    values_callable=lambda kind: [member.value for member in kind],
)


class QueueTable(DeclarativeBase):
    """Tables that pgqueuer made."""


class Job(QueueTable):
    """A job that waits, runs or is held."""

    __tablename__ = "pgqueuer"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    entrypoint: Mapped[str] = mapped_column(Text)
    status: Mapped[JobStatus] = mapped_column(_STATUS)
    attempts: Mapped[int] = mapped_column(Integer)
    priority: Mapped[int] = mapped_column(Integer)
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    execute_after: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    dedupe_key: Mapped[str | None] = mapped_column(Text)
    payload: Mapped[bytes | None] = mapped_column(LargeBinary)

    @property
    def about(self) -> str:
        """What the job was queued with: ids and numbers, by our own queue."""
        found: dict[str, Any] = msgspec.json.decode(self.payload) if self.payload else {}
        return ", ".join(f"{name} {value}" for name, value in found.items())


class JobEnding(QueueTable):
    """How an attempt at a job went."""

    __tablename__ = "pgqueuer_log"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    job_id: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[JobStatus] = mapped_column(_STATUS)
    entrypoint: Mapped[str] = mapped_column(Text)
    traceback: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

    @property
    def failure(self) -> str:
        """The kind of exception and its message; empty when there was none."""
        told = self.traceback or {}
        said = (told.get("exception_type"), told.get("exception_message"))
        return ": ".join(str(part) for part in said if part)

"""The worker's sign of life: a row that it touches every two seconds while it takes jobs."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column
from uuid_utils.compat import uuid7

from app.db import Sessions, Table

WORKER = "worker"
BEAT_EVERY_SECONDS = 2.0
SILENT_AFTER_SECONDS = 5.0
"""Two beats may be late before anybody is told."""

_BEAT = text(
    "INSERT INTO heartbeat (id, part, beaten_at) VALUES (:id, :part, now())"
    " ON CONFLICT (part) DO UPDATE SET beaten_at = excluded.beaten_at"
)


class Heartbeat(Table):
    """When a part of the product last said that it works; several workers share one row."""

    __tablename__ = "heartbeat"

    part: Mapped[str] = mapped_column(unique=True)
    beaten_at: Mapped[datetime]


async def beat(sessions: Sessions, part: str) -> None:
    """Say that the part works now, by the database's clock."""
    async with sessions.begin() as session:
        await session.execute(_BEAT, {"id": uuid7(), "part": part})

"""The jobs that run again and again, and how each went last."""

from datetime import datetime

from advanced_alchemy.base import DefaultBase
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table

assert Table.registry  # its column types are this module's too


class RegularJob(DefaultBase):
    """One job by its name. Whoever moves `next_at` on runs it; so several workers take turns."""

    __tablename__ = "regular_job"

    name: Mapped[str] = mapped_column(primary_key=True)
    next_at: Mapped[datetime]
    began_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    # For one that looks at what is new at Stripe: up to when it has, by the business clock.
    looked_until: Mapped[datetime | None]
    # In words: what it did, or why it failed.
    outcome: Mapped[str | None]
    failed: Mapped[bool] = mapped_column(default=False)

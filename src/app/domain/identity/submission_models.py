"""Forms that were sent and did something, so that sending one twice does it once."""

from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from app.db import Table


class Submission(Table):
    """A form that did something. Its id is the key in the form, new whenever the page is opened."""

    __tablename__ = "submission"
    __table_args__ = (Index("ix_submission_created_at", "created_at"),)

    staff_id: Mapped[UUID]
    action: Mapped[str]

"""What somebody saw when they decided to change it: a change of anything else is refused."""

import hashlib

from app.db import Table
from app.errors import AppError

STALE = "This has changed since the page was opened. Nothing was done: look again."


class MovedOn(AppError, status=409):
    """What is to be changed is not as it was shown."""


def mark(*rows: Table) -> str:
    """Give a word for the rows as they are. Another value in any column is another word."""
    told = "\n".join(
        f"{column.key}={getattr(row, column.key)!s}"
        for row in rows
        for column in row.__table__.columns
    )
    return hashlib.sha256(told.encode()).hexdigest()[:24]


def check_mark(seen: str | None, *rows: Table) -> None:
    """Raise MovedOn unless the rows are as they were when `seen` was given. None checks nothing."""
    if seen is not None and seen != mark(*rows):
        raise MovedOn(STALE)

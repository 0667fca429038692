"""Looks whether a database that was given is ready for this version; changes nothing in it."""

import os
import sys
from typing import NoReturn

import asyncpg
import click
from sqlalchemy.exc import SQLAlchemyError

from app.schema import at_head
from local_stack.refusal import REFUSED


def main() -> None:
    """Exit with a sentence that says what to do when migrations are missing."""
    try:
        ready = at_head(os.environ["DATABASE_URL"])
    except (OSError, asyncpg.PostgresError, SQLAlchemyError) as error:
        reason = str(error).splitlines()[0]
        _refuse(f"DATABASE_URL cannot be used ({reason}): wants a PostgreSQL that is reachable.")
    if not ready:
        _refuse(
            "The database of DATABASE_URL lacks migrations, and `make run` changes no database "
            "that it did not make: run `proxycard db upgrade` first."
        )


def _refuse(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(REFUSED)


if __name__ == "__main__":
    main()

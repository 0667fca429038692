"""Bringing a database to this version of the product, as its owner."""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from app.db import Table, async_url
from app.tables import TABLES

MIGRATIONS = Path(__file__).parents[2] / "migrations"
assert TABLES


def upgrade(owner_url: str, application_url: str, revision: str = "head") -> None:
    """Run the migrations that are missing, and let the application's role use what they make."""
    command.upgrade(_config(owner_url, application_url), revision)


def downgrade(owner_url: str, application_url: str, revision: str) -> None:
    command.downgrade(_config(owner_url, application_url), revision)


def at_head(database_url: str) -> bool:
    """Say whether the database has every migration of this version."""
    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    return bool(asyncio.run(_look(database_url, _revision)) == head)


def differences(owner_url: str) -> list[Any]:
    """List what the models have and a migrated database has not, and the other way round."""
    found = asyncio.run(_look(owner_url, _compare))
    assert isinstance(found, list)
    return found


async def _look(url: str, what: Any) -> Any:
    engine = create_async_engine(async_url(url))
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(what)
    finally:
        await engine.dispose()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _compare(connection: Connection) -> list[Any]:
    options = {"compare_type": True, "include_name": is_ours}
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, Table.metadata))


def is_ours(name: str | None, kind: str, _: Any) -> bool:
    """Leave the job queue's tables to its own library."""
    return not (kind == "table" and name is not None and name.startswith("pgqueuer"))


def _config(owner_url: str, application_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    owner, application = urlsplit(owner_url).username, urlsplit(application_url).username
    config.attributes["owner_url"] = owner_url
    config.attributes["application_role"] = application if application != owner else None
    return config

"""`proxycard db`: the database's version."""

import os
from pathlib import Path

import click

from app import schema
from app.config import Settings, load


@click.group()
def db() -> None:
    """Bring the database to this version, or look at how far it is."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Run the migrations that are missing, as DATABASE_OWNER_URL."""
    settings = _settings()
    schema.upgrade(settings.owner_url, settings.database_url)
    click.echo("The database is at this version.")


@db.command("downgrade")
@click.argument("revision")
def db_downgrade(revision: str) -> None:
    """Undo migrations down to REVISION ("base" undoes them all)."""
    settings = _settings()
    schema.downgrade(settings.owner_url, settings.database_url, revision)
    click.echo(f"The database is at {revision}.")


@db.command("check")
def db_check() -> None:
    """Exit with 1 unless every migration has run and the tables match the models."""
    settings = _settings()
    if not schema.at_head(settings.database_url):
        raise click.ClickException("migrations are missing: run `proxycard db upgrade`")
    found = schema.differences(settings.owner_url)
    if found:
        raise click.ClickException(f"models and migrations differ: {found}")
    click.echo("The database matches the models.")


def _settings() -> Settings:
    return load(os.environ, Path.cwd())

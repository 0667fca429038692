"""The `proxycard` command."""

import os
import socket
import sys
from pathlib import Path

import asyncpg
import click
from granian.constants import Interfaces, Loops
from granian.log import LogLevels
from granian.server import Server
from sqlalchemy.exc import SQLAlchemyError

from app import schema
from app.cli_staff import staff
from app.config import ConfigError, Settings, load
from app.errors import AppError
from app.jobs.worker import run_worker
from app.logs import configure_logs


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def commands() -> None:
    """Proxycard: virtual cards funded, purchase by purchase, from a linked real card."""


@commands.command()
def serve() -> None:
    """Answer webhooks and serve the pages, until SIGTERM or Ctrl-C."""
    settings = _settings()
    _refuse_taken_port(settings)
    server = Server(
        "app.asgi:production",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        factory=True,
        log_access=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=30,
    )
    server.serve()


@commands.command()
def worker() -> None:
    """Process events and repair what is uncertain, until SIGTERM or Ctrl-C."""
    configure_logs()
    run_worker(_settings())


@commands.group()
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


def _refuse_taken_port(settings: Settings) -> None:
    """The server would share a port that another one listens on, and get half of its requests."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise ConfigError(
                f"PORT {settings.port} on HOST {settings.host} cannot be listened on"
                f" ({error.strerror}): stop what uses it, or set another"
            ) from None


commands.add_command(staff)


def _settings() -> Settings:
    return load(os.environ, Path.cwd())


def main() -> None:
    """Run a command. What is refused is one sentence on standard error, and exit code 2."""
    try:
        commands(standalone_mode=False)
    except click.ClickException as error:
        click.echo(error.format_message(), err=True)
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except (ConfigError, AppError) as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    except (OSError, SQLAlchemyError, asyncpg.PostgresError) as error:
        cause = getattr(error, "orig", None) or error
        click.echo(f"The database cannot be used as DATABASE_URL says: {cause}", err=True)
        sys.exit(2)

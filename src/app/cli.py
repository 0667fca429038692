"""The `proxycard` command."""

import sys
from collections.abc import Sequence
from importlib import import_module

import asyncpg
import click
from sqlalchemy.exc import SQLAlchemyError

from app.config import ConfigError
from app.errors import AppError

COMMANDS = {
    "allow-once": "app.cli_stops:allow_next",
    "audit": "app.cli_audit:audit",
    "db": "app.cli_db:db",
    "decision": "app.cli_purchase:decision",
    "demo-data": "local_stack.demo_command:demo_data",
    "doctor": "app.doctor.command:doctor",
    "job": "app.cli_money:job",
    "ledger": "app.cli_ledger:ledger",
    "profit": "app.cli_ledger:profit_report",
    "purchase": "app.cli_purchase:purchase",
    "receivable": "app.cli_money:receivable",
    "receivables": "app.cli_money:receivables",
    "reconcile": "app.cli_money:reconcile",
    "refund": "app.cli_money:refund",
    "resume": "app.cli_stops:resume_stop",
    "rules": "app.cli_rules:rules",
    "serve": "app.cli_serve:serve",
    "staff": "app.cli_staff:staff",
    "stop": "app.cli_stops:stop",
    "test": "app.cli_test:test",
    "worker": "app.cli_worker:worker",
}
"""Where each command is. Only the one that is asked for is loaded: all take half a second more."""


class Commands(click.Group):
    """Commands that are loaded when they are asked for, or when their help is listed."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        found: click.Command = getattr(import_module(module), name)
        return found


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def commands() -> None:
    """Proxycard: virtual cards funded, purchase by purchase, from a linked real card."""


def main(words: Sequence[str] | None = None) -> None:
    """Run a command, that of the command line unless told otherwise.

    What is refused is one sentence on standard error, and exit code 2.
    """
    try:
        commands(words, standalone_mode=False)
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

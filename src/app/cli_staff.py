"""`proxycard staff`: members of staff are added and shut out from the command line."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import load
from app.db import create_engine, create_sessions
from app.domain.identity.audit import Actor
from app.domain.identity.models import Staff
from app.domain.identity.staff import add_staff, disable_staff
from app.domain.identity.states import Role

COMMAND_LINE = Actor("cli")


@click.group()
def staff() -> None:
    """Add members of staff to the back office, or shut one out."""


@staff.command("add")
@click.argument("email")
@click.option("--name", required=True, help="The member's name, as the trail shows it.")
@click.option(
    "--role",
    "roles",
    required=True,
    multiple=True,
    type=click.Choice([role.value for role in Role]),
    help="May be given several times; roles add up.",
)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def staff_add(email: str, name: str, roles: tuple[str, ...], *, password_stdin: bool) -> None:
    """Add the member EMAIL. Asks for the password twice, unless it comes on standard input."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    held = [Role(role) for role in roles]
    member = _in_transaction(
        lambda session: add_staff(session, email, name, password, held, actor=COMMAND_LINE)
    )
    click.echo(f"{member.name} can sign in as {member.email}: {', '.join(member.roles)}.")


@staff.command("disable")
@click.argument("email")
@click.option("--reason", required=True, help="Why, for the trail.")
def staff_disable(email: str, reason: str) -> None:
    """Shut the member EMAIL out, at once."""
    now = datetime.now(UTC)
    member = _in_transaction(
        lambda session: disable_staff(session, email, reason=reason, actor=COMMAND_LINE, now=now)
    )
    click.echo(f"{member.name} is signed out and cannot sign in any more.")


def _in_transaction(work: Callable[[AsyncSession], Awaitable[Staff]]) -> Staff:
    """Do the work in one transaction of its own, which fails with it."""

    async def run() -> Staff:
        engine = create_engine(load(os.environ, Path.cwd()).database_url)
        try:
            async with create_sessions(engine).begin() as session:
                return await work(session)
        finally:
            await engine.dispose()

    return asyncio.run(run())

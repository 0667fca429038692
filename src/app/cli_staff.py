"""`proxycard staff`: members of staff are added, changed and shut out from the command line.

Whoever may run it holds the keys of the product itself, so nobody else has to approve; the trail
says that it was the command line.
"""

import os
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli_work import COMMAND_LINE, in_transaction
from app.config import load
from app.domain.identity.models import Staff
from app.domain.identity.one_time_codes import STEP_SECONDS, code_of
from app.domain.identity.reasons import Reason
from app.domain.identity.staff import StaffNotFound, add_staff, disable_staff, staff_by_email
from app.domain.identity.staff_changes import change_roles, reset_totp
from app.domain.identity.staff_codes import Secrets
from app.domain.identity.staff_passwords import set_password
from app.domain.identity.states import Role
from app.errors import AppError

ROLES = click.option(
    "--role",
    "roles",
    required=True,
    multiple=True,
    type=click.Choice([role.value for role in Role]),
    help="May be given several times; roles add up.",
)
PASSWORD_STDIN = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)
REASON = click.option("--reason", required=True, help="Why, for the trail.")


class NotOfTheDemo(AppError, status=403):
    """Codes are told for the demo's members only, where no money is."""


@click.group()
def staff() -> None:
    """Add members of staff to the back office, change their roles, or shut one out."""


@staff.command("add")
@click.argument("email")
@click.option("--name", required=True, help="The member's name, as the trail shows it.")
@ROLES
@PASSWORD_STDIN
def staff_add(email: str, name: str, roles: tuple[str, ...], *, password_stdin: bool) -> None:
    """Add the member EMAIL. Asks for the password twice, unless it comes on standard input."""
    password = _password(from_stdin=password_stdin)
    held = [Role(role) for role in roles]
    member = in_transaction(
        lambda session, _: add_staff(session, email, name, password, held, actor=COMMAND_LINE)
    )
    click.echo(
        f"{member.name} can sign in as {member.email}: {', '.join(member.roles)}."
        " The first sign-in enrols an authenticator."
    )


@staff.command("disable")
@click.argument("email")
@REASON
def staff_disable(email: str, reason: str) -> None:
    """Shut the member EMAIL out, at once."""
    now = datetime.now(UTC)
    member = in_transaction(
        lambda session, _: disable_staff(session, email, reason=reason, actor=COMMAND_LINE, now=now)
    )
    click.echo(f"{member.name} is signed out and cannot sign in any more.")


@staff.command("role")
@click.argument("email")
@ROLES
@REASON
def staff_role(email: str, roles: tuple[str, ...], reason: str) -> None:
    """Give the member EMAIL exactly these roles; their sessions end."""
    held = [Role(role) for role in roles]

    async def work(session: AsyncSession, member: Staff) -> None:
        why, now = Reason("other", reason), datetime.now(UTC)
        await change_roles(session, member, held, reason=why, actor=COMMAND_LINE, now=now)

    member = _changed(email, work)
    click.echo(f"{member.name} holds {', '.join(member.roles)} from the next sign-in on.")


@staff.command("password")
@click.argument("email")
@REASON
@PASSWORD_STDIN
def staff_password(email: str, reason: str, *, password_stdin: bool) -> None:
    """Give the member EMAIL another password; their sessions end."""
    password = _password(from_stdin=password_stdin)

    async def work(session: AsyncSession, member: Staff) -> None:
        now = datetime.now(UTC)
        await set_password(session, member, password, reason=reason, actor=COMMAND_LINE, now=now)

    member = _changed(email, work)
    click.echo(f"{member.name} signs in with the new password from now on.")


@staff.command("reset-totp")
@click.argument("email")
@REASON
def staff_reset_totp(email: str, reason: str) -> None:
    """Forget the authenticator and recovery codes of EMAIL; the next sign-in enrols a new one."""

    async def work(session: AsyncSession, member: Staff) -> None:
        why, now = Reason("lost_authenticator", reason), datetime.now(UTC)
        await reset_totp(session, member, reason=why, actor=COMMAND_LINE, now=now)

    member = _changed(email, work)
    click.echo(f"{member.name} enrols a new authenticator at the next sign-in.")


@staff.command("code")
@click.argument("email")
def staff_code(email: str) -> None:
    """Print the code that EMAIL's authenticator shows now. For the demo's members only."""
    settings = load(os.environ, Path.cwd())

    async def work(session: AsyncSession, _: datetime) -> Staff:
        return await _found(session, email)

    member = in_transaction(work)
    secret = Secrets(settings.secret_key, settings.demo_secret).of(member)
    if not member.demo or secret is None:
        raise NotOfTheDemo("codes are told for the demo's members only, where no money is")
    left = STEP_SECONDS - int(time.time()) % STEP_SECONDS
    click.echo(f"{code_of(secret, datetime.now(UTC))}  for {left} s more")


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return typed


def _changed(email: str, work: Callable[[AsyncSession, Staff], Awaitable[None]]) -> Staff:
    async def change(session: AsyncSession, _: datetime) -> Staff:
        member = await _found(session, email)
        await work(session, member)
        return member

    return in_transaction(change)


async def _found(session: AsyncSession, email: str) -> Staff:
    member = await staff_by_email(session, email)
    if member is None:
        raise StaffNotFound(f"nobody on the staff has the e-mail address {email}")
    return member

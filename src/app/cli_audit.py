"""`proxycard audit`: the trail, proved and read."""

import sys
from datetime import datetime

import click
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli_work import in_transaction
from app.domain.identity.audit_models import AuditEntry
from app.domain.identity.audit_sealing import TRAIL

PROBLEMS = 1


@click.group()
def audit() -> None:
    """Look into the trail of who did what, and prove that nobody changed it."""


@audit.command("verify")
def audit_verify() -> None:
    """Recompute the chain of hashes over every sealed entry. Exits with 1 when it does not hold."""

    async def work(session: AsyncSession, _: datetime) -> tuple[str | None, str | None, int]:
        last = await TRAIL.last_seal(session)
        told = f"seal {last.number}, hash {last.hash}" if last else None
        return await TRAIL.first_difference(session), told, await TRAIL.unsealed(session)

    problem, last, waiting = in_transaction(work)
    if problem is not None:
        click.echo(f"WRONG  {problem}")
        sys.exit(PROBLEMS)
    click.echo(f"ok     the entries are as they were sealed, up to {last or 'now: none is yet'}")
    click.echo(f"       {waiting} entries wait to be sealed")


@audit.command("list")
@click.option("--about", default=None, help="Only entries about what has this id.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
def audit_list(about: str | None, limit: int) -> None:
    """Print the latest entries, the newest first."""

    async def work(session: AsyncSession, _: datetime) -> list[AuditEntry]:
        query = select(AuditEntry).order_by(AuditEntry.created_at.desc(), AuditEntry.id.desc())
        if about is not None:
            query = query.where(AuditEntry.subject_id == about.strip())
        return list(await session.scalars(query.limit(limit)))

    for entry in in_transaction(work):
        who = entry.actor_id or entry.actor_kind
        why = f"  ({entry.reason})" if entry.reason else ""
        what = f"{entry.subject_kind} {entry.subject_id}"
        click.echo(f"{entry.created_at:%Y-%m-%d %H:%M:%S}  {who}  {entry.action}  {what}{why}")

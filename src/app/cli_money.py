"""`proxycard reconcile`, `receivables`, `refund` and `job`: what staff do about money."""

import sys
from datetime import datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

import click
import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli_parts import with_parts
from app.cli_work import COMMAND_LINE, WANTED_REASON, Day, in_transaction
from app.clock import real_time
from app.domain.funding.receivables import ReceivableNotFound, try_now, write_off
from app.domain.funding.refund_models import Receivable
from app.domain.funding.states import ReceivableState
from app.domain.identity.models import Customer
from app.domain.issuing.differences import keep_run
from app.domain.issuing.models import Authorization
from app.domain.issuing.reconciliation_facts import Difference
from app.domain.issuing.reconciling import STEPS
from app.domain.issuing.unlinked import UnlinkedTransactions
from app.errors import AppError
from app.jobs.bookkeeping import reconciler
from app.jobs.catalogue import regular_jobs
from app.jobs.regular import UnknownJob, run_named
from app.money import readable
from app.parts import Parts
from app.regular_job import RegularJob

DIFFERENT = 1


class StillToCome(AppError, status=422):
    """A day on which nothing can have happened yet."""


class Debtor(msgspec.Struct, frozen=True):
    """An open debt with whose it is and what for."""

    debt: Receivable
    customer: str
    purchase: str


@click.command()
@click.option("--since", type=Day(), default=None, help="Only what is from this day on.")
def reconcile(*, since: datetime | None) -> None:
    """Hold our records and books against Stripe's objects, balance transactions and balances.

    Prints each difference with its kind and amounts, and keeps it for the back office.
    Exits with 1 when there is any.
    """

    async def work(parts: Parts) -> tuple[list[Difference], datetime]:
        now = parts.clock.now()
        begin = _begin(since, ZoneInfo(parts.settings.business_timezone), now)
        bar = click.progressbar(length=STEPS, label="Reconciling", file=sys.stderr, width=24)
        with bar as told:
            began = real_time()
            found = await reconciler(parts).run(begin, lambda what: _step(told, what))
        await keep_run(
            parts.sessions,
            found,
            since=begin,
            began=began,
            ended=real_time(),
            begun_by="the command line",
        )
        return found, now

    found, now = with_parts(work)
    for one in found:
        click.echo(_difference_line(one, now))
    if found:
        click.echo(f"{len(found)} differences.")
        sys.exit(DIFFERENT)
    click.echo("No differences.")


@click.command()
def receivables() -> None:
    """List what customers owe, oldest first."""

    async def work(session: AsyncSession, now: datetime) -> tuple[list[Debtor], datetime]:
        return await _debtors(session), now

    found, now = in_transaction(work)
    for one in found:
        debt = one.debt
        again = f"{debt.next_attempt_at:%Y-%m-%d}" if debt.next_attempt_at else "by hand only"
        click.echo(
            f"{debt.id}  {readable(debt.outstanding_minor):>12}  {(now - debt.opened_at).days:>4} d"
            f"  {one.customer}  {one.purchase}  tried {debt.attempts} times, next {again}"
            f"{f', the bank: {debt.decline_code}' if debt.decline_code else ''}"
        )
    owed = sum(one.debt.outstanding_minor for one in found)
    click.echo(f"{len(found)} open, {readable(owed)} USD in all.")


@click.group()
def receivable() -> None:
    """Deal with what a customer owes."""


@receivable.command("write-off")
@click.argument("wanted", metavar="ID")
@WANTED_REASON
def receivable_write_off(wanted: str, *, reason: str) -> None:
    """Give the debt ID up as a loss."""
    key = _key(wanted)

    async def work(parts: Parts) -> Receivable:
        now = parts.clock.now()
        return await write_off(parts.sessions, key, reason, actor=COMMAND_LINE, now=now)

    debt = with_parts(work)
    click.echo(f"{readable(debt.outstanding_minor)} USD are written off.")


@receivable.command("collect")
@click.argument("wanted", metavar="ID")
@WANTED_REASON
def receivable_collect(wanted: str, *, reason: str) -> None:
    """Try to collect the debt ID now; one that was written off is recovered."""
    key = _key(wanted)

    async def work(parts: Parts) -> Receivable:
        now = parts.clock.now()
        purchase_id = await try_now(parts.sessions, key, reason, actor=COMMAND_LINE, now=now)
        async with parts.sessions() as session:
            purchase = await session.get_one(Authorization, purchase_id)
        await parts.settler.settle(purchase.stripe_authorization_id)
        async with parts.sessions() as session:
            return await session.get_one(Receivable, key)

    debt = with_parts(work)
    if debt.closed_at is None or debt.state is ReceivableState.WRITTEN_OFF:
        click.echo(f"No linked card paid it: {debt.decline_code or 'nothing could be charged'}.")
        sys.exit(DIFFERENT)
    click.echo(f"{readable(debt.outstanding_minor)} USD are {debt.state.value}.")


def _key(wanted: str) -> UUID:
    try:
        return UUID(wanted.strip())
    except ValueError:
        raise ReceivableNotFound(f"no receivable has an id like “{wanted[:60]}”") from None


@click.group()
def refund() -> None:
    """Deal with merchants' refunds."""


@refund.command("assign")
@click.argument("transaction")
@click.argument("purchase")
@WANTED_REASON
def refund_assign(transaction: str, purchase: str, *, reason: str) -> None:
    """Say that the refund TRANSACTION (ipi_…) belongs to PURCHASE, both by Stripe's ids."""

    async def work(parts: Parts) -> None:
        unlinked = UnlinkedTransactions(parts.sessions, parts.settler)
        await unlinked.assign(transaction.strip(), purchase.strip(), reason, actor=COMMAND_LINE)

    with_parts(work)
    click.echo(f"{transaction} belongs to {purchase}, which is settled.")


@click.group()
def job() -> None:
    """Look at the jobs that run again and again, and run one now."""


@job.command("list")
def job_list() -> None:
    """List every regular job with how it went last."""

    async def work(parts: Parts) -> tuple[list[tuple[str, str]], dict[str, RegularJob]]:
        jobs = [(one.name, str(one.every)) for one in regular_jobs(parts)]
        async with parts.sessions() as session:
            rows = await session.scalars(select(RegularJob))
            return jobs, {row.name: row for row in rows}

    jobs, rows = with_parts(work)
    for name, every in jobs:
        click.echo(f"{name:<18} every {every:<16} {_last_run(rows.get(name))}")


@job.command("run")
@click.argument("name")
def job_run(name: str) -> None:
    """Run the job NAME now."""

    async def work(parts: Parts) -> str:
        jobs = regular_jobs(parts)
        if name not in {one.name for one in jobs}:
            raise UnknownJob(f"no job is called {name}: {', '.join(one.name for one in jobs)}")
        try:
            return await run_named(parts.sessions, jobs, name)
        except Exception as error:
            raise click.ClickException(f"{name} failed: {error}") from error

    click.echo(with_parts(work))


def _begin(since: datetime | None, zone: ZoneInfo, now: datetime) -> datetime | None:
    if since is None:
        return None
    begin = datetime.combine(since.date(), time(), zone)
    if begin > now:
        raise StillToCome(f"{since:%Y-%m-%d} is still to come: there is nothing to reconcile")
    return begin


def _step(bar: object, what: str) -> None:
    bar.label = f"Reconciling, {what}"  # type: ignore[attr-defined]
    bar.update(1)  # type: ignore[attr-defined]


def _difference_line(one: Difference, now: datetime) -> str:
    ours = "none" if one.ours_minor is None else readable(one.ours_minor)
    theirs = "none" if one.theirs_minor is None else readable(one.theirs_minor)
    age = f", {_age(now, one.since)} old" if one.since else ""
    note = f" ({one.note})" if one.note else ""
    return (
        f"{one.kind:<29}  {one.what} {one.name}: here {ours}, Stripe {theirs}"
        f" {one.currency.upper()}{age}{note}"
    )


def _age(now: datetime, since: datetime) -> str:
    seconds = max(int((now - since).total_seconds()), 0)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


async def _debtors(session: AsyncSession) -> list[Debtor]:
    found = await session.execute(
        select(Receivable, Customer, Authorization.stripe_authorization_id)
        .join(Customer, Customer.id == Receivable.customer_id)
        .join(Authorization, Authorization.id == Receivable.purchase_id)
        .where(Receivable.state == ReceivableState.OPEN)
        .order_by(Receivable.opened_at, Receivable.id)
    )
    return [Debtor(debt, customer.email, purchase) for debt, customer, purchase in found]


def _last_run(row: RegularJob | None) -> str:
    if row is None or row.began_at is None:
        return "has not run yet"
    if row.ended_at is None or row.ended_at < row.began_at:
        return f"runs since {row.began_at:%Y-%m-%d %H:%M:%S} UTC"
    how = "FAILED" if row.failed else "ok"
    return f"{row.ended_at:%Y-%m-%d %H:%M:%S} UTC  {how}: {row.outcome}"

"""`proxycard ledger` and `proxycard profit`: the books, read and proved."""

import os
import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli_parts import StripeRefuses, with_parts
from app.cli_work import Day, in_transaction
from app.config import load
from app.domain.issuing.profit import By, ExpectedRow, ProfitRow, expected, profit, total
from app.domain.issuing.proving import prove
from app.domain.issuing.story import PurchaseNotFound, purchase_that_begins
from app.domain.issuing.story_words import posting_lines, rule_in_words
from app.domain.ledger.accounts import NAMES
from app.domain.ledger.balances import Balance, trial_balance
from app.domain.ledger.models import JournalEntry
from app.domain.ledger.rollups import totals
from app.domain.ledger.verify import Check
from app.errors import AppError
from app.money import readable
from app.parts import Parts

PROBLEMS = 1


class JournalNotFound(AppError, status=404):
    """No journal has this reference, and no purchase this id."""


class NoPeriod(AppError, status=422):
    """A period that ends before it begins."""


@click.group()
def ledger() -> None:
    """Look into the books, and prove them."""


@ledger.command("trial-balance")
@click.option("--at", type=Day(), default=None, help="As of the end of this day of the business.")
def ledger_trial_balance(*, at: datetime | None) -> None:
    """Print every account's debits, credits and balance, by layer and currency."""
    zone = business_zone()

    async def work(session: AsyncSession, _: datetime) -> list[Balance]:
        if at is None:
            return await totals(session)
        return await trial_balance(session, _midnight(at.date() + timedelta(days=1), zone))

    found = in_transaction(work)
    when = f"at the end of {at:%Y-%m-%d} ({zone.key})" if at else "now"
    click.echo(f"Trial balance {when}: sums of the journals, in currency units.")
    for line in _balance_lines(found):
        click.echo(line)


@ledger.command("verify")
@click.option("--offline", is_flag=True, help="Do not ask Stripe for its balances.")
def ledger_verify(*, offline: bool) -> None:
    """Prove the books: the seals, every journal, the sums, the clearing, Stripe's balances.

    Exits with 1 when something is not as it must be.
    """

    async def work(parts: Parts) -> list[Check]:
        feed = None if offline else parts.balance_feed
        return await prove(parts.sessions, ZoneInfo(parts.settings.business_timezone), feed)

    try:
        checks = with_parts(work)
    except StripeRefuses:
        click.echo("Stripe does not answer: its balances are not compared.", err=True)
        offline = True
        checks = with_parts(work)
    for check in checks:
        click.echo(f"{'ok   ' if not check.problems else 'WRONG'}  {check.name}")
        for problem in check.problems:
            click.echo(f"       {problem}")
    if any(check.problems for check in checks):
        sys.exit(PROBLEMS)


@ledger.command("journal")
@click.argument("wanted", metavar="REFERENCE|PURCHASE")
def ledger_journal(wanted: str) -> None:
    """Print the journal of this reference, or all of a purchase (Stripe's id or ours)."""
    for entry in in_transaction(lambda session, _: _journals(session, wanted.strip())):
        click.echo(f"{entry.occurred_at:%Y-%m-%d %H:%M:%S} UTC  {rule_in_words(entry.rule)}")
        click.echo(f"  {entry.reference}")
        for line in posting_lines(entry):
            click.echo(f"    {line}")


@click.command("profit")
@click.option("--from", "first", type=Day(), default=None, help="First day; the month's first.")
@click.option("--to", "last", type=Day(), default=None, help="Last day, included; today.")
@click.option(
    "--by", type=click.Choice([by.value for by in By]), default=By.DAY.value, show_default=True
)
def profit_report(*, first: datetime | None, last: datetime | None, by: str) -> None:
    """Print what was earned and what it cost, by day, category, customer or kind of linked card."""
    zone, kind = business_zone(), By(by)

    async def work(
        session: AsyncSession, now: datetime
    ) -> tuple[date, date, list[ProfitRow], list[ExpectedRow]]:
        today = now.astimezone(zone).date()
        until = last.date() if last else today
        since = first.date() if first else until.replace(day=1)
        if since > until:
            raise NoPeriod(f"the period begins on {since} and ends before that, on {until}")
        after = _midnight(until + timedelta(days=1), zone)
        rows = await profit(session, since=_midnight(since, zone), until=after, by=kind, zone=zone)
        return since, until, rows, await expected(session, by=kind, zone=zone)

    since, until, rows, to_come = in_transaction(work)
    click.echo(f"Profit from {since} to {until} by {by}, in USD. Days are those of {zone.key}.")
    click.echo("Source: journals by when each fact occurred; gross is 4000 + 4010 + 4100,")
    click.echo("net is gross less 5000 to 5120.")
    for line in [*_profit_lines(rows), *_expected_lines(to_come)]:
        click.echo(line)


async def _journals(session: AsyncSession, wanted: str) -> Sequence[JournalEntry]:
    one = await session.get(JournalEntry, wanted)
    if one is not None:
        return [one]
    try:
        bought = await purchase_that_begins(session, wanted)
    except PurchaseNotFound:
        raise JournalNotFound(
            f"no journal has the reference “{wanted[:80]}”, and no purchase an id like it"
        ) from None
    found = await session.scalars(
        select(JournalEntry)
        .where(JournalEntry.purchase_id == bought.id)
        .order_by(JournalEntry.occurred_at, JournalEntry.recorded_at, JournalEntry.reference)
    )
    return found.all()


def business_zone() -> ZoneInfo:
    return ZoneInfo(load(os.environ, Path.cwd()).business_timezone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _balance_lines(found: Sequence[Balance]) -> Iterator[str]:
    for layer, currency in dict.fromkeys((one.layer, one.currency) for one in found):
        yield ""
        yield f"{layer}, {currency.upper():<44} {'debits':>15} {'credits':>15} {'balance':>15}"
        debits = credits_ = 0
        for one in found:
            if (one.layer, one.currency) == (layer, currency):
                debits, credits_ = debits + one.debit_minor, credits_ + one.credit_minor
                name = f"{one.account.value} {NAMES[one.account]}"
                yield _sums(name, one.debit_minor, one.credit_minor)
        yield _sums("together", debits, credits_)


def _sums(name: str, debit_minor: int, credit_minor: int) -> str:
    debits, credits_ = readable(debit_minor), readable(credit_minor)
    return f"  {name:<50} {debits:>15} {credits_:>15} {readable(debit_minor - credit_minor):>15}"


def _profit_lines(rows: Sequence[ProfitRow]) -> Iterator[str]:
    heads = ("fees", "returned", "gross", "Stripe", "bad debt", "other", "net")
    yield f"{'':<32}" + "".join(f"{head:>13}" for head in heads)
    for row in [*rows, total(list(rows))]:
        other = row.costs_minor - row.processing_minor - row.bad_debt_minor
        figures = (
            *(row.fees_minor, -row.returned_minor, row.gross_minor),
            *(-row.processing_minor, -row.bad_debt_minor, -other, row.net_minor),
        )
        yield f"{row.label[:31]:<32}" + "".join(f"{readable(minor):>13}" for minor in figures)


def _expected_lines(rows: Sequence[ExpectedRow]) -> Iterator[str]:
    fee, purchases = sum(row.fee_minor for row in rows), sum(row.purchases for row in rows)
    yield f"Still to come, of whatever day: {readable(fee)} in fees of {purchases} open purchases."
    for row in rows:
        yield f"  {row.label[:29]:<30}{readable(row.fee_minor):>13}{row.purchases:>8}"

"""`proxycard rules`: the rules that purchases are decided by, from the command line."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta

import click
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.adapters.stripe_categories import CATEGORIES
from app.cli_work import COMMAND_LINE, NOTE, WANTED_NOTE, in_transaction
from app.domain.identity.audit_models import AuditEntry
from app.domain.issuing.backtest import Outcome, backtest, count_requests
from app.domain.issuing.control_models import DecisionRule
from app.domain.issuing.rule_book import (
    add_rule,
    changes_of,
    end_rule,
    find_rule,
    known_condition,
    list_rules,
    rule_of,
    set_mode,
)
from app.domain.issuing.rule_lines import (
    backtest_lines,
    progress_line,
    report_lines,
    rule_line,
    rule_lines,
)
from app.domain.issuing.rule_reading import (
    Draft,
    UnreadableRule,
    read_condition,
    read_fields,
    read_moment,
    read_name,
)
from app.domain.issuing.rules import Rule, RuleMode
from app.domain.issuing.shadow import Report, report_on

FIELDS = click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
HELP = """See and change the rules that purchases are decided by, from the next purchase on.

A KIND has these fields; amounts are typed as 43.20, lists with commas:

\b
  stop              target=all|customer|card|merchant|funding value=…
  closed_categories group=cash|quasi_cash|gambling|other categories=…
  closed_countries  countries=US,CA
  velocity          scope=card|customer minutes=… purchases=… amount=…
  new_customer      for_days=… window_days=… amount=…
  decline_streak    minutes=… declines=…
  card_testing      minutes=… probes=…
  risk_score        at_least=0 to 99
"""


@click.group(help=HELP)
def rules() -> None:
    pass


@rules.command("list")
@click.option("--all", "ended_too", is_flag=True, help="Ended ones too.")
def rules_list(*, ended_too: bool) -> None:
    """List the rules and what they refuse."""

    async def work(session: AsyncSession, now: datetime) -> tuple[Sequence[DecisionRule], datetime]:
        return await list_rules(session), now

    rows, now = in_transaction(work)
    for row in rows:
        if ended_too or row.effective_until is None or row.effective_until > now:
            click.echo(rule_line(row, rule_of(row), now))


@rules.command("show")
@click.argument("rule_id", metavar="ID")
def rules_show(rule_id: str) -> None:
    """Show one rule, and who changed it when and why."""

    async def work(
        session: AsyncSession, now: datetime
    ) -> tuple[DecisionRule, Sequence[AuditEntry], datetime]:
        row = await find_rule(session, rule_id)
        return row, await changes_of(session, row), now

    row, changes, now = in_transaction(work)
    _say(rule_lines(row, rule_of(row), now))
    for entry in changes:
        why = f": {entry.reason}" if entry.reason else ""
        click.echo(f"{entry.created_at:%Y-%m-%d %H:%M} {entry.action} by {entry.actor_kind}{why}")


@rules.command("add")
@click.argument("kind")
@FIELDS
@click.option("--name", required=True, help="What lists and records call it.")
@WANTED_NOTE
@click.option("--shadow", is_flag=True, help="Only watch and record; refuse nothing.")
@click.option("--from", "since", default=None, help="When it begins, ISO 8601; now if not given.")
@click.option("--until", default=None, help="When it ends, ISO 8601; never if not given.")
def rules_add(
    kind: str,
    fields: tuple[str, ...],
    *,
    name: str,
    note: str,
    shadow: bool,
    since: str | None,
    until: str | None,
) -> None:
    """Add a rule of a KIND."""
    condition = read_condition(kind, read_fields(fields), CATEGORIES)
    begins = read_moment("from", since) if since is not None else None
    ends = read_moment("until", until) if until is not None else None
    mode = RuleMode.SHADOW if shadow else RuleMode.ENFORCED
    named = read_name(name)

    async def work(session: AsyncSession, now: datetime) -> tuple[DecisionRule, datetime]:
        draft = Draft(
            condition=condition,
            name=named,
            note=note,
            mode=mode,
            effective_from=begins or now,
            effective_until=ends,
        )
        return await add_rule(session, draft, actor=COMMAND_LINE, now=now), now

    row, now = in_transaction(work)
    _say(rule_lines(row, rule_of(row), now))


@rules.command("end")
@click.argument("rule_id", metavar="ID")
@NOTE
def rules_end(rule_id: str, note: str | None) -> None:
    """End a rule now."""
    row = in_transaction(
        lambda session, now: end_rule(session, rule_id, actor=COMMAND_LINE, now=now, reason=note)
    )
    click.echo(f"“{row.name}” has ended.")


@rules.command("enforce")
@click.argument("rule_id", metavar="ID")
@NOTE
def rules_enforce(rule_id: str, note: str | None) -> None:
    """Have a rule refuse that was in shadow."""
    row = in_transaction(_mode(rule_id, RuleMode.ENFORCED, note))
    click.echo(f"“{row.name}” refuses from now on.")


@rules.command("shadow")
@click.argument("rule_id", metavar="ID")
@NOTE
def rules_shadow(rule_id: str, note: str | None) -> None:
    """Have a rule only watch and record."""
    row = in_transaction(_mode(rule_id, RuleMode.SHADOW, note))
    click.echo(f"“{row.name}” is in shadow and refuses nothing.")


@rules.command("report")
@click.argument("rule_id", metavar="ID")
@click.option("--days", type=click.IntRange(1, 366), default=7, show_default=True)
def rules_report(rule_id: str, days: int) -> None:
    """Tell how often a rule in shadow would have refused what was approved."""

    async def work(session: AsyncSession, now: datetime) -> tuple[DecisionRule, Report]:
        row = await find_rule(session, rule_id)
        return row, await report_on(session, rule_of(row), now - timedelta(days=days))

    row, told = in_transaction(work)
    click.echo(f"“{row.name}”, {row.mode}, over {days} days:")
    _say(report_lines(told))


@rules.command("backtest")
@click.argument("kind", required=False)
@FIELDS
@click.option("--rule", "rule_id", default=None, metavar="ID", help="A rule there is.")
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True)
def rules_backtest(
    kind: str | None, fields: tuple[str, ...], *, rule_id: str | None, days: int
) -> None:
    """Try a rule on the purchases of the last days, and tell what it would have refused.

    Either a KIND with its fields, which changes nothing, or --rule ID.
    """
    if (kind is None) is (rule_id is None):
        raise UnreadableRule("kind: give either a kind with its fields, or --rule ID")
    draft = read_condition(kind, read_fields(fields), CATEGORIES) if kind is not None else None

    async def work(session: AsyncSession, now: datetime) -> Outcome:
        since = now - timedelta(days=days)
        if draft is not None:
            condition = await known_condition(session, draft)
            rule = Rule(uuid7(), RuleMode.ENFORCED, now, None, condition)
        else:
            rule = rule_of(await find_rule(session, rule_id or ""))
        count = await count_requests(session, since)
        return await backtest(session, rule, since, _progress(count))

    _say(backtest_lines(in_transaction(work), days))


def _mode(
    rule_id: str, mode: RuleMode, note: str | None
) -> Callable[[AsyncSession, datetime], Awaitable[DecisionRule]]:
    return lambda session, now: set_mode(
        session, rule_id, mode, actor=COMMAND_LINE, now=now, reason=note
    )


def _progress(count: int) -> Callable[[int], None]:
    """Tell on standard error how far a long run is."""

    def tell(done: int) -> None:
        line = progress_line(done, count)
        if line is not None:
            click.echo(line, err=True)

    return tell


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)

"""`proxycard stop`, `resume` and `allow-once`: what is wanted at once, in one word."""

from datetime import datetime

import click
from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters.stripe_categories import CATEGORIES
from app.cli_work import COMMAND_LINE, NOTE, WANTED_NOTE, in_transaction
from app.domain.issuing.allowing import allow_once
from app.domain.issuing.control_models import Allowance, DecisionRule
from app.domain.issuing.rule_book import add_rule, resume
from app.domain.issuing.rule_reading import LONGEST_NAME, Draft, read_condition, read_name
from app.domain.issuing.rules import RuleMode, StopTarget
from app.money import readable


@click.command()
@click.argument("target", type=click.Choice([target.value for target in StopTarget]))
@click.argument("value", default="")
@WANTED_NOTE
def stop(target: str, value: str, *, note: str) -> None:
    """Stop all purchases, or those of one customer, card, merchant, or kind of linked card.

    VALUE is an id of the customer or card; the merchant's name with * for anything, or id: and the
    network's id of it; or brand/funding/country of linked cards, such as visa/prepaid/*.
    """
    typed = {"target": target} | ({"value": value} if value else {})
    condition = read_condition("stop", typed, CATEGORIES)
    name = read_name(f"Stop: {target} {value}"[:LONGEST_NAME])

    async def work(session: AsyncSession, now: datetime) -> DecisionRule:
        draft = Draft(
            condition=condition,
            name=name,
            note=note,
            mode=RuleMode.ENFORCED,
            effective_from=now,
        )
        return await add_rule(session, draft, actor=COMMAND_LINE, now=now)

    row = in_transaction(work)
    click.echo(f"Stopped from the next purchase on. `proxycard resume {row.id}` ends it.")


@click.command("resume")
@click.argument("rule_id", metavar="ID")
@NOTE
def resume_stop(rule_id: str, note: str | None) -> None:
    """End the stop ID."""
    row = in_transaction(
        lambda session, now: resume(session, rule_id, actor=COMMAND_LINE, now=now, reason=note)
    )
    click.echo(f"“{row.name}” has ended.")


@click.command("allow-once")
@click.argument("wanted", metavar="ID")
@NOTE
def allow_next(wanted: str, note: str | None) -> None:
    """Let the declined request or purchase ID pass when it is tried again, once, for 24 hours."""

    async def work(session: AsyncSession, now: datetime) -> Allowance:
        return await allow_once(session, wanted, actor=COMMAND_LINE, now=now, reason=note)

    given = in_transaction(work)
    click.echo(
        f"The card may pay up to {readable(given.most_minor)} at {given.merchant_name} once,"
        f" until {given.expires_at:%Y-%m-%d %H:%M} UTC."
    )

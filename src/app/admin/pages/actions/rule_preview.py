"""What a rule that is being written would have refused of late, before it refuses anything."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from uuid_utils.compat import uuid7

from app.adapters.stripe_categories import CATEGORIES
from app.admin.pages.actions.act import Scene
from app.domain.issuing.backtest import Outcome, backtest
from app.domain.issuing.rule_book import known_condition
from app.domain.issuing.rule_reading import read_condition
from app.domain.issuing.rules import Rule, RuleMode
from app.errors import AppError
from app.money import readable

DAYS = 30
LONGEST_SECONDS = 2.5
TITLE = f"Would have refused in {DAYS} days"


async def would_have_refused(
    scene: Scene, kind: str, given: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """Give the line that says it; nothing where what is typed makes no rule yet."""
    try:
        condition = await known_condition(scene.session, read_condition(kind, given, CATEGORIES))
    except AppError:
        return ()
    rule = Rule(uuid7(), RuleMode.ENFORCED, scene.now, None, condition)
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            found = await _tested(scene, rule)
    except TimeoutError:
        return ((TITLE, "More than can be tried here: see `proxycard rules backtest`."),)
    return ((TITLE, _in_words(found)),)


async def _tested(scene: Scene, rule: Rule) -> Outcome:
    """Try the rule in a session of its own, which a time-out may break off."""
    async with scene.parts.sessions() as session:
        return await backtest(session, rule, scene.now - timedelta(days=DAYS), lambda _: None)


def _in_words(found: Outcome) -> str:
    total = found.total
    if not total.count:
        return f"None of {found.approved:,} approved requests."
    return (
        f"{total.count:,} of {found.approved:,} approved requests, {readable(total.amount_minor)}"
        f" in all, {readable(total.fee_minor)} of our fee."
    )

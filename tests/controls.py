"""Rules for a test, and what every decline must come with."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.domain.identity.audit import SYSTEM
from app.domain.issuing.allowing import CannotAllow, allow_once
from app.domain.issuing.control_models import DecisionRule
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.rule_book import add_rule, end_rule
from app.domain.issuing.rule_reading import Draft
from app.domain.issuing.rules import Condition, RuleMode
from tests.command_line import Said, run_here
from tests.faults.arming import reason_of
from tests.product import Product
from tests.waiting import until

Attempt = Callable[[], Awaitable[dict[str, Any]]]


async def rule(
    product: Product,
    condition: Condition,
    mode: RuleMode = RuleMode.ENFORCED,
    *,
    begins: datetime | None = None,
    ends: datetime | None = None,
) -> DecisionRule:
    """Add a rule as a person would, in force from now on unless told otherwise."""
    now = product.parts.clock.now()
    draft = Draft(
        condition=condition,
        name="A rule of the test",
        note="to see what it does",
        mode=mode,
        effective_from=begins or now,
        effective_until=ends,
    )
    async with product.parts.sessions.begin() as session:
        return await add_rule(session, draft, actor=SYSTEM, now=now)


async def end(product: Product, added: DecisionRule) -> None:
    async with product.parts.sessions.begin() as session:
        now = product.parts.clock.now()
        await end_rule(session, str(added.id), actor=SYSTEM, now=now)


async def allow(product: Product, key: str) -> None:
    async with product.parts.sessions.begin() as session:
        await allow_once(session, key, actor=SYSTEM, now=product.parts.clock.now())


async def declined(product: Product, reason: str, attempt: Attempt) -> None:
    """Try a purchase that must be declined for a reason, and all that belongs to the reason.

    Where a person may allow it once, the next try passes, and the one after it does not.
    """
    bought = await attempt()
    await product.settled()
    assert (bought["approved"], await reason_of(product, bought["id"])) == (False, reason)
    told = EXPLANATIONS[DeclineReason(reason)]
    assert all((told.short, told.customer, told.staff, told.next_step, told.decided_by))
    if not told.allow_once:
        with pytest.raises(CannotAllow):
            await allow(product, bought["id"])
        return
    await allow(product, bought["id"])
    passed = await attempt()
    assert (passed["approved"], await reason_of(product, passed["id"])) == (True, None), reason
    again = await attempt()
    assert (again["approved"], await reason_of(product, again["id"])) == (False, reason)


async def later(product: Product, **time: int) -> None:
    """Move the time of Stripe and of the product on."""
    ahead = product.parts.clock.offset + timedelta(**time)
    await product.control("clock", {"advance_seconds": int(timedelta(**time).total_seconds())})
    await until(lambda: product.parts.clock.offset == ahead, why="our clock follows")


async def command(product: Product, *words: str) -> Said:
    """Run `proxycard` beside the running product; give its exit code, output and complaint."""
    given = msgspec.structs.asdict(product.settings)
    names = ("database_url", "stripe_secret_key", "stripe_api_base", "secret_key")
    secrets = ("stripe_authorization_webhook_secret", "stripe_events_webhook_secret")
    settings = {name.upper(): str(given[name]) for name in (*names, *secrets)}
    return await run_here(Path(__file__).parent, *words, **settings)

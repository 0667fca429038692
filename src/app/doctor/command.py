"""`proxycard doctor`: looks at everything that has to be right, and says what is not."""

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path

import aiohttp
import click
import msgspec

from app.adapters.clock import read_offset
from app.adapters.stripe_account import StripeAccount
from app.clock import Clock
from app.config import Settings, load
from app.doctor.at_home import examine_database
from app.doctor.at_stripe import examine_stripe
from app.doctor.findings import Finding, Level, table
from app.jobs.handlers import handlers
from app.parts import open_parts

CLOCK_WITHIN_SECONDS = 2


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write the findings as JSON.")
def doctor(*, as_json: bool) -> None:
    """Look at keys, webhooks, clock, float, database and worker. Exit code 1 when one fails."""
    findings = asyncio.run(examine(load(os.environ, Path.cwd())))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(findings)).decode())
    else:
        click.echo(table(findings))
    if any(finding.level is Level.FAIL for finding in findings):
        sys.exit(1)


async def examine(settings: Settings) -> list[Finding]:
    """Look at Stripe and the database; neither keeps the other from being looked at."""
    async with open_parts(settings) as parts:
        handled = handlers(parts).keys()
        await _set(parts.clock, settings.clock_url)
        now = parts.clock.now()
        at_home, spent_minor = await examine_database(settings, now)
        account = StripeAccount(parts.stripe.other)
        at_stripe = await examine_stripe(account, settings, handled, now, spent_minor)
    return [*at_stripe, *at_home]


async def _set(clock: Clock, url: str | None) -> None:
    """Set the clock by the network's before anything is dated; one that is silent is found so."""
    if url is None:
        return
    timeout = aiohttp.ClientTimeout(total=CLOCK_WITHIN_SECONDS)
    with suppress(aiohttp.ClientError, TimeoutError, KeyError, ValueError):
        async with aiohttp.ClientSession(timeout=timeout) as session:
            clock.offset = await read_offset(session, url)

"""What a command works with: one transaction, the business's time, and its name in the trail."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import aiohttp
import click
from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters.clock import read_offset
from app.config import Settings, load
from app.days import is_known
from app.db import create_engine, create_sessions
from app.domain.identity.audit import Actor
from app.domain.issuing.rule_reading import read_note

COMMAND_LINE = Actor("cli")


class Day(click.DateTime):
    """A day like 2026-11-24, as a moment; of years that can be counted with in every zone."""

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%d"])

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        found: datetime = super().convert(value, param, ctx)
        if not is_known(found):
            self.fail(f"“{value}” is before 1970, or after 8999.", param, ctx)
        return found


def _noted(_: click.Context, __: click.Parameter, typed: str | None) -> str | None:
    return None if typed is None else read_note(typed)


NOTE = click.option("--note", default=None, callback=_noted, help="Why, for the trail.")
WANTED_NOTE = click.option(
    "--note", required=True, callback=_noted, help="Why, for whoever reads it later."
)
WANTED_REASON = click.option(
    "--reason", required=True, callback=_noted, help="Why, for whoever reads it later."
)

Given = TypeVar("Given")
Work = Callable[[AsyncSession, datetime], Awaitable[Given]]


def in_transaction(work: Work[Given]) -> Given:
    """Do the work in one transaction, which fails with it. It is given the business's time."""

    async def run() -> Given:
        settings = load(os.environ, Path.cwd())
        engine = create_engine(settings.database_url)
        try:
            now = datetime.now(UTC) + await business_offset(settings)
            async with create_sessions(engine).begin() as session:
                return await work(session, now)
        finally:
            await engine.dispose()

    return asyncio.run(run())


async def business_offset(settings: Settings) -> timedelta:
    """Give how far the network's clock was moved; nothing where it cannot be, or does not say."""
    if settings.clock_url is None:
        return timedelta(0)
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
            return await read_offset(session, settings.clock_url)
    except (aiohttp.ClientError, TimeoutError, KeyError, ValueError):
        return timedelta(0)

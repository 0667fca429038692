"""Keeps the business clock in step with a card network whose time can be moved."""

import asyncio
from datetime import timedelta

import aiohttp
import structlog

from app.clock import Clock

log = structlog.get_logger()

LOOK_EVERY_SECONDS = 1.0


async def follow_clock(clock: Clock, url: str) -> None:
    """Read the network's offset every second, for as long as the process runs."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
        while True:
            try:
                clock.offset = await read_offset(session, url)
            except (aiohttp.ClientError, TimeoutError, KeyError, ValueError) as error:
                log.debug("clock_not_read", error=type(error).__name__)
            await asyncio.sleep(LOOK_EVERY_SECONDS)


async def read_offset(session: aiohttp.ClientSession, url: str) -> timedelta:
    async with session.get(url) as response:
        told = await response.json()
        return timedelta(seconds=int(told["offset_seconds"]))

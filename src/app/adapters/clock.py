"""Keeps the business clock in step with a card network whose time can be moved."""

import asyncio
import time
from datetime import timedelta

import aiohttp
import structlog

from app.clock import Clock

log = structlog.get_logger()

LOOK_EVERY_SECONDS = 1.0
_TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=2)
"""Asked for an offset unlike the known one, the network answers when there is one, or in 20 s."""


async def follow_clock(clock: Clock, url: str) -> None:
    """Have the network tell its offset whenever it changes, for as long as the process runs."""
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        while True:
            asked_at, known = time.monotonic(), clock.offset
            try:
                clock.offset = await read_offset(session, url, unlike=known)
            except (aiohttp.ClientError, TimeoutError, KeyError, ValueError) as error:
                log.debug("clock_not_read", error=type(error).__name__)
            if clock.offset == known:
                await asyncio.sleep(asked_at + LOOK_EVERY_SECONDS - time.monotonic())


async def read_offset(
    session: aiohttp.ClientSession, url: str, *, unlike: timedelta | None = None
) -> timedelta:
    """Give the network's offset; where it is `unlike` this one, if it soon is."""
    query = {} if unlike is None else {"unlike": str(int(unlike.total_seconds()))}
    async with session.get(url, params=query) as response:
        told = await response.json()
        return timedelta(seconds=int(told["offset_seconds"]))

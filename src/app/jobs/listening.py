"""The queue's connections, which say nothing before they listen.

The queue asks itself every ten seconds whether it hears what it says, and does so for the first
time while it only begins to listen. On a busy machine it would not hear that, take the database for
lost after ten seconds, and begin anew.
"""

import asyncio

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.ports.driver import NotifyCallback


class ListensFirst(AsyncpgPoolDriver):
    """Holds every notification of its own back until there is a listener."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        super().__init__(pool)
        self._listens = asyncio.Event()

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        await super().add_listener(channel, callback)
        self._listens.set()

    async def notify(self, channel: str, payload: str) -> None:
        await self._listens.wait()
        await super().notify(channel, payload)

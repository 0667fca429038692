"""The sandbox's clock: real time, moved forward on request."""

import asyncio
import time
from contextlib import suppress

LONGEST_STEP_SECONDS = 10 * 365 * 24 * 3600
FOLLOWED_WITHIN_SECONDS = 0.5


class Clock:
    """Gives Unix seconds. Signatures and retries keep to real time, everything dated to this.

    Whoever keeps a clock in step with this one waits here for its next move.
    """

    def __init__(self, offset_seconds: int = 0) -> None:
        self.offset_seconds = offset_seconds
        self._moved = asyncio.Event()
        self._followers = 0
        self._follower_came = asyncio.Event()

    def now(self) -> int:
        return int(time.time()) + self.offset_seconds

    def advance(self, seconds: int) -> None:
        """Move forward; a clock that went back would date answers before their questions."""
        assert 0 <= seconds <= LONGEST_STEP_SECONDS
        self.set_offset(self.offset_seconds + seconds)

    def set_offset(self, offset_seconds: int) -> None:
        """Be so far ahead of real time, and let those know who follow."""
        self.offset_seconds = offset_seconds
        self._moved.set()
        self._moved = asyncio.Event()

    async def moved_from(self, offset_seconds: int) -> None:
        """Wait until the clock is not so far ahead."""
        self._followers += 1
        self._follower_came.set()
        try:
            while self.offset_seconds == offset_seconds:
                await self._moved.wait()
        finally:
            self._followers -= 1

    async def advance_with_followers(self, seconds: int) -> None:
        """Move forward, and wait until all who follow know: they wait for the next move then.

        One that has gone meanwhile is not waited for long.
        """
        following = self._followers
        self.advance(seconds)
        if seconds:
            with suppress(TimeoutError):
                async with asyncio.timeout(FOLLOWED_WITHIN_SECONDS):
                    await self._followed_by(following)

    async def _followed_by(self, count: int) -> None:
        await asyncio.sleep(0)  # until those who waited have left
        while self._followers < count:
            self._follower_came.clear()
            await self._follower_came.wait()

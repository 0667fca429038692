"""Waits on a condition, and says what was awaited when it does not come."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

LOOK_EVERY_SECONDS = 0.02


async def until(
    condition: Callable[[], bool | Awaitable[bool]], *, seconds: float = 20, why: str = ""
) -> None:
    """Return when the condition is true. Fail the test when it is not within the time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        found: Any = condition()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return
        assert loop.time() < deadline, f"waited {seconds} s: {why or inspect.getsource(condition)}"
        await asyncio.sleep(LOOK_EVERY_SECONDS)

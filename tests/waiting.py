"""Waits on a condition, and says what was awaited when it does not come."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

LOOK_AGAIN_SECONDS, LATER_SECONDS = 0.02, 0.1
"""How soon it is looked again at first; what takes long is not looked at so often, up to the later.
"""


async def until(
    condition: Callable[[], bool | Awaitable[bool]], *, seconds: float = 60, why: str = ""
) -> None:
    """Return when the condition is true. Fail the test when it is not within the time.

    That is long: a machine on which others work as well needs many times what it takes alone.
    """
    loop = asyncio.get_running_loop()
    deadline, pause = loop.time() + seconds, LOOK_AGAIN_SECONDS
    while True:
        found: Any = condition()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return
        assert loop.time() < deadline, f"waited {seconds} s: {why or inspect.getsource(condition)}"
        await asyncio.sleep(pause)
        pause = min(pause * 1.3, LATER_SECONDS)

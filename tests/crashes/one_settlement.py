"""Settles one purchase in a process of its own, as a worker does, so that it can be killed."""

import asyncio
import os
import sys
from pathlib import Path

from app.config import load
from app.logs import configure_logs
from app.parts import open_parts


async def settle(authorization: str) -> None:
    async with open_parts(load(os.environ, Path.cwd())) as parts:
        await parts.settler.settle(authorization)


if __name__ == "__main__":
    configure_logs()
    asyncio.run(settle(sys.argv[1]))

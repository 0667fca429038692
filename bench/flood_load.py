"""Posts to the webhook what Stripe never signed, at a constant rate; a process of its own.

Run as `python -m bench.flood_load ADDRESS PER_SECOND SECONDS`. Says "flooding" when it begins, and
at its end how many it sent and how they were answered, as JSON.
"""

import asyncio
import json
import sys
import time
from collections import Counter

import aiohttp

from bench.load import purchase

SENDERS = 64
"""Each waits for its answer before it posts again, so that a slow server is sent no more."""


async def flood(address: str, per_second: float, seconds: float) -> dict[str, int]:
    """Post until the time is over; count the answers by status.

    Every second post has a signature that is well written and wrong; the others have none.
    """
    answers: Counter[str] = Counter()
    connector = aiohttp.TCPConnector(limit=SENDERS)
    async with aiohttp.ClientSession(connector=connector) as session:
        started = time.perf_counter()

        async def send(first: int) -> None:
            body = purchase("ic_nobody")
            for number in range(first, int(per_second * seconds), SENDERS):
                now = time.perf_counter()
                if now - started > seconds:
                    return
                await asyncio.sleep(max(started + number / per_second - now, 0))
                answers[await _post(session, address, body, forged=number % 2 == 0)] += 1

        await asyncio.gather(*(send(first) for first in range(SENDERS)))
    return dict(answers)


async def _post(session: aiohttp.ClientSession, address: str, body: bytes, *, forged: bool) -> str:
    signature = f"t={int(time.time())},v1={'0' * 64}"
    headers = {"Stripe-Signature": signature} if forged else {}
    try:
        async with session.post(address, data=body, headers=headers) as response:
            await response.read()
            return str(response.status)
    except (aiohttp.ClientError, TimeoutError) as error:
        return type(error).__name__


if __name__ == "__main__":
    print("flooding", flush=True)
    told = asyncio.run(flood(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
    print(json.dumps(told), flush=True)

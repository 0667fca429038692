"""Purchases that come at a steady rate, whatever becomes of the ones before."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from app.domain.issuing.models import Card
from tests.product import Product
from tests.situations import pay

LEAST_MINOR = 100


class Load:
    """The purchases of a load so far, in the order in which they were begun."""

    def __init__(self) -> None:
        self.begun: list[asyncio.Task[dict[str, Any]]] = []

    @property
    def ended(self) -> list[dict[str, Any]]:
        return [task.result() for task in self.begun if task.done()]


@asynccontextmanager
async def load(
    product: Product, cards: Sequence[Card], *, per_second: float
) -> AsyncIterator[Load]:
    """Have the cards pay in turn for a while; at its end all purchases have been answered."""
    running = Load()
    stop = asyncio.Event()
    paying = asyncio.create_task(_pay_on(product, cards, per_second, running, stop))
    try:
        yield running
    finally:
        stop.set()
        await paying
        await asyncio.gather(*running.begun)


async def _pay_on(
    product: Product, cards: Sequence[Card], per_second: float, running: Load, stop: asyncio.Event
) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number, card in enumerate(itertools.cycle(cards)):
        try:
            async with asyncio.timeout_at(began + number / per_second):
                await stop.wait()
        except TimeoutError:
            amount = LEAST_MINOR + number
            running.begun.append(asyncio.create_task(pay(product, card, amount)))
        else:
            return


async def answers(product: Product, bought: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give what Stripe made of our answer to each purchase, in the same order."""
    response = await product.stripe.get(
        "/_sandbox/deliveries", params={"type": "issuing_authorization.request", "limit": "1000"}
    )
    seen = {delivery["object_id"]: delivery for delivery in response.json()["data"]}
    return [seen[one["id"]] for one in bought]

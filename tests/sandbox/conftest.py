"""Every test here has a sandbox of its own, held to Stripe's published schema."""

from collections.abc import AsyncIterator

import pytest

from stripe_sandbox.answering import Exchange
from tests.conformance.plugin import conformance, conforms
from tests.conformance.recorder import Recorder
from tests.sandbox.serving import REAL_TIME_SECRET, Receiver, Running, receiving, serving

__all__ = ["anyio_backend", "conformance", "conforms", "product", "receiver", "sandbox"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def sandbox(conformance: Recorder) -> AsyncIterator[Running]:
    """A sandbox in memory, served over HTTP."""
    async with serving(record=conformance) as running:
        check_books_after_every_call(running, conformance)
        yield running
        conformance.books_of(running.app.world)
        conformance.events_of(running.app.world)


def check_books_after_every_call(running: Running, conformance: Recorder) -> None:
    """Have a call after which balances and holds do not add up fail its test."""

    def record(exchange: Exchange) -> None:
        conformance(exchange)
        conformance.books_of(running.app.world)

    running.app.interface.record = record


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Somebody who takes webhooks, and approves where asked."""
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def product(sandbox: Running, receiver: Receiver) -> Receiver:
    """The receiver, as the sandbox's real-time webhook."""
    await sandbox.set(
        authorization_webhook_url=receiver.url, authorization_webhook_secret=REAL_TIME_SECRET
    )
    return receiver

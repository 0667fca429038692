"""The product that many examples are played on, in an event loop that they drive step by step."""

import asyncio
import sys
import traceback
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TypeVar
from unittest.mock import patch

from tests.conformance.recorder import Recorder
from tests.postgres import PostgresServer
from tests.product import Product, running_product
from tests.soak.coverage import TABLES, Coverage
from tests.soak.desks import Office, open_office
from tests.soak.noting import watch
from tests.soak.worker import Crashes

Result = TypeVar("Result")
# Waits of the product's that would be most of the time an example takes.
LOOKED_AT_AGAIN_AFTER = "app.domain.issuing.settle.LOOK_AGAIN_AFTER"
CLOCK_IS_READ_EVERY = "app.adapters.clock.LOOK_EVERY_SECONDS"


class Unheard(Recorder):
    """Holds nothing to Stripe's schema: the other tests do, and it takes half of the time."""

    def __call__(self, exchange: object) -> None:
        pass

    def events_of(self, world: object) -> None:
        pass


class Stage:
    """Opens the product when it is first wanted, and anew after a violation has spoilt it."""

    def __init__(
        self,
        server: PostgresServer,
        template: str,
        mode: str,
        coverage: Coverage,
        workers: Callable[[], Crashes],
    ) -> None:
        self.server = server
        self.template = template
        self.mode = mode
        self.coverage = coverage
        self.customers = 0
        self.examples = 0
        self.violations = 0
        self.loop = asyncio.new_event_loop()
        self._stack: AsyncExitStack | None = None
        self._product: Product | None = None
        self._office: Office | None = None
        self.workers = workers
        self.worker = workers()

    @property
    def product(self) -> Product:
        if self._product is None:
            self._product = self.run(self._open())
        return self._product

    @property
    def office(self) -> Office:
        assert self.product
        assert self._office is not None
        return self._office

    def run(self, step: Awaitable[Result]) -> Result:
        return self.loop.run_until_complete(step)

    def discard(self) -> None:
        """Close the product, keeping what was seen; the next example gets another."""
        if self._product is not None:
            self.run(self._close())

    def close(self) -> None:
        self.discard()
        self.run(self.loop.shutdown_asyncgens())
        self.loop.close()

    def violated(self, error: BaseException) -> None:
        """Tell of the first violation at once: to make it shorter takes a while."""
        self.violations += 1
        if self.violations == 1 and isinstance(error, Exception):
            traceback.print_exception(error, file=sys.stderr)

    def next_customer(self) -> str:
        self.customers += 1
        return f"{self.customers}@example.com"

    async def _open(self) -> Product:
        async with AsyncExitStack() as stack:
            database = self.server.clone(self.template)
            stack.callback(self.server.drop, database)
            url, owner = self.server.app_url(database), self.server.owner_url(database)
            stack.enter_context(patch(CLOCK_IS_READ_EVERY, 0.1))
            stack.enter_context(patch(LOOKED_AT_AGAIN_AFTER, timedelta(seconds=3)))
            self.worker = self.workers()
            running = running_product(
                url, owner, Unheard(), self.worker.working, FUNDING_MODE=self.mode
            )
            product = await stack.enter_async_context(running)
            await watch(product, TABLES)
            self._office = await stack.enter_async_context(open_office(product))
            self._stack = stack.pop_all()
        return product

    async def _close(self) -> None:
        assert self._product is not None
        assert self._stack is not None
        product, self._product = self._product, None
        try:
            await self.coverage.take(product)
        finally:
            await self._stack.aclose()

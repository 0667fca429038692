"""Processes of ours that answer Stripe, and die where a case says so."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any

from app.domain.funding.charges import FundingProcessor
from app.domain.issuing.asking import Ask
from app.domain.issuing.assembling import House
from app.domain.issuing.authorize import Authorizer
from app.domain.issuing.decision_store import DecisionStore
from app.domain.issuing.stopwatch import Stopwatch
from app.failpoints import Place, on_reached, reached
from tests.simulation.virtual_time import VirtualClock, virtual_loop

Respond = Callable[[bool], None]


class Died(BaseException):
    """The process is gone, as with a power cut: nothing of the product may catch this."""


class Server:
    """One process: an authorizer of its own on the database that all share."""

    def __init__(
        self, store: DecisionStore, processor: FundingProcessor, dies_at: Place | None = None
    ) -> None:
        self.loop = virtual_loop()
        self.dies_at = dies_at
        self.has_died = False
        self.authorizer = Authorizer(
            store, processor, VirtualClock(self.loop), house=House("PROXYCARD"), cap=8
        )
        self.context = copy_context()
        self.context.run(on_reached.set, self._reached)
        self.tasks: set[asyncio.Task[None]] = set()
        self.deliveries: list[asyncio.Task[None]] = []
        self._start(self.authorizer.unrecorded.keep_recording())

    def deliver(self, ask: Ask, respond: Respond) -> None:
        """Ask; the answer goes to `respond`, unless the process dies before."""
        self.deliveries.append(self._start(self._answer(ask, respond)))

    async def answered(self) -> None:
        """Wait until every question has its answer, or never will have."""
        if self.deliveries:
            await asyncio.wait(self.deliveries)
        for delivery in self.deliveries:
            if not delivery.cancelled():
                delivery.result()

    def stop(self) -> None:
        for task in self.tasks - {asyncio.current_task()}:
            task.cancel()

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self.loop.create_task(work, context=self.context)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def _answer(self, ask: Ask, respond: Respond) -> None:
        try:
            reached(Place.VERIFIED)
            answer = await self.authorizer.answer(ask, Stopwatch(self.loop.time))
            respond(answer.approved)
            reached(Place.ANSWERED)
        except Died:
            return

    def _reached(self, place: Place) -> None:
        if place is self.dies_at:
            self.has_died = True
            self.stop()
            raise Died

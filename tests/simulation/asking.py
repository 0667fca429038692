"""Stripe's side of a question: it takes the first answer that comes in time, or its default."""

import asyncio

from app.domain.issuing.card_network import RequestFacts
from tests.simulation.cases import Default, Fate
from tests.simulation.stripe_world import Purchase
from tests.simulation.virtual_time import virtual_loop

# https://docs.stripe.com/issuing/controls/real-time-authorizations
WAITS_SECONDS = 2.0
ON_THE_WIRE_SECONDS = 0.05


class Question:
    """One request about a purchase, from asking to Stripe's own word on it."""

    def __init__(self, purchase: Purchase) -> None:
        self.purchase = purchase
        self.loop = virtual_loop()
        self.answer: asyncio.Future[bool] = self.loop.create_future()
        self.deciding = self.loop.create_task(self._decide())

    def respond(self, approved: bool) -> None:  # noqa: FBT001 - it is the answer itself
        self.loop.call_later(ON_THE_WIRE_SECONDS, self._arrives, approved)

    def respond_to_first(self, approved: bool) -> None:  # noqa: FBT001 - as above
        """Take the answer to the first delivery, which has its own fate."""
        match self.purchase.case.fate:
            case Fate.ARRIVES:
                self.respond(approved)
            case Fate.TOO_LATE:
                self.loop.call_later(WAITS_SECONDS, self._arrives, approved)
            case Fate.LOST:
                pass

    def _arrives(self, approved: bool) -> None:  # noqa: FBT001 - as above
        if not self.answer.done():
            self.answer.set_result(approved)

    async def _decide(self) -> None:
        try:
            async with asyncio.timeout(WAITS_SECONDS):
                approved = await self.answer
        except TimeoutError:
            approved = self.purchase.case.default is Default.APPROVE
            reason = "webhook_timeout"
        else:
            reason = "webhook_approved" if approved else "webhook_declined"
        self.purchase.word = RequestFacts(approved, reason, self.purchase.ask.amount_minor)

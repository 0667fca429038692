"""What the demo's story is played on: the product, the offline Stripe, and its clock."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import func, select

from app.domain.funding.sources import active_sources
from app.domain.identity.models import Customer
from app.domain.issuing.models import Card
from app.jobs.sweep import sweep
from app.parts import Parts
from app.webhooks.models import EventState, InboundEvent
from local_stack.demo_people import VISA
from local_stack.merchant import TRANSACTION_HELPERS, Controls, Merchants

MOST_EVENTS_WAITING = 40
"""The worker keeps up with the story: what it does is dated with the story's time."""
_LOOK_AGAIN_SECONDS = 0.05
_SHORTEST_STEP, _LONGEST_STEP = timedelta(seconds=1), timedelta(hours=12)


class Actor(msgspec.Struct):
    """A customer of the story with a card, and the card they have linked first."""

    customer: Customer
    card: Card
    linked: str


Act = Callable[["Stage"], Awaitable[None]]
Dated = tuple[datetime, Act]


class Stage:
    """Moves the time on, not beyond real time unless told so, and lets people act."""

    def __init__(self, parts: Parts, *, into_future: bool = False) -> None:
        self.into_future = into_future
        self.parts = parts
        self.merchants = Merchants(parts.stripe.other)
        self.controls = Controls(parts.settings.stripe_api_base)
        self.actors: dict[int, Actor] = {}
        self.later: list[tuple[datetime, Act]] = []

    @property
    def now(self) -> datetime:
        return self.parts.clock.now()

    def then(self, after: timedelta, act: Act) -> None:
        """Have something happen later."""
        self.later.append((self.now + after, act))

    async def move_to(self, moment: datetime) -> None:
        """Move the time on, once the worker has caught up, in steps that leave nothing behind.

        Holds are taken a day before they lapse, and debts tried on their day: in a story a day is
        over before the worker looks again.
        """
        latest = moment if self.into_future else min(moment, datetime.now(UTC))
        while (step := min(latest - self.now, _LONGEST_STEP)) >= _SHORTEST_STEP:
            await self.until_worked_off(MOST_EVENTS_WAITING)
            told = await self.controls.call(
                "POST", "clock", {"advance_seconds": int(step.total_seconds())}
            )
            self.parts.clock.offset = timedelta(seconds=told["offset_seconds"])
            real_now = datetime.now(UTC)
            await sweep(self.parts.sessions, self.parts.settler, now=self.now, real_now=real_now)

    async def until_worked_off(self, most: int = 0) -> None:
        """Wait until no more events than these wait for the worker."""
        waiting = select(func.count()).where(InboundEvent.state == EventState.RECEIVED)
        while True:
            async with self.parts.sessions() as session:
                if (await session.scalar(waiting) or 0) <= most:
                    return
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def actor(self, customer: Customer, card: Card) -> Actor:
        async with self.parts.sessions() as session:
            first, *_ = await active_sources(session, customer.id)
        return Actor(customer, card, first.stripe_payment_method_id)

    async def pay(
        self, who: Actor, amount_minor: int, name: str, category: str, **more: str
    ) -> dict[str, Any]:
        """Use a card at a merchant; give Stripe's authorization."""
        card = who.card.stripe_card_id
        return await self.merchants.pay(card, amount_minor, name, category, **more)

    async def behave(self, who: Actor, token: str = VISA) -> None:
        """Have the bank of a linked card behave from now on as that of a test card."""
        path = f"payment_methods/{who.linked}/behaves_like"
        await self.controls.call("POST", path, {"token": token})

    async def give_unasked(
        self, who: Actor, amount_minor: int, merchant: Mapping[str, str]
    ) -> None:
        """Give money to a card without saying for which purchase."""
        await self.merchants.client.raw_request_async(
            "post",
            f"{TRANSACTION_HELPERS}/create_unlinked_refund",
            card=who.card.stripe_card_id,
            amount=amount_minor,
            currency="usd",
            merchant_data=dict(merchant),
        )

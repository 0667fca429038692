"""Plays the demo's story: weeks of purchases in order of time, through the product, until now.

Time begins in the past and is moved on, for Stripe and the product alike, from hour to hour; so all
that is dated, and every cent in the books, is as it would be had the product run all along.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
import stripe
import structlog

from app.errors import AppError
from local_stack.demo_enrolling import enrolled, issued, linked_cards
from local_stack.demo_people import DemoCustomer
from local_stack.story_plan import (
    Ending,
    Planned,
    joins_at,
    ordinary_days,
    shoppers,
    spent_by,
    with_tip,
)
from local_stack.story_stage import Act, Actor, Dated, Stage

log = structlog.get_logger()

CUSTOMERS = 24
PER_DAY = 6.5
FLOAT_COVERS_DAYS = 1.6
"""How long the Issuing balance lasts in the end: less than FLOAT_COVER_DAYS asks for."""
_NOT_ORDINARY_MINOR = 150_000
"""What else is spent, on what happens once."""
_AT_ONCE = 4
_TOGETHER = timedelta(hours=1)

Told = Callable[[datetime], None]
"""Told how far the story has come."""


class Chapter(msgspec.Struct, frozen=True):
    """From when until when the story goes, and how many customers shop in it."""

    begin: datetime
    end: datetime
    customers: int = CUSTOMERS
    per_day: float = PER_DAY
    first: int = 0
    """The number of its first customer; those before are another chapter's."""

    def purchases(self) -> list[Planned]:
        return ordinary_days(
            self.begin, self.end, self.customers, per_day=self.per_day, first=self.first
        )

    def acts(self) -> list[Dated]:
        """Give what customers do on ordinary days."""
        people = enumerate(shoppers(self.customers, self.first), start=self.first)
        return [
            *((self._joins_at(who), partial(join, who=who, wanted=one)) for who, one in people),
            *((one.at, partial(buy, planned=one)) for one in self.purchases()),
        ]

    def _joins_at(self, who: int) -> datetime:
        return joins_at(who - self.first, self.customers, self.begin, self.end)


def opening_float_minor(chapter: Chapter) -> int:
    """Give what the Issuing balance must begin with so that little is left in the end."""
    spent = sum(spent_by(chapter.purchases(), chapter.end))
    days = max((chapter.end - chapter.begin) / timedelta(days=1), 1)
    return spent + _NOT_ORDINARY_MINOR + int(FLOAT_COVERS_DAYS * 1.6 * spent / days)


async def play(
    stage: Stage,
    acts: Sequence[Dated],
    end: datetime,
    told: Told,
    *,
    played: datetime | None = None,
) -> None:
    """Let everything happen at its time, until the end. What is past already has happened.

    `played`: the last that an interrupted run has told; what it did is not done again. Joining is
    done again, which finds who has joined.
    """
    done = stage.now if played is None else played + _TOGETHER
    stage.later = [one for one in acts if one[0] > done or _joins(one[1])]
    while stage.later:
        stage.later.sort(key=lambda one: one[0])
        moment = max(stage.later[0][0], stage.now)
        if moment > end:
            break
        await stage.move_to(moment)
        due = [act for at, act in stage.later if at <= moment + _TOGETHER]
        stage.later = [one for one in stage.later if one[0] > moment + _TOGETHER]
        await _together(stage, due)
        told(moment)
    await stage.move_to(end)
    await stage.until_worked_off()


def _joins(act: Act) -> bool:
    return isinstance(act, partial) and act.func is join


async def _together(stage: Stage, acts: Sequence[Act]) -> None:
    room = asyncio.Semaphore(_AT_ONCE)
    first = [act for act in acts if _joins(act)]
    rest = [act for act in acts if not _joins(act)]
    for some in (first, rest):
        await asyncio.gather(*(_quietly(stage, act, room) for act in some))


async def _quietly(stage: Stage, act: Act, room: asyncio.Semaphore) -> None:
    """Do it. What a product says no to is a story too, and one scene is not the whole of it."""
    async with room:
        try:
            await act(stage)
        except (AppError, stripe.StripeError) as error:
            log.warning("story_act_refused", error=type(error).__name__)


async def join(stage: Stage, *, who: int, wanted: DemoCustomer) -> None:
    """Enrol a customer, link what they have and open a virtual card; or find them."""
    customer = await enrolled(stage.parts, wanted.profile.person(stage.now))
    await linked_cards(stage.parts, customer, wanted.sources)
    card = await issued(stage.parts, customer, wanted.cards[0])
    stage.actors[who] = await stage.actor(customer, card)


async def buy(stage: Stage, *, planned: Planned) -> None:
    """Use a customer's card; its merchant takes the money, or does not, later."""
    who = stage.actors.get(planned.who)
    if who is None:
        return
    shop = planned.shop
    made = await stage.pay(
        who, planned.amount_minor, shop.name, shop.category, country=shop.country
    )
    if not made["approved"]:
        return
    if planned.ending is Ending.REVERSE:
        stage.then(planned.taken_after, partial(let_go, name=made["id"]))
        return
    taken = with_tip(planned.amount_minor) if planned.ending is Ending.TIP else None
    stage.then(
        planned.taken_after,
        partial(take, name=made["id"], planned=planned, minor=taken),
    )


async def take(stage: Stage, *, name: str, planned: Planned, minor: int | None) -> None:
    """Capture, and give back later what is to be given back."""
    amount = {} if minor is None else {"capture_amount": minor}
    made = await end(stage, name=name, action="capture", **amount)
    if planned.ending in (Ending.REFUND, Ending.PART_REFUND):
        part = planned.amount_minor // 3 if planned.ending is Ending.PART_REFUND else None
        transaction = made["transactions"][0]["id"]
        stage.then(planned.returned_after, partial(give_back, name=transaction, minor=part))


async def give_back(stage: Stage, *, name: str, minor: int | None) -> None:
    amount = {} if minor is None else {"refund_amount": minor}
    await stage.merchants.refund(name, **amount)


async def let_go(stage: Stage, *, name: str) -> None:
    await end(stage, name=name, action="reverse")


async def end(stage: Stage, *, name: str, action: str, **amount: int) -> dict[str, Any]:
    return await stage.merchants.then(name, action, **amount)


def actor_of(stage: Stage, number: int) -> Actor | None:
    """Give a customer of the story who has joined: that number, or round to it."""
    known = sorted(stage.actors)
    return stage.actors[known[number % len(known)]] if known else None

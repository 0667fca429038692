"""The demo's customers go on shopping, for as long as the offline Stripe's settings say so."""

import asyncio
import random
from datetime import timedelta

import aiohttp
import stripe
import structlog
from sqlalchemy import select

from app.domain.identity.models import Customer
from app.domain.identity.states import CustomerState
from app.domain.issuing.models import Card
from app.domain.issuing.states import CardState
from app.errors import AppError
from app.parts import Parts
from local_stack.story import buy
from local_stack.story_people import PEOPLE
from local_stack.story_plan import purchase
from local_stack.story_stage import Stage

log = structlog.get_logger()

_PAUSE_SECONDS = (45.0, 150.0)
_MOST_MINOR = 6_000
_FLOAT_AT_LEAST_MINOR, _TOP_UP_MINOR = 40_000, 60_000
"""Somebody looks after the Issuing balance, but never for long."""
_TAKEN_WITHIN = timedelta(minutes=6)
_LATER_SECONDS = 5.0
_BUSY = frozenset(one.profile.person_email for one in PEOPLE.values())
"""Those the story has left in a state that is worth looking at."""


async def go_shopping(parts: Parts, chance: random.Random | None = None) -> None:
    """Buy something every now and then, and take it a few minutes later. Does not end."""
    chance = chance or random.Random()  # noqa: S311  a story, not a secret
    stage = Stage(parts)
    next_at = stage.now
    while True:
        await asyncio.sleep(_LATER_SECONDS)
        try:
            if stage.now >= next_at:
                next_at = stage.now + timedelta(seconds=chance.uniform(*_PAUSE_SECONDS))
                if (await stage.controls.call("GET", "settings"))["shopping"]:
                    await keep_float(stage)
                    await buy_something(stage, chance)
            await _take_what_is_due(stage)
        except (AppError, stripe.StripeError, aiohttp.ClientError, OSError) as error:
            log.warning("shopping_interrupted", error=type(error).__name__)


async def buy_something(stage: Stage, chance: random.Random) -> None:
    """Have somebody who can buy something."""
    usable = (
        select(Customer, Card)
        .join(Card, Card.customer_id == Customer.id)
        .where(
            Customer.state == CustomerState.ACTIVE,
            Customer.in_debt_since.is_(None),
            Customer.email.not_in(_BUSY),
            Card.state == CardState.ACTIVE,
            Card.nickname == "Everyday",
        )
        .order_by(Customer.id)
    )
    async with stage.parts.sessions() as session:
        found = list((await session.execute(usable)).tuples())
    if not found:
        return
    customer, card = chance.choice(found)
    stage.actors[0] = await stage.actor(customer, card)
    planned = purchase(chance, stage.now, 0).of_at_most(_MOST_MINOR)
    soon = _TAKEN_WITHIN * chance.uniform(0.2, 1.0)
    await buy(stage, planned=planned.taken(soon))


async def keep_float(stage: Stage) -> None:
    """Put a little into the Issuing balance when hardly anything is left in it."""
    client = stage.merchants.client
    balance = (await client.raw_request_async("get", "/v1/balance")).data["issuing"]["available"]
    if sum(one["amount"] for one in balance if one["currency"] == "usd") < _FLOAT_AT_LEAST_MINOR:
        await client.raw_request_async(
            "post",
            "/v1/topups",
            amount=_TOP_UP_MINOR,
            currency="usd",
            destination_balance="issuing",
            description="Float",
        )
        await stage.controls.call("POST", "settings", {"topup_seconds": 0})


async def _take_what_is_due(stage: Stage) -> None:
    due = [act for at, act in stage.later if at <= stage.now]
    stage.later = [one for one in stage.later if one[0] > stage.now]
    for act in due:
        await act(stage)

"""Cards and customers that Stripe itself refuses in the story, and a rule that only watches."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import func, select

from app.domain.identity.audit import SYSTEM
from app.domain.identity.reasons import Reason
from app.domain.issuing.cards import CardControls
from app.domain.issuing.cards_moving import close_card
from app.domain.issuing.control_models import DecisionRule
from app.domain.issuing.customers_moving import change_exposure, freeze_customer
from app.domain.issuing.facts import Scope
from app.domain.issuing.mirror_models import MirrorOrder
from app.domain.issuing.rule_book import add_rule
from app.domain.issuing.rule_reading import Draft
from app.domain.issuing.rules import RuleMode, Velocity
from local_stack.demo_enrolling import issued
from local_stack.demo_people import Owned
from local_stack.story_people import IS_SHUT_OUT
from local_stack.story_stage import Act, Actor, Dated, Stage

WATCHED = "More than two in an hour, watched"
_WATCHED_DAYS = 12
_LOOK_AGAIN_SECONDS = 0.05
_MOST_LOOKS = 400
_SUSPECTED = Reason("fraud_suspected", "The same shop from three countries in an hour.")


def locked_out(now: datetime) -> Iterator[Dated]:
    """Give one customer's last week, which ends with everything of theirs shut."""
    acts: tuple[Act, ...] = (
        too_much_open,
        types_a_wrong_code,
        partial(with_another_card, closed=False),
        partial(with_another_card, closed=True),
        with_everything_frozen,
    )
    yield now - timedelta(days=_WATCHED_DAYS), watch
    begin = now - timedelta(days=5, hours=2)
    for number, act in enumerate(acts):
        yield begin + number * timedelta(hours=9), act
    yield now - timedelta(hours=3), asks_for_more_than_there_is


async def watch(stage: Stage) -> None:
    """Add a rule that refuses nothing, and records what it would have."""
    draft = Draft(
        condition=Velocity(Scope.CARD, minutes=60, purchases=2),
        name=WATCHED,
        note="Is it worth refusing them?",
        mode=RuleMode.SHADOW,
        effective_from=stage.now,
    )
    async with stage.parts.sessions.begin() as session:
        known = select(DecisionRule.id).where(DecisionRule.name == WATCHED)
        if await session.scalar(known) is None:
            await add_rule(session, draft, actor=SYSTEM, now=stage.now)


async def too_much_open(stage: Stage) -> None:
    """Be allowed very little for an hour."""
    who = stage.actors[IS_SHUT_OUT].customer
    for limit in (1_000, who.exposure_limit_minor):
        async with stage.parts.sessions.begin() as session:
            await change_exposure(session, who.id, limit, actor=SYSTEM, why=_SUSPECTED)
        if limit == 1_000:  # noqa: PLR2004  the first of the two
            await _buy(stage, stage.actors[IS_SHUT_OUT])


async def types_a_wrong_code(stage: Stage) -> None:
    card = stage.actors[IS_SHUT_OUT].card.stripe_card_id
    await stage.merchants.pay_with_wrong_code(card, 5_400, "Apple", "digital_goods_media")


async def with_another_card(stage: Stage, *, closed: bool) -> None:
    """Use a card that was good until now, or one that is closed."""
    who = stage.actors[IS_SHUT_OUT]
    name, until = ("Trips", None) if closed else ("Trial month", stage.now)
    owned = Owned(name, (), CardControls(active_until=until))
    card = await issued(stage.parts, who.customer, owned)
    if closed:
        async with stage.parts.sessions.begin() as session:
            await close_card(session, card.id, actor=SYSTEM, why=_SUSPECTED)
        await _until_stripe_knows(stage, card.id)
    await _buy(stage, Actor(who.customer, card, who.linked))


async def with_everything_frozen(stage: Stage) -> None:
    """Be frozen, and try once more; it stays so."""
    who = stage.actors[IS_SHUT_OUT]
    async with stage.parts.sessions.begin() as session:
        await freeze_customer(session, who.customer.id, actor=SYSTEM, why=_SUSPECTED)
    await _until_stripe_knows(stage, who.customer.id)
    await _buy(stage, who)


async def asks_for_more_than_there_is(stage: Stage) -> None:
    """Have somebody buy for a little more than the Issuing balance has."""
    left = await stage.merchants.issuing_balance()
    who = next(iter(stage.actors.values()))
    await stage.pay(who, left + 2_000, "Delta Air Lines", "airlines_air_carriers")


async def _buy(stage: Stage, who: Actor) -> None:
    await stage.pay(who, 4_650, "Everlane", "mens_womens_clothing_stores")


async def _until_stripe_knows(stage: Stage, what: UUID) -> None:
    """Wait until Stripe was told of a change, but not for ever."""
    waiting = select(func.count()).where(
        MirrorOrder.subject_id == what, MirrorOrder.sent_at.is_(None)
    )
    for _ in range(_MOST_LOOKS):
        async with stage.parts.sessions() as session:
            if not await session.scalar(waiting):
                return
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)

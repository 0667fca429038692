"""Makes the card that takes an old one's place: with its limits, its controls, its stops.

It comes to be when Stripe has made it, which the key of the order lets happen once.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.domain.identity.audit import SYSTEM, record
from app.domain.identity.models import Customer
from app.domain.issuing.card_network import CardNetwork, CardOrder, IssuedCard
from app.domain.issuing.control_models import DecisionRule
from app.domain.issuing.mirror_models import MirrorOrder
from app.domain.issuing.models import Card
from app.domain.issuing.states import CardState


class Replacement(msgspec.Struct, frozen=True):
    """What is wanted of a new card. `card`: our id of it. `reason`: in Stripe's words."""

    card: UUID
    reason: str
    daily_limit_minor: int
    monthly_limit_minor: int
    purchase_limit_minor: int | None
    frozen_by: str | None = None


async def make_replacement(
    sessions: Sessions, network: CardNetwork, asked: MirrorOrder, key: str
) -> None:
    """Have Stripe make the new card, and keep it. Doing it twice is as once."""
    wanted = msgspec.convert(asked.wanted, Replacement)
    async with sessions() as session:
        old = await session.get_one(Card, asked.subject_id)
        customer = await session.get_one(Customer, old.customer_id)
    assert customer.stripe_cardholder_id is not None
    order = CardOrder(
        key=key,
        cardholder=customer.stripe_cardholder_id,
        currency=old.currency,
        daily_limit_minor=wanted.daily_limit_minor,
        monthly_limit_minor=wanted.monthly_limit_minor,
        purchase_limit_minor=wanted.purchase_limit_minor,
        active=wanted.frozen_by is None,
        replacement_for=old.stripe_card_id,
        replacement_reason=wanted.reason,
    )
    issued = await network.create_card(order)
    async with sessions.begin() as session:
        await _keep(session, asked.subject_id, wanted, issued, asked.created_at)


async def replacement_of(session: AsyncSession, card_id: UUID) -> Card | None:
    """Give the card that took an old one's place, once it is made."""
    return await session.scalar(select(Card).where(Card.replaces_id == card_id))


async def _keep(
    session: AsyncSession, old_id: UUID, wanted: Replacement, issued: IssuedCard, asked_at: datetime
) -> None:
    old = await session.get_one(Card, old_id, with_for_update={"key_share": True})
    if await session.get(Card, wanted.card) is not None:
        return
    new = _copy(old, wanted, issued)
    session.add(new)
    await session.flush()
    record(session, SYSTEM, "card.issue", subject=new, after={"replaces": str(old.id)})
    for stop in await _stops(session, old.id, asked_at):
        session.add(_copied(stop, new.id))


def _copy(old: Card, wanted: Replacement, issued: IssuedCard) -> Card:
    return Card(
        id=wanted.card,
        replaces_id=old.id,
        customer_id=old.customer_id,
        stripe_card_id=issued.id,
        nickname=old.nickname,
        last4=issued.last4,
        exp_month=issued.exp_month,
        exp_year=issued.exp_year,
        currency=old.currency,
        state=CardState.FROZEN if wanted.frozen_by else CardState.ACTIVE,
        frozen_by=wanted.frozen_by,
        daily_limit_minor=wanted.daily_limit_minor,
        monthly_limit_minor=wanted.monthly_limit_minor,
        purchase_limit_minor=wanted.purchase_limit_minor,
        allowed_categories=list(old.allowed_categories),
        blocked_categories=list(old.blocked_categories),
        allowed_countries=list(old.allowed_countries),
        blocked_countries=list(old.blocked_countries),
        merchant_lock=old.merchant_lock,
        lock_to_first_merchant=old.lock_to_first_merchant,
        single_use=old.single_use,
        active_until=old.active_until,
        funding_source_id=old.funding_source_id,
    )


async def _stops(session: AsyncSession, card_id: UUID, at: datetime) -> Sequence[DecisionRule]:
    """Give the stops of a card that were in force when it was replaced, or begin later."""
    found = await session.scalars(
        select(DecisionRule).where(
            DecisionRule.kind == "stop",
            DecisionRule.condition["target"].astext == "card",
            DecisionRule.condition["value"].astext == str(card_id),
            or_(DecisionRule.effective_until.is_(None), DecisionRule.effective_until > at),
        )
    )
    return found.all()


def _copied(stop: DecisionRule, card_id: UUID) -> DecisionRule:
    return DecisionRule(
        kind=stop.kind,
        name=stop.name,
        mode=stop.mode,
        condition=stop.condition | {"value": str(card_id)},
        effective_from=stop.effective_from,
        effective_until=stop.effective_until,
        note=stop.note,
    )

"""A customer opens a card: so many a day, and once for a form however often it is sent."""

from contextlib import suppress
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.db import Sessions
from app.domain.identity.audit import Actor
from app.domain.identity.throttle import OPEN_CARD, count_attempt
from app.domain.issuing.card_network import CardNetwork
from app.domain.issuing.cards import CardControls, issue
from app.domain.issuing.cards_settings import check_limits, read_nickname
from app.domain.issuing.models import Card
from app.domain.issuing.own_cards import own_card


class Opening(msgspec.Struct, frozen=True):
    """The card that is wanted. `id` is the same when the form is sent twice."""

    id: UUID
    customer_id: UUID
    nickname: str
    controls: CardControls


async def open_card(
    sessions: Sessions, network: CardNetwork, wanted: Opening, *, actor: Actor, now: datetime
) -> Card:
    """Issue a card that a customer asks for. `now` is the real clock's.

    Raises UnusableNickname, UnusableLimits, TooManyAttempts, CustomerCannotHoldCards, and what
    Stripe's refusal or silence raises; the same form can be sent again then.
    """
    nickname = read_nickname(wanted.nickname)
    check_limits(wanted.controls)
    async with sessions.begin() as session:
        mark = func.hashtextextended(f"opening:{wanted.id}", 0)
        await session.execute(select(func.pg_advisory_xact_lock(mark)))
        known = await session.get(Card, wanted.id)
        if known is not None:
            return await own_card(session, wanted.customer_id, wanted.id)
        await count_attempt(session, OPEN_CARD, str(wanted.customer_id), actor.address or "", now)
    # Sent twice at once, both are given the same card by Stripe, and one of them keeps it first.
    with suppress(IntegrityError):
        return await issue(
            *(sessions, network, wanted.customer_id, nickname, wanted.controls),
            actor=actor,
            card_id=wanted.id,
        )
    async with sessions() as session:
        return await own_card(session, wanted.customer_id, wanted.id)

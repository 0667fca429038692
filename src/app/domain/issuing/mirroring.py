"""Keeps Stripe's cards and cardholders as ours are: the second wall against a card that is stopped.

What is to be told is recorded, and queued, in the transaction of the change. It is told afterwards,
with the order's id as the key: an order that is sent twice is one change at Stripe.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db import Sessions
from app.domain.identity.models import Customer
from app.domain.identity.states import CustomerState
from app.domain.issuing.card_network import CardsAtStripe, CardWish
from app.domain.issuing.mirror_models import MirrorKind, MirrorOrder
from app.domain.issuing.models import Card
from app.domain.issuing.replacing import make_replacement
from app.domain.issuing.states import CardState
from app.errors import AppError
from app.queue import enqueue

log = structlog.get_logger()

TELL_STRIPE = "tell_stripe"
"""The job that sends an order."""
MOST_ATTEMPTS = 12
QUEUED_WITHIN = timedelta(seconds=1)
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)
AT_ONCE = 50
LONGEST_FAILURE = 300
STATUS = {
    CardState.INACTIVE: "inactive",
    CardState.ACTIVE: "active",
    CardState.FROZEN: "inactive",
    CardState.CLOSED: "canceled",
}
"""Our states in Stripe's words: https://docs.stripe.com/api/issuing/cards/object, `status`"""


class OrderNotFound(AppError, status=404):
    """No order to Stripe has this id."""


class SentBefore(AppError, status=409):
    """Stripe has this order already."""


async def mirror_card(session: AsyncSession, card: Card, *, lost: bool = False) -> MirrorOrder:
    """Have Stripe told a card's state and limits as they are in this transaction."""
    wish = CardWish(
        status=STATUS[card.state],
        daily_limit_minor=card.daily_limit_minor,
        monthly_limit_minor=card.monthly_limit_minor,
        purchase_limit_minor=card.purchase_limit_minor,
        lost=lost and card.state is CardState.CLOSED,
    )
    return await order(session, MirrorKind.CARD, card.id, msgspec.to_builtins(wish))


async def mirror_cardholder(session: AsyncSession, customer: Customer) -> MirrorOrder | None:
    """Have Stripe told whether a customer's cards may buy at all; None without a cardholder."""
    if customer.stripe_cardholder_id is None:
        return None
    active = customer.state is CustomerState.ACTIVE
    return await order(session, MirrorKind.CARDHOLDER, customer.id, {"active": active})


async def order(
    session: AsyncSession,
    kind: MirrorKind,
    subject_id: UUID,
    wanted: dict[str, Any],
    *,
    delay: timedelta = timedelta(0),
) -> MirrorOrder:
    """Record an order, and queue the job that sends it, in the session's transaction."""
    made = MirrorOrder(
        id=uuid7(),
        kind=kind,
        subject_id=subject_id,
        wanted=wanted,
        next_at=datetime.now(UTC) + delay + QUEUED_WITHIN,
    )
    session.add(made)
    await session.flush()
    await _queue(session, made, delay)
    return made


class Mirror:
    """Sends orders to Stripe."""

    def __init__(self, sessions: Sessions, network: CardsAtStripe) -> None:
        self.sessions = sessions
        self.network = network

    async def send(self, order_id: UUID) -> None:
        """Send what is wanted last of an order's subject, and keep how it went. Never raises.

        What is ordered while one is being sent has no job of its own: it is sent here, too.
        """
        while True:
            async with self.sessions() as session:
                newest = await _newest(session, order_id)
            if newest is None or newest.sent_at is not None:
                return
            try:
                await self._tell(newest)
            except Exception as error:
                log.exception("stripe_not_told", order=str(newest.id))
                await self._failed(newest.id, error)
                return

    async def _tell(self, newest: MirrorOrder) -> None:
        key = f"mirror:{newest.id}"
        match newest.kind:
            case MirrorKind.CARD:
                async with self.sessions() as session:
                    card = await session.get_one(Card, newest.subject_id)
                wish = msgspec.convert(newest.wanted, CardWish)
                await self.network.change_card(key, card.stripe_card_id, wish)
            case MirrorKind.CARDHOLDER:
                async with self.sessions() as session:
                    customer = await session.get_one(Customer, newest.subject_id)
                assert customer.stripe_cardholder_id is not None
                await self.network.change_cardholder(
                    key, customer.stripe_cardholder_id, active=newest.wanted["active"]
                )
            case MirrorKind.REPLACEMENT:
                await make_replacement(self.sessions, self.network, newest, key)
        await self._sent(newest)

    async def _sent(self, newest: MirrorOrder) -> None:
        """Note it, with those before it. Where a newer one was sent meanwhile, send that again."""
        async with self.sessions.begin() as session:
            await session.execute(
                update(MirrorOrder)
                .where(
                    MirrorOrder.kind == newest.kind,
                    MirrorOrder.subject_id == newest.subject_id,
                    MirrorOrder.id <= newest.id,
                    MirrorOrder.sent_at.is_(None),
                )
                .values(sent_at=func.now(), failure=None, next_at=None)
            )
            overtaken_by = await session.scalar(
                select(MirrorOrder)
                .where(
                    MirrorOrder.kind == newest.kind,
                    MirrorOrder.subject_id == newest.subject_id,
                    MirrorOrder.id > newest.id,
                    MirrorOrder.sent_at.is_not(None),
                )
                .order_by(MirrorOrder.id.desc())
                .limit(1)
            )
            if overtaken_by is not None:
                await order(session, newest.kind, newest.subject_id, overtaken_by.wanted)

    async def _failed(self, order_id: UUID, error: Exception) -> None:
        async with self.sessions.begin() as session:
            one = await session.get_one(MirrorOrder, order_id, with_for_update=True)
            one.attempts += 1
            one.failure = f"{type(error).__name__}: {error}"[:LONGEST_FAILURE]
            pause = min(FIRST_PAUSE * 2 ** min(one.attempts, 20), LONGEST_PAUSE)
            one.next_at = datetime.now(UTC) + pause if one.attempts < MOST_ATTEMPTS else None


async def requeue_orders(sessions: Sessions, now: datetime) -> int:
    """Queue every order whose time has come and that has no job. Give how many there were."""
    async with sessions.begin() as session:
        due = await session.scalars(
            select(MirrorOrder)
            .where(MirrorOrder.sent_at.is_(None), MirrorOrder.next_at <= now)
            .order_by(MirrorOrder.next_at)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        found = due.all()
        for one in found:
            one.next_at = now + FIRST_PAUSE * 2 ** min(one.attempts, 9)
            await _queue(session, one, timedelta(0))
    return len(found)


async def send_again(session: AsyncSession, order_id: UUID) -> MirrorOrder:
    """Have an order sent that is not tried by itself any more. Raises OrderNotFound, SentBefore."""
    one = await session.get(MirrorOrder, order_id, with_for_update=True)
    if one is None:
        raise OrderNotFound("No order to Stripe has this id.")
    if one.sent_at is not None:
        raise SentBefore("Stripe has this order already.")
    one.attempts, one.next_at = 0, datetime.now(UTC) + FIRST_PAUSE
    await _queue(session, one, timedelta(0))
    return one


async def _newest(session: AsyncSession, order_id: UUID) -> MirrorOrder | None:
    one = await session.get(MirrorOrder, order_id)
    if one is None:
        return None
    return await session.scalar(
        select(MirrorOrder)
        .where(MirrorOrder.kind == one.kind, MirrorOrder.subject_id == one.subject_id)
        .order_by(MirrorOrder.id.desc())
        .limit(1)
    )


async def _queue(session: AsyncSession, one: MirrorOrder, delay: timedelta) -> None:
    """Queue the job. One at a time for one thing: a change never overtakes the one before it."""
    key = f"{one.kind}:{one.subject_id}"
    await enqueue(session, TELL_STRIPE, {"order": str(one.id)}, key=key, delay=delay)

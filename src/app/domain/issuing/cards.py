"""Virtual cards: issued at Stripe with our limits mirrored there, and kept with all controls."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db import Sessions
from app.domain.funding.sources import SavedCard
from app.domain.identity.audit import Actor, record
from app.domain.identity.models import Customer
from app.domain.identity.states import CustomerState
from app.domain.issuing.card_network import CardNetwork, CardOrder
from app.domain.issuing.models import DAILY_LIMIT_MINOR, MONTHLY_LIMIT_MINOR, Card
from app.domain.issuing.states import CardState
from app.errors import AppError


class CustomerCannotHoldCards(AppError, status=409):
    """The customer is not active, or has no cardholder at Stripe yet."""


class CardControls(msgspec.Struct, frozen=True):
    """What a card's purchases must pass. Limits in minor units; empty lists allow everything."""

    daily_limit_minor: int = DAILY_LIMIT_MINOR
    monthly_limit_minor: int = MONTHLY_LIMIT_MINOR
    purchase_limit_minor: int | None = None
    allowed_categories: list[str] = []
    blocked_categories: list[str] = []
    allowed_countries: list[str] = []
    blocked_countries: list[str] = []
    merchant_lock: str | None = None
    lock_to_first_merchant: bool = False
    single_use: bool = False
    active_until: datetime | None = None
    funding_source_id: UUID | None = None


class IssuedCards:
    """Recognizes our own cards among those that customers link.

    Stripe gives a linked card's last four digits and expiry, and no number to compare. Among the
    few cards of one customer that is enough; a loop over two customers ends at its first purchase,
    which the decision refuses by our own descriptor.
    """

    async def holds(self, session: AsyncSession, customer_id: UUID, saved: SavedCard) -> bool:
        found = await session.scalar(
            select(Card.id)
            .where(
                Card.customer_id == customer_id,
                Card.last4 == saved.last4,
                Card.exp_month == saved.exp_month,
                Card.exp_year == saved.exp_year,
            )
            .limit(1)
        )
        return found is not None


async def issue(
    sessions: Sessions,
    network: CardNetwork,
    customer_id: UUID,
    nickname: str,
    controls: CardControls,
    *,
    actor: Actor,
    card_id: UUID | None = None,
) -> Card:
    """Issue a virtual card; with the same `card_id` again Stripe gives the same one.

    Raises CustomerCannotHoldCards.
    """
    async with sessions() as session:
        customer = await session.get_one(Customer, customer_id)
    if customer.state is not CustomerState.ACTIVE or customer.stripe_cardholder_id is None:
        raise CustomerCannotHoldCards("the customer cannot hold cards yet")
    card_id = card_id or uuid7()
    issued = await network.create_card(_order(card_id, customer, controls))
    async with sessions.begin() as session:
        card = Card(
            id=card_id,
            customer_id=customer_id,
            stripe_card_id=issued.id,
            nickname=nickname,
            last4=issued.last4,
            exp_month=issued.exp_month,
            exp_year=issued.exp_year,
            currency=customer.currency,
            state=CardState.ACTIVE if issued.status == "active" else CardState.INACTIVE,
            **msgspec.structs.asdict(controls),
        )
        session.add(card)
        await session.flush()
        record(session, actor, "card.issue", subject=card)
    return card


def _order(card_id: UUID, customer: Customer, controls: CardControls) -> CardOrder:
    assert customer.stripe_cardholder_id is not None
    return CardOrder(
        key=f"card:{card_id}",
        cardholder=customer.stripe_cardholder_id,
        currency=customer.currency,
        daily_limit_minor=controls.daily_limit_minor,
        monthly_limit_minor=controls.monthly_limit_minor,
        purchase_limit_minor=controls.purchase_limit_minor,
    )

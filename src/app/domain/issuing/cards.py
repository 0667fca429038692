"""Virtual cards: issued at Stripe with our limits mirrored there, and kept with all controls."""

from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from app.db import Sessions
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
    single_use: bool = False


async def issue(
    sessions: Sessions,
    network: CardNetwork,
    customer_id: UUID,
    nickname: str,
    controls: CardControls,
    *,
    actor: Actor,
) -> Card:
    """Issue a virtual card. Raises CustomerCannotHoldCards."""
    async with sessions() as session:
        customer = await session.get_one(Customer, customer_id)
    if customer.state is not CustomerState.ACTIVE or customer.stripe_cardholder_id is None:
        raise CustomerCannotHoldCards("the customer cannot hold cards yet")
    card_id = uuid7()
    order = CardOrder(
        key=f"card:{card_id}",
        cardholder=customer.stripe_cardholder_id,
        currency=customer.currency,
        daily_limit_minor=controls.daily_limit_minor,
        monthly_limit_minor=controls.monthly_limit_minor,
        purchase_limit_minor=controls.purchase_limit_minor,
    )
    issued = await network.create_card(order)
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


async def move_card(
    sessions: Sessions, card_id: UUID, state: CardState, actor: Actor, reason: str
) -> Card:
    """Freeze, unfreeze or close a card. It obeys at the next question; a running one is finished.

    The decision locks the customer, so this does too: whoever comes second sees the other's work.
    """
    async with sessions.begin() as session:
        card = await session.get_one(Card, card_id)
        await session.get_one(Customer, card.customer_id, with_for_update={"key_share": True})
        before = card.state
        card.move_to(state)
        record(
            session,
            actor,
            f"card.{state}",
            subject=card,
            before={"state": before},
            after={"state": state},
            reason=reason,
        )
    return card

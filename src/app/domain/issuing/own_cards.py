"""The virtual cards of one customer; those of others are as good as none."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.issuing.cards_access import CardNotFound
from app.domain.issuing.merchant_names import tidy_name
from app.domain.issuing.models import Authorization, AuthorizationRequest, Card
from app.domain.issuing.states import CardState

MERCHANTS_AMONG, MOST_MERCHANTS = 50, 6
"""So many of the latest purchases are looked at, and so many merchants of them are given."""


async def own_card(session: AsyncSession, customer_id: UUID, card_id: UUID) -> Card:
    """Give a card of this customer. Raises CardNotFound, for others' cards as well."""
    card = await session.get(Card, card_id)
    if card is None or card.customer_id != customer_id:
        raise CardNotFound("You have no such card.")
    return card


async def has_cards(session: AsyncSession, customer_id: UUID) -> bool:
    """Tell whether a customer has ever had a card, closed ones included."""
    found = await session.scalar(select(Card.id).where(Card.customer_id == customer_id).limit(1))
    return found is not None


async def all_cards(session: AsyncSession, customer_id: UUID) -> list[Card]:
    """List a customer's cards: the usable ones, the frozen, the closed; the newest first."""
    found = await session.scalars(
        select(Card)
        .where(Card.customer_id == customer_id)
        .order_by(Card.created_at.desc(), Card.id.desc())
    )
    rank = {CardState.ACTIVE: 0, CardState.INACTIVE: 1, CardState.FROZEN: 1, CardState.CLOSED: 2}
    return sorted(found, key=lambda card: rank[card.state])


async def merchants_of(session: AsyncSession, card_id: UUID) -> dict[str, str]:
    """Give the merchants a card was used at of late: their names by the network's id of them."""
    network, name = Authorization.merchant_network_id, Authorization.merchant_name
    found = await session.execute(
        select(network, name)
        .where(Authorization.card_id == card_id, network.is_not(None))
        .order_by(Authorization.created_at.desc())
        .limit(MERCHANTS_AMONG)
    )
    named: dict[str, str] = {}
    for network_id, its_name in found:
        if network_id and len(named) < MOST_MERCHANTS:
            named.setdefault(network_id, tidy_name(its_name))
    return named


class Used(msgspec.Struct, frozen=True):
    """What of a card's limits is used up, in minor units. Days and months are UTC's."""

    day_minor: int
    month_minor: int


async def used_of(session: AsyncSession, card_id: UUID, now: datetime) -> Used:
    """Add up what was approved on a card today and this month. `now` is business time."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    at, reserved = AuthorizationRequest.requested_at, AuthorizationRequest.reserved_minor
    found = await session.execute(
        select(
            func.coalesce(func.sum(reserved).filter(at >= day), 0),
            func.coalesce(func.sum(reserved), 0),
        ).where(AuthorizationRequest.card_id == card_id, at >= day.replace(day=1))
    )
    today, month = found.one()
    return Used(int(today), int(month))

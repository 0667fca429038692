"""Whose a card is, and the lock that a change of it needs."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.identity.audit import Actor
from app.domain.identity.models import Customer
from app.domain.issuing.models import Card
from app.domain.marks import check_mark
from app.errors import AppError

CUSTOMER = "customer"
"""The kind of actor that may change its own cards only."""


class CardNotFound(AppError, status=404):
    """No card has this id, or it is another customer's."""


async def card_to_change(
    session: AsyncSession, card_id: UUID, actor: Actor, seen: str | None = None
) -> Card:
    """Give a card, locked against decisions and other changes. Raises CardNotFound and MovedOn.

    The decision locks the customer, so this does too: whoever comes second sees the other's work.
    """
    card = await session.get(Card, card_id)
    if card is None or (actor.kind == CUSTOMER and card.customer_id != actor.id):
        raise CardNotFound("No card has this id.")
    await session.get_one(Customer, card.customer_id, with_for_update={"key_share": True})
    await session.refresh(card)
    check_mark(seen, card)
    return card

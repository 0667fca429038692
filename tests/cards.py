"""Cards that change their state, as staff or we ourselves change it."""

from app.domain.identity.audit import SYSTEM, Actor
from app.domain.issuing.cards_access import card_to_change
from app.domain.issuing.cards_moving import move
from app.domain.issuing.models import Card
from app.domain.issuing.states import CardState
from tests.product import Product
from tests.waiting import until


async def move_card(
    product: Product, card: Card, state: CardState, *, actor: Actor = SYSTEM
) -> None:
    """Bring a card to a state, and wait until Stripe has been told."""
    async with product.parts.sessions.begin() as session:
        found = await card_to_change(session, card.id, actor)
        await move(session, found, state, actor=actor)
    await until_told(product)


async def until_told(product: Product) -> None:
    """Wait until Stripe has been told all that it is to be told about cards and cardholders."""
    waiting = "SELECT 1 FROM mirror_order WHERE sent_at IS NULL"

    async def told() -> bool:
        return not await product.rows(waiting)

    await until(told, why="Stripe is told about cards")

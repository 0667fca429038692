"""Freezing, unfreezing and closing a card, by its customer, by staff, or by ourselves.

A card obeys at the next question; a question that is being answered is finished. Stripe is told
afterwards. What merchants were promised before still comes: no state of a card stops a capture.
"""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.identity.audit import Actor, record
from app.domain.identity.reasons import Reason
from app.domain.issuing.cards_access import CUSTOMER, card_to_change
from app.domain.issuing.mirroring import mirror_card
from app.domain.issuing.models import Card
from app.domain.issuing.states import CardState
from app.domain.states import IllegalMove
from app.errors import AppError

LOST = "card_lost_or_stolen"


class NotYoursToUnfreeze(AppError, status=409):
    """Staff froze the card, or we did: its customer cannot unfreeze it."""


async def freeze_card(
    session: AsyncSession,
    card_id: UUID,
    *,
    actor: Actor,
    why: Reason | None = None,
    seen: str | None = None,
) -> Card:
    """Freeze a card, in the session's transaction. Raises CardNotFound, MovedOn, IllegalMove.

    A card that its customer froze becomes one that staff froze, so that only staff unfreeze it.
    """
    card = await card_to_change(session, card_id, actor, seen)
    again = card.state is CardState.FROZEN
    if again and (actor.kind == CUSTOMER or card.frozen_by != CUSTOMER):
        raise IllegalMove("the card is frozen already")
    await move(session, card, CardState.FROZEN, actor=actor, why=why)
    return card


async def unfreeze_card(
    session: AsyncSession,
    card_id: UUID,
    *,
    actor: Actor,
    why: Reason | None = None,
    seen: str | None = None,
) -> Card:
    """Let a card buy that is frozen, or that Stripe issued inactive.

    Raises NotYoursToUnfreeze, and what `freeze_card` raises.
    """
    card = await card_to_change(session, card_id, actor, seen)
    frozen = card.state is CardState.FROZEN
    if not frozen and card.state is not CardState.INACTIVE:
        raise IllegalMove(f"the card is {card.state}, not frozen")
    if frozen and actor.kind == CUSTOMER and card.frozen_by != CUSTOMER:
        raise NotYoursToUnfreeze("We froze this card: write to support about it.")
    await move(session, card, CardState.ACTIVE, actor=actor, why=why)
    return card


async def close_card(
    session: AsyncSession,
    card_id: UUID,
    *,
    actor: Actor,
    why: Reason | None = None,
    seen: str | None = None,
) -> Card:
    """Close a card for good. Raises what `freeze_card` raises."""
    card = await card_to_change(session, card_id, actor, seen)
    if card.state is CardState.CLOSED:
        raise IllegalMove("the card is closed already")
    await move(session, card, CardState.CLOSED, actor=actor, why=why)
    return card


async def move(
    session: AsyncSession, card: Card, state: CardState, *, actor: Actor, why: Reason | None = None
) -> None:
    """Bring a locked card to a state, in the books of who did what, and have Stripe told."""
    before = {"state": card.state, "frozen_by": card.frozen_by}
    activated = card.state is CardState.INACTIVE and state is CardState.ACTIVE
    card.move_to(state)
    card.frozen_by = actor.kind if state is CardState.FROZEN else None
    record(
        session,
        actor,
        "card.activate" if activated else f"card.{_VERBS[state]}",
        subject=card,
        before=before,
        after={"state": card.state, "frozen_by": card.frozen_by},
        reason_code=why.code if why else None,
        reason=why.note if why else None,
    )
    if before["state"] is not card.state:
        await mirror_card(session, card, lost=why is not None and why.code == LOST)


_VERBS = {
    CardState.INACTIVE: "deactivate",
    CardState.ACTIVE: "unfreeze",
    CardState.FROZEN: "freeze",
    CardState.CLOSED: "close",
}

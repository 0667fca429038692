"""Replacing a card: the old one is closed at once, and a new one is ordered with all it carried."""

from datetime import timedelta
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.domain.identity.audit import Actor, record
from app.domain.identity.models import Customer
from app.domain.identity.reasons import Reason
from app.domain.identity.states import CustomerState
from app.domain.issuing.cards import CustomerCannotHoldCards
from app.domain.issuing.cards_access import CUSTOMER, card_to_change
from app.domain.issuing.cards_moving import LOST, move
from app.domain.issuing.mirror_models import MirrorKind, MirrorOrder
from app.domain.issuing.mirroring import order
from app.domain.issuing.replacing import Replacement
from app.domain.issuing.states import CardState
from app.domain.states import IllegalMove

TIME_TO_SEND_AT_ONCE = timedelta(seconds=5)
"""Whoever asks for a new card sends the order themselves; the job waits so long, for a crash."""
STOLEN = "fraud_suspected"


async def replace_card(
    session: AsyncSession,
    card_id: UUID,
    *,
    actor: Actor,
    why: Reason | None = None,
    seen: str | None = None,
) -> MirrorOrder:
    """Close a card and order a new one like it, in the session's transaction.

    The order's `wanted["card"]` is the id that the new card gets. After the commit call
    `Mirror.send(order.id)`, so that it is there at once; when that fails, the worker goes on.
    Raises CardNotFound, MovedOn, CustomerCannotHoldCards, and IllegalMove for a closed card.
    """
    card = await card_to_change(session, card_id, actor, seen)
    if card.state is CardState.CLOSED:
        raise IllegalMove("the card is closed already: open a new one")
    customer = await session.get_one(Customer, card.customer_id)
    if customer.state is not CustomerState.ACTIVE or customer.stripe_cardholder_id is None:
        raise CustomerCannotHoldCards("The customer cannot hold cards at the moment.")
    # What staff or we ourselves froze stays frozen under its new number.
    held = card.state is CardState.FROZEN and card.frozen_by != CUSTOMER
    wanted = Replacement(
        card=uuid7(),
        reason=_reason(why),
        daily_limit_minor=card.daily_limit_minor,
        monthly_limit_minor=card.monthly_limit_minor,
        purchase_limit_minor=card.purchase_limit_minor,
        frozen_by=card.frozen_by if held else None,
    )
    await move(session, card, CardState.CLOSED, actor=actor, why=why)
    record(session, actor, "card.replace", subject=card, after={"new_card": str(wanted.card)})
    return await order(
        session,
        MirrorKind.REPLACEMENT,
        card.id,
        msgspec.to_builtins(wanted),
        delay=TIME_TO_SEND_AT_ONCE,
    )


def _reason(why: Reason | None) -> str:
    """Give why a card is replaced in Stripe's words.

    Source: https://docs.stripe.com/api/issuing/cards/create, `replacement_reason`
    """
    return {LOST: "lost", STOLEN: "stolen"}.get(why.code if why else "", "damaged")

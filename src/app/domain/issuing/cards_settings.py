"""A card's name, limits and controls, changed by its customer or by staff."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from app.card_numbers import holds_card_number
from app.domain.identity.audit import Actor, record
from app.domain.identity.reasons import Reason
from app.domain.issuing.cards import CardControls
from app.domain.issuing.cards_access import card_to_change
from app.domain.issuing.mirroring import mirror_card
from app.domain.issuing.models import Card
from app.domain.issuing.states import CardState
from app.domain.states import IllegalMove
from app.errors import AppError
from app.money import readable

LONGEST_NICKNAME = 40
MOST_A_PURCHASE_MINOR = 1_000_000
"""Stripe lets no purchase above 10,000.00 through, whatever a card's limits say.

Source: https://docs.stripe.com/issuing/controls/spending-controls
"""
MOST_A_DAY_MINOR = 1_000_000
MOST_A_MONTH_MINOR = 5_000_000


class UnusableLimits(AppError, status=422):
    """A limit is below zero, above its maximum, or above the one it is part of.

    The message begins with the name of the field: `daily`, `monthly` or `purchase`.
    """


class UnusableNickname(AppError, status=422):
    """A card's name is empty, too long, or cannot be printed."""


async def rename_card(session: AsyncSession, card_id: UUID, nickname: str, *, actor: Actor) -> Card:
    """Give a card another name. Raises CardNotFound and UnusableNickname."""
    name = read_nickname(nickname)
    card = await card_to_change(session, card_id, actor)
    before = {"nickname": card.nickname}
    card.nickname = name
    after = {"nickname": name}
    record(session, actor, "card.rename", subject=card, before=before, after=after)
    return card


async def change_controls(
    session: AsyncSession,
    card_id: UUID,
    controls: CardControls,
    *,
    actor: Actor,
    why: Reason | None = None,
    seen: str | None = None,
) -> Card:
    """Put other limits and controls on a card; the next purchase obeys them.

    Raises CardNotFound, MovedOn, UnusableLimits, and IllegalMove for a closed card.
    """
    check_limits(controls)
    card = await card_to_change(session, card_id, actor, seen)
    if card.state is CardState.CLOSED:
        raise IllegalMove("the card is closed: its limits cannot change any more")
    before, after = _changed(card, controls)
    if not after:
        return card
    for name in after:
        setattr(card, name, getattr(controls, name))
    record(
        session,
        actor,
        "card.limits",
        subject=card,
        before=before,
        after=after,
        reason_code=why.code if why else None,
        reason=why.note if why else None,
    )
    await session.flush()
    await mirror_card(session, card)
    return card


def controls_of(card: Card) -> CardControls:
    """Give a card's limits and controls."""
    names = CardControls.__struct_fields__
    return CardControls(**{name: getattr(card, name) for name in names})


def check_limits(controls: CardControls) -> None:
    """Raise UnusableLimits, naming the field that is wrong."""
    asked = {
        "purchase": (controls.purchase_limit_minor or 0, MOST_A_PURCHASE_MINOR),
        "daily": (controls.daily_limit_minor, MOST_A_DAY_MINOR),
        "monthly": (controls.monthly_limit_minor, MOST_A_MONTH_MINOR),
    }
    for name, (limit, most) in asked.items():
        if not 0 <= limit <= most:
            raise UnusableLimits(f"{name}: a limit is from 0.00 to {readable(most)}.")
    if controls.daily_limit_minor > controls.monthly_limit_minor:
        raise UnusableLimits("daily: the limit of a day is not above that of a month.")


def read_nickname(typed: str) -> str:
    """Read a card's name. Raises UnusableNickname."""
    name = " ".join(typed.split())
    if not name or len(name) > LONGEST_NICKNAME:
        raise UnusableNickname(f"A card's name has 1 to {LONGEST_NICKNAME} characters.")
    if not name.isprintable():
        raise UnusableNickname("One of these characters cannot be seen. Type the name anew.")
    if holds_card_number(name):
        raise UnusableNickname("This looks like a card's number. Choose a name instead.")
    return name


def _changed(card: Card, controls: CardControls) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the controls that differ, as they were and as they shall be, in words that JSON has."""
    before, after = msgspec.to_builtins(controls_of(card)), msgspec.to_builtins(controls)
    names = [name for name in after if before[name] != after[name]]
    return {name: before[name] for name in names}, {name: after[name] for name in names}

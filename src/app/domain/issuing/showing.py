"""Showing a card's number: to its customer only, so many times an hour, recorded and told by mail.

The number itself is shown by Stripe inside the browser; what we give is the key that opens the one
card for a quarter of an hour, together with the secret that only that browser has.
Source: https://docs.stripe.com/issuing/elements
"""

import re
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.domain.identity.audit import Actor, record
from app.domain.identity.audit_models import AuditEntry
from app.domain.identity.throttle import SHOW_CARD, count_attempt
from app.domain.identity.writing_to import write_to
from app.domain.issuing.models import Card
from app.domain.issuing.own_cards import own_card
from app.domain.issuing.states import CardState
from app.domain.mailing.models import MailKind
from app.domain.mailing.outbox import Letter
from app.errors import AppError

_NONCE = re.compile(r"[A-Za-z0-9_-]{1,255}")


class CannotShow(AppError, status=409):
    """The card is closed, or what the browser sent is no nonce."""


class CardKeys(Protocol):
    """What makes the key that opens one card for one browser."""

    async def card_key(self, stripe_card_id: str, nonce: str) -> str:
        """Give the key's secret. Raises CannotShow for a nonce that opens nothing any more."""


class Shown(msgspec.Struct, frozen=True):
    """How often a card was shown, and when last."""

    times: int
    last: datetime | None


async def show_card(
    sessions: Sessions,
    keys: CardKeys,
    card: tuple[UUID, UUID],
    nonce: str,
    *,
    actor: Actor,
    now: datetime,
) -> str:
    """Give the key that shows a card of a customer, both named by id; note it and write of it.

    It is noted first: whatever becomes of the key, somebody asked for it. `now` is the real
    clock's. Raises CardNotFound, CannotShow and TooManyAttempts.
    """
    customer_id, card_id = card
    if not _NONCE.fullmatch(nonce):
        raise CannotShow("Your browser did not say which window is to show it. Reload the page.")
    async with sessions.begin() as session:
        shown = await own_card(session, customer_id, card_id)
        if shown.state is CardState.CLOSED:
            raise CannotShow("This card is closed, and its number is worth nothing any more.")
        await count_attempt(session, SHOW_CARD, str(customer_id), actor.address or "", now)
        record(session, actor, "card.show", subject=shown)
        await write_to(session, customer_id, _letter(shown, actor.address or "", now))
    return await keys.card_key(shown.stripe_card_id, nonce)


async def shown_before(session: AsyncSession, card_id: UUID) -> Shown:
    """Tell how often the number of a card was shown."""
    found = await session.execute(
        select(func.count(), func.max(AuditEntry.created_at)).where(
            AuditEntry.subject_kind == Card.__tablename__,
            AuditEntry.subject_id == str(card_id),
            AuditEntry.action == "card.show",
        )
    )
    times, last = found.one()
    return Shown(times, last)


def _letter(card: Card, address: str, now: datetime) -> Letter:
    return Letter(
        MailKind.CARD_SHOWN,
        f"The number of your card ending in {card.last4} was shown",
        f"The number, the security code and the expiry of your virtual card ending in {card.last4}"
        f" were shown.\n\nWhen: {now:%d %B %Y, %H:%M} UTC\nFrom: {address}\n\nIf this was you,"
        " there is nothing to do. If it was not, freeze the card and choose a new password at"
        f" once:\n\n{{site}}/cards/{card.id}\n{{site}}/forgot\n\nProxycard\n{{site}}/\n",
    )

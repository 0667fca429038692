"""Linked cards: a PaymentMethod the customer saved at Stripe becomes a funding source."""

from typing import Protocol
from uuid import UUID

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.domain.funding.models import FundingSource
from app.domain.funding.states import FundingSourceState
from app.domain.identity.audit import Actor, record
from app.domain.identity.models import Customer
from app.errors import AppError


class NotYourCard(AppError, status=409):
    """The payment method is not saved to this customer at Stripe."""


class CardAlreadyLinked(AppError, status=409):
    """The same real card is linked already."""


class SavedCard(msgspec.Struct, frozen=True):
    """A saved PaymentMethod as Stripe has it. The fingerprint is the same for the same number."""

    id: str
    stripe_customer_id: str | None
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    funding: str
    fingerprint: str
    country: str | None


class SavedCards(Protocol):
    """Where a saved card's facts are read."""

    async def saved_card(self, stripe_payment_method_id: str) -> SavedCard: ...


async def link(
    sessions: Sessions,
    outside: SavedCards,
    customer_id: UUID,
    stripe_payment_method_id: str,
    actor: Actor,
) -> FundingSource:
    """Add a saved card to the customer's funding sources, last in line; the first is the default.

    Raises NotYourCard when Stripe has it saved to somebody else, CardAlreadyLinked for a number
    this customer has linked.
    """
    saved = await outside.saved_card(stripe_payment_method_id)
    async with sessions.begin() as session:
        customer = await session.get_one(Customer, customer_id, with_for_update={"key_share": True})
        if saved.stripe_customer_id != customer.stripe_customer_id:
            raise NotYourCard("this card is not saved to this customer")
        linked = await active_sources(session, customer_id)
        if any(source.fingerprint == saved.fingerprint for source in linked):
            raise CardAlreadyLinked(f"the card ending {saved.last4} is linked already")
        source = _source(saved, customer_id, after=linked[-1] if linked else None)
        session.add(source)
        await session.flush()
        record(session, actor, "funding_source.link", subject=source)
    return source


async def active_sources(session: AsyncSession, customer_id: UUID) -> list[FundingSource]:
    """List a customer's linked cards in order of priority."""
    found = await session.scalars(
        select(FundingSource)
        .where(
            FundingSource.customer_id == customer_id,
            FundingSource.state == FundingSourceState.ACTIVE,
        )
        .order_by(FundingSource.priority, FundingSource.id)
    )
    return list(found)


def _source(saved: SavedCard, customer_id: UUID, after: FundingSource | None) -> FundingSource:
    return FundingSource(
        customer_id=customer_id,
        stripe_payment_method_id=saved.id,
        priority=after.priority + 1 if after else 1,
        is_default=after is None,
        brand=saved.brand,
        last4=saved.last4,
        exp_month=saved.exp_month,
        exp_year=saved.exp_year,
        funding=saved.funding,
        fingerprint=saved.fingerprint,
        country=saved.country,
    )


async def make_default(sessions: Sessions, source_id: UUID, actor: Actor) -> None:
    """Let this linked card be tried first."""
    async with sessions.begin() as session:
        source = await session.get_one(FundingSource, source_id)
        await session.get_one(Customer, source.customer_id, with_for_update={"key_share": True})
        await session.execute(
            update(FundingSource)
            .where(FundingSource.customer_id == source.customer_id, FundingSource.is_default)
            .values(is_default=False)
        )
        source.is_default = True
        record(session, actor, "funding_source.make_default", subject=source)

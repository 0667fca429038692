"""Linked cards: a PaymentMethod the customer saved at Stripe becomes a funding source."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import ClassVar, Protocol
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.domain.funding.attempts import NEVER_AGAIN
from app.domain.funding.health import PAYS, end_of, health_of
from app.domain.funding.models import Charge, FundingSource
from app.domain.funding.receivables import lock_with_debts, try_again_now
from app.domain.funding.states import LIVE_CHARGES, ChargeState, FundingSourceState
from app.domain.identity.audit import Actor, record
from app.domain.identity.models import Customer
from app.errors import AppError
from app.queue import enqueue

DETACH_CARD = "detach_card"
"""The job after a card was refused, replaced or removed: Stripe forgets it."""
PREPAID = "prepaid"
REFUSED_TYPES = (PREPAID,)


class SourceNotFound(AppError, status=404):
    """The customer has no linked card of this id."""


class CannotLink(AppError, status=409):
    """A saved card that is not taken; `code` is the reason as a word."""

    code: ClassVar[str]


class NotYourCard(CannotLink, status=409):
    """The payment method is not saved to this customer at Stripe."""

    code = "not_yours"


class CardAlreadyLinked(CannotLink, status=409):
    """The same real card is linked already."""

    code = "linked_already"


class OurOwnCard(CannotLink, status=409):
    """A virtual card of ours: each charge on it would ask us for the next one, without end."""

    code = "our_own"


class KindNotTaken(CannotLink, status=409):
    """A kind of card that we do not charge, such as a prepaid one."""

    code = "kind_not_taken"


class CardHasExpired(CannotLink, status=409):
    """The card's last month is over."""

    code = "expired"


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


class VirtualCards(Protocol):
    """Where the customer's virtual cards are known; they live in a domain this one is below."""

    async def holds(self, session: AsyncSession, customer_id: UUID, saved: SavedCard) -> bool:
        """Tell whether a saved card is one of the customer's virtual cards."""


class LinkRules(msgspec.Struct, frozen=True):
    """What is asked of a card before it is linked; `refused_types` are Stripe's words."""

    ours: VirtualCards
    refused_types: Collection[str] = REFUSED_TYPES


async def link(
    sessions: Sessions,
    outside: SavedCards,
    ours: VirtualCards,
    customer_id: UUID,
    stripe_payment_method_id: str,
    *,
    actor: Actor,
    now: datetime,
) -> FundingSource:
    """Add a saved card to the customer's funding sources. Raises what `add_source` raises."""
    saved = await outside.saved_card(stripe_payment_method_id)
    async with sessions.begin() as session:
        customer = await lock_with_debts(session, customer_id)
        return await add_source(session, LinkRules(ours), customer, saved, actor=actor, now=now)


async def add_source(
    session: AsyncSession,
    rules: LinkRules,
    customer: Customer,
    saved: SavedCard,
    *,
    actor: Actor,
    now: datetime,
) -> FundingSource:
    """Add a saved card, last in line; the first one is the default. `lock_with_debts` is done.

    The same number again takes the place of what was saved of it before, when that has another
    expiry or does not pay any more. What the customer owes is tried at once with the new card.

    Raises NotYourCard when Stripe has it saved to somebody else, CardAlreadyLinked for a number
    this customer has linked, OurOwnCard for a virtual card of theirs, KindNotTaken, CardHasExpired.
    """
    if saved.stripe_customer_id != customer.stripe_customer_id:
        raise NotYourCard("this card is not saved to this customer")
    if saved.funding in rules.refused_types:
        raise KindNotTaken(f"{saved.funding} cards cannot be linked")
    if now >= end_of(saved.exp_year, saved.exp_month):
        raise CardHasExpired(f"the card ending {saved.last4} has expired")
    if await rules.ours.holds(session, customer.id, saved):
        raise OurOwnCard(f"the card ending {saved.last4} is one of ours")
    linked = await active_sources(session, customer.id)
    same = next((source for source in linked if source.fingerprint == saved.fingerprint), None)
    source = same or _source(saved, customer.id, now, after=linked)
    if same is not None:
        await _replace(session, same, saved, now)
    else:
        session.add(source)
    source.confirmed_at = await session.scalar(select(func.clock_timestamp()))
    await session.flush()
    await try_again_now(session, customer.id, now)
    told = {"elsewhere": await _elsewhere(session, customer.id, saved.fingerprint)}
    action = "funding_source.refresh" if same else "funding_source.link"
    record(session, actor, action, subject=source, after=told)
    return source


async def confirm_source(
    session: AsyncSession, source: FundingSource, *, actor: Actor, now: datetime
) -> None:
    """Note that the bank has confirmed a linked card again, and try at once what is owed."""
    source.confirmed_at = await session.scalar(select(func.clock_timestamp()))
    await try_again_now(session, source.customer_id, now)
    record(session, actor, "funding_source.confirm", subject=source)


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


async def willing_sources(session: AsyncSession, customer_id: UUID) -> list[FundingSource]:
    """List the linked cards that may be tried unasked: not those whose bank said never again.

    That counts while it is the bank's last word: not once the card has paid since, or was linked
    or confirmed again. Source: https://docs.stripe.com/declines/codes
    """
    since = func.coalesce(FundingSource.confirmed_at, FundingSource.created_at)
    said_never = func.max(Charge.created_at).filter(Charge.advice_code == NEVER_AGAIN)
    paid = func.max(Charge.created_at).filter(
        Charge.state.in_((*LIVE_CHARGES, ChargeState.REFUNDED))
    )
    never = set(
        await session.scalars(
            select(Charge.funding_source_id)
            .join(FundingSource, FundingSource.id == Charge.funding_source_id)
            .where(Charge.customer_id == customer_id)
            .group_by(Charge.funding_source_id, since)
            .having(said_never > func.greatest(since, paid))
        )
    )
    return [one for one in await active_sources(session, customer_id) if one.id not in never]


async def own_source(session: AsyncSession, customer_id: UUID, source_id: UUID) -> FundingSource:
    """Give a linked card of this customer. Raises SourceNotFound, for others' cards as well."""
    source = await session.get(FundingSource, source_id)
    ours = source is not None and source.customer_id == customer_id
    if source is None or not ours or source.state is not FundingSourceState.ACTIVE:
        raise SourceNotFound("You have no such card linked.")
    return source


async def detach_later(session: AsyncSession, stripe_payment_method_id: str) -> None:
    """Have Stripe forget a saved card, in the caller's transaction."""
    await enqueue(
        session,
        DETACH_CARD,
        {"payment_method": stripe_payment_method_id},
        key=stripe_payment_method_id,
    )


async def _replace(
    session: AsyncSession, same: FundingSource, saved: SavedCard, now: datetime
) -> None:
    """Let what was saved of a number now take the place of what was before. CardAlreadyLinked."""
    health = (await health_of(session, [same], now))[same.id]
    expiry = (same.exp_year, same.exp_month)
    if health in PAYS and expiry == (saved.exp_year, saved.exp_month):
        raise CardAlreadyLinked(f"the card ending {saved.last4} is linked already")
    await detach_later(session, same.stripe_payment_method_id)
    same.stripe_payment_method_id = saved.id
    same.exp_year, same.exp_month = saved.exp_year, saved.exp_month
    same.brand, same.funding, same.country = saved.brand, saved.funding, saved.country


def _source(
    saved: SavedCard, customer_id: UUID, now: datetime, after: Sequence[FundingSource]
) -> FundingSource:
    return FundingSource(
        created_at=now,
        customer_id=customer_id,
        stripe_payment_method_id=saved.id,
        priority=after[-1].priority + 1 if after else 1,
        is_default=not after,
        brand=saved.brand,
        last4=saved.last4,
        exp_month=saved.exp_month,
        exp_year=saved.exp_year,
        funding=saved.funding,
        fingerprint=saved.fingerprint,
        country=saved.country,
    )


async def _elsewhere(session: AsyncSession, customer_id: UUID, fingerprint: str) -> int:
    """Count the other customers who have the same real card linked, for staff to see."""
    found = await session.scalar(
        select(func.count(func.distinct(FundingSource.customer_id))).where(
            FundingSource.fingerprint == fingerprint,
            FundingSource.customer_id != customer_id,
            FundingSource.state == FundingSourceState.ACTIVE,
        )
    )
    return found or 0

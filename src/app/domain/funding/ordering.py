"""In which order linked cards are tried, and taking one out of it."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.domain.funding.health import PAYS, health_of
from app.domain.funding.models import Charge, FundingSource
from app.domain.funding.receivables import open_debts
from app.domain.funding.sources import active_sources, detach_later, own_source
from app.domain.funding.states import ChargeState, FundingSourceState
from app.domain.identity.audit import Actor, record
from app.domain.identity.models import Customer
from app.errors import AppError

UNDER_WAY = (ChargeState.UNKNOWN, ChargeState.HELD)


class SourceNeeded(AppError, status=409):
    """The card carries something, and no other linked card could."""


class Way(StrEnum):
    """Where a linked card goes in the order."""

    FIRST = "first"
    UP = "up"
    DOWN = "down"


class Carried(msgspec.Struct, frozen=True):
    """What hangs on a linked card: its holds, and debts where no other card could pay."""

    holds: int
    held_minor: int
    owed_minor: int
    other_pays: bool

    @property
    def is_needed(self) -> bool:
        return not self.other_pays and (self.holds > 0 or self.owed_minor > 0)


async def in_order(session: AsyncSession, customer_id: UUID) -> list[FundingSource]:
    """List a customer's linked cards as a purchase tries them."""
    linked = await active_sources(session, customer_id)
    return sorted(linked, key=lambda one: not one.is_default)


async def reorder(
    sessions: Sessions, customer_id: UUID, source_id: UUID, way: Way, actor: Actor
) -> None:
    """Move a linked card in the order of trying. Raises SourceNotFound."""
    async with sessions.begin() as session:
        await _lock(session, customer_id)
        source = await own_source(session, customer_id, source_id)
        before = await in_order(session, customer_id)
        place = before.index(source)
        to = {Way.FIRST: 0, Way.UP: max(place - 1, 0), Way.DOWN: place + 1}[way]
        after = [one for one in before if one is not source]
        after.insert(to, source)
        if after == before:
            return
        await _renumber(session, after)
        told = {"place": place + 1}, {"place": after.index(source) + 1}
        record(
            session,
            actor,
            "funding_source.reorder",
            subject=source,
            before=told[0],
            after=told[1],
        )


async def carried_by(session: AsyncSession, source: FundingSource, now: datetime) -> Carried:
    """Tell what hangs on a linked card. `now` is business time; amounts are in minor units."""
    found = await session.execute(
        select(func.count(), func.coalesce(func.sum(Charge.amount_minor), 0)).where(
            Charge.customer_id == source.customer_id,
            Charge.funding_source_id == source.id,
            Charge.state.in_(UNDER_WAY),
        )
    )
    holds, held = found.one()
    others = [
        one for one in await active_sources(session, source.customer_id) if one.id != source.id
    ]
    health = await health_of(session, others, now)
    debts = await open_debts(session, source.customer_id)
    return Carried(
        holds=holds,
        held_minor=int(held),
        owed_minor=sum(debt.outstanding_minor for debt in debts),
        other_pays=any(one in PAYS for one in health.values()),
    )


async def remove_source(
    sessions: Sessions, customer_id: UUID, source_id: UUID, *, actor: Actor, now: datetime
) -> None:
    """Take a linked card out; the next one in order is tried first then. Stripe forgets it.

    Raises SourceNotFound, and SourceNeeded while it carries what no other linked card could.
    """
    async with sessions.begin() as session:
        await _lock(session, customer_id)
        source = await own_source(session, customer_id, source_id)
        if (await carried_by(session, source, now)).is_needed:
            raise SourceNeeded(
                "A purchase is open on this card, or something is owed, and no other linked card"
                " could pay for it. Link another card first."
            )
        source.move_to(FundingSourceState.REMOVED)
        source.is_default = False
        await session.flush()
        await _renumber(session, await in_order(session, customer_id))
        await detach_later(session, source.stripe_payment_method_id)
        record(session, actor, "funding_source.remove", subject=source)


async def holds_on(session: AsyncSession, stripe_payment_method_id: str) -> bool:
    """Tell whether something is still held on a saved card, so that Stripe must keep it."""
    found = await session.scalar(
        select(Charge.id)
        .join(FundingSource, FundingSource.id == Charge.funding_source_id)
        .where(
            FundingSource.stripe_payment_method_id == stripe_payment_method_id,
            Charge.customer_id == FundingSource.customer_id,
            Charge.state.in_(UNDER_WAY),
        )
        .limit(1)
    )
    return found is not None


async def _renumber(session: AsyncSession, ordered: Sequence[FundingSource]) -> None:
    for number, source in enumerate(ordered, start=1):
        source.priority, source.is_default = number, False
    await session.flush()  # two defaults at once, even for a moment, are refused
    if ordered:
        ordered[0].is_default = True


async def _lock(session: AsyncSession, customer_id: UUID) -> None:
    await session.get_one(Customer, customer_id, with_for_update={"key_share": True})

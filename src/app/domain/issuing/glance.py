"""How the business stands at a glance: what moved, what is at risk, how long the float lasts.

All amounts are minor units of US dollars, the only currency that cards are issued in.
"""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.balance_models import BalanceTransaction
from app.domain.funding.models import Charge
from app.domain.funding.states import ChargeState
from app.domain.issuing.models import AuthorizationRequest
from app.domain.ledger.accounts import Account
from app.domain.ledger.rollups import totals
from app.money import Currency

NEAR = timedelta(hours=36)
"""Holds are to be captured a day before they lapse: half a day's notice of that."""
SPENT_OVER = timedelta(days=7)
"""The days whose purchases say what a day's purchases are."""


class Moved(msgspec.Struct, frozen=True):
    """What merchants took and gave back in a time, and how often."""

    captured_minor: int
    captures: int
    given_back_minor: int
    refunds: int


class Exposure(msgspec.Struct, frozen=True):
    """What merchants may still take by open approvals, and what is held on linked cards for it."""

    approved_minor: int
    purchases: int
    held_minor: int
    holds: int


class Lapsing(msgspec.Struct, frozen=True):
    """Holds on linked cards that end within NEAR, if nothing takes them before."""

    holds: int
    held_minor: int
    first_at: datetime | None


class Float(msgspec.Struct, frozen=True):
    """Our Issuing balance less what purchases hold of it, and what a day's approvals use of it."""

    available_minor: int
    daily_minor: int

    @property
    def days(self) -> float | None:
        """Give how long it lasts when nothing comes in; None where nothing is spent."""
        return max(self.available_minor, 0) / self.daily_minor if self.daily_minor else None


class Unexplained(msgspec.Struct, frozen=True):
    """What Stripe says moved our money and no journal has."""

    movements: int
    net_minor: int


async def exposure(session: AsyncSession) -> Exposure:
    """Add up what is approved and not taken yet, now."""
    asked = await session.execute(
        select(
            func.coalesce(func.sum(AuthorizationRequest.reserved_minor), 0),
            func.count(AuthorizationRequest.authorization_id.distinct()),
        ).where(AuthorizationRequest.open, AuthorizationRequest.reserved_minor > 0)
    )
    held = await session.execute(
        select(func.coalesce(func.sum(Charge.amount_minor), 0), func.count()).where(
            Charge.state == ChargeState.HELD, Charge.capture_before.is_not(None)
        )
    )
    (approved, purchases), (held_minor, holds) = asked.one(), held.one()
    return Exposure(int(approved), purchases, int(held_minor), holds)


async def lapsing(session: AsyncSession, now: datetime) -> Lapsing:
    """Count the holds that end soon. `now` is the business clock's."""
    found = await session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(Charge.amount_minor), 0),
            func.min(Charge.capture_before),
        ).where(Charge.state == ChargeState.HELD, Charge.capture_before < now + NEAR)
    )
    holds, held, first_at = found.one()
    return Lapsing(holds, int(held), first_at)


async def float_now(session: AsyncSession, now: datetime) -> Float:
    """Give the float as the books have it, and what the last week's approvals used a day."""
    available = sum(
        one.net_minor
        for one in await totals(session)
        if one.account is Account.ISSUING_BALANCE and one.currency == Currency.USD
    )
    spent = await session.scalar(
        select(func.coalesce(func.sum(AuthorizationRequest.approved_minor), 0)).where(
            AuthorizationRequest.requested_at > now - SPENT_OVER,
            AuthorizationRequest.stripe_approved.is_(True),
        )
    )
    return Float(available, int(spent or 0) // SPENT_OVER.days)


async def unexplained(session: AsyncSession) -> Unexplained:
    """Add up what Stripe booked and our books have nothing of."""
    found = await session.execute(
        select(
            func.count(), func.coalesce(func.sum(func.abs(BalanceTransaction.net_minor)), 0)
        ).where(BalanceTransaction.journal_reference.is_(None))
    )
    movements, net = found.one()
    return Unexplained(movements, int(net))

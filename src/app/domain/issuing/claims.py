"""One settlement of a purchase at a time, across all processes, with no lock held meanwhile."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, case, func, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.domain.issuing.models import Authorization
from app.errors import AppError, Busy

LEASE = timedelta(seconds=60)
WAIT_SECONDS = 10.0
LOOK_AGAIN_SECONDS = 0.05


class PurchaseBusy(Busy, status=409):
    """Another worker is settling this purchase; try again."""


class PurchaseUnknown(AppError, status=404):
    """We have no purchase of this name."""


class ClaimLost(AppError, status=409):
    """The lease ran out and another worker has taken the purchase over."""


class Claim(msgspec.Struct, frozen=True):
    """A claim on a purchase. `began` is by the database's clock."""

    authorization_id: UUID
    fence: int
    began: datetime


async def claim(
    sessions: Sessions,
    stripe_id: str,
    wall: Callable[[], datetime],
    told_at: datetime | None = None,
) -> Claim | None:
    """Take a purchase for a minute, waiting for whoever has it. Raise PurchaseBusy after 10 s.

    A purchase that is taken is due again when the minute is over, until its settlement has ended:
    whoever took it may be killed or fail, and no event need come for it any more.
    `stripe_id`: of its authorization, or its capture. Raises PurchaseUnknown where no row has it.
    None: what we were told of at `told_at`, by the database's clock, has been settled meanwhile.
    """
    deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
    while True:
        now = wall()
        async with sessions.begin() as session:
            found = await session.execute(
                update(Authorization)
                .where(
                    Authorization.stripe_authorization_id == stripe_id,
                    or_(Authorization.leased_until.is_(None), Authorization.leased_until < now),
                    _not_read_since(told_at),
                )
                .values(_taken_at(now) | {"fence": Authorization.fence + 1})
                .returning(Authorization.id, Authorization.fence, func.clock_timestamp())
            )
            taken = found.one_or_none()
            if taken is None and await _was_read_since(session, stripe_id, told_at):
                return None
        if taken is not None:
            return Claim(*taken)
        if asyncio.get_running_loop().time() > deadline:
            raise PurchaseBusy("another worker is settling this purchase")
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


def _taken_at(now: datetime) -> dict[str, Any]:
    """Give until when a purchase is taken, and when it is due again: sooner if it was before."""
    due = Authorization.settle_after
    return {
        "leased_until": now + LEASE,
        "settle_after": case((due > now, func.least(due, now + LEASE)), else_=now + LEASE),
    }


def _not_read_since(told_at: datetime | None) -> ColumnElement[bool]:
    if told_at is None:
        return true()
    return or_(Authorization.read_at.is_(None), Authorization.read_at <= told_at)


async def _was_read_since(session: AsyncSession, stripe_id: str, told_at: datetime | None) -> bool:
    known = Authorization.stripe_authorization_id == stripe_id
    found = await session.execute(select(~_not_read_since(told_at)).where(known))
    row = found.one_or_none()
    if row is None:
        raise PurchaseUnknown(f"no purchase is called {stripe_id}")
    return bool(row[0])


async def still_mine(session: AsyncSession, claimed: Claim) -> Authorization:
    """Lock the purchase's row for this transaction. Raise ClaimLost when the claim is gone."""
    found = await session.scalar(
        select(Authorization)
        .where(Authorization.id == claimed.authorization_id, Authorization.fence == claimed.fence)
        .with_for_update(key_share=True)
    )
    if found is None:
        raise ClaimLost("another worker has taken this purchase over")
    return found


async def release(sessions: Sessions, claimed: Claim, again_at: datetime | None = None) -> None:
    """Give a purchase back before its settlement has ended. It is due again at `again_at`.

    Without one it stays due when the minute is over. What another worker has taken over is its own.
    """
    due = {} if again_at is None else {"settle_after": again_at}
    async with sessions.begin() as session:
        await session.execute(
            update(Authorization)
            .where(
                Authorization.id == claimed.authorization_id, Authorization.fence == claimed.fence
            )
            .values(leased_until=None, **due)
        )

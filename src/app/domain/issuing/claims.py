"""One settlement of a purchase at a time, across all processes, with no lock held meanwhile."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.domain.issuing.models import Authorization
from app.errors import AppError

LEASE = timedelta(seconds=60)
WAIT_SECONDS = 10.0
LOOK_AGAIN_SECONDS = 0.05


class PurchaseBusy(AppError, status=409):
    """Another worker is settling this purchase; try again."""


class ClaimLost(AppError, status=409):
    """The lease ran out and another worker has taken the purchase over."""


class Claim(msgspec.Struct, frozen=True):
    authorization_id: UUID
    fence: int


async def claim(sessions: Sessions, authorization_id: UUID) -> Claim:
    """Take a purchase for a minute, waiting for whoever has it. Raise PurchaseBusy after 10 s."""
    deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
    while True:
        now = datetime.now(UTC)
        async with sessions.begin() as session:
            fence = await session.scalar(
                update(Authorization)
                .where(
                    Authorization.id == authorization_id,
                    or_(Authorization.leased_until.is_(None), Authorization.leased_until < now),
                )
                .values(leased_until=now + LEASE, fence=Authorization.fence + 1)
                .returning(Authorization.fence)
            )
        if fence is not None:
            return Claim(authorization_id, fence)
        if asyncio.get_running_loop().time() > deadline:
            raise PurchaseBusy("another worker is settling this purchase")
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


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


async def release(sessions: Sessions, claimed: Claim) -> None:
    async with sessions.begin() as session:
        await session.execute(
            update(Authorization)
            .where(
                Authorization.id == claimed.authorization_id, Authorization.fence == claimed.fence
            )
            .values(leased_until=None)
        )

"""Finds requests whose outcome should be certain by now and is not, and settles their purchases."""

from datetime import datetime

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.domain.issuing.models import Authorization, AuthorizationRequest
from app.domain.issuing.settle import Settler

log = structlog.get_logger()

AT_ONCE = 50


async def sweep_unverified(sessions: Sessions, settler: Settler, now: datetime) -> int:
    """Settle what is past its time, oldest first. Give how many purchases were looked at.

    One that fails is left for the next round, and does not keep the others waiting.
    """
    async with sessions() as session:
        names = await _due(session, now)
    for name in names:
        try:
            await settler.settle(name)
        except Exception:
            log.exception("settle_failed", authorization=name)
    return len(names)


async def _due(session: AsyncSession, now: datetime) -> list[str]:
    found = await session.scalars(
        select(Authorization.stripe_authorization_id)
        .join(AuthorizationRequest, AuthorizationRequest.authorization_id == Authorization.id)
        .where(AuthorizationRequest.verified_at.is_(None), AuthorizationRequest.verify_after < now)
        .group_by(Authorization.stripe_authorization_id)
        .order_by(func.min(AuthorizationRequest.verify_after))
        .limit(AT_ONCE)
    )
    return list(found)

"""Lets a declined purchase pass once: the next try by the same card at the same merchant."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.identity.audit import Actor, record
from app.domain.issuing.allowable import is_open, why_not
from app.domain.issuing.control_models import Allowance
from app.domain.issuing.merchant_names import merchant_key
from app.domain.issuing.models import Authorization, AuthorizationRequest
from app.errors import AppError

LASTS = timedelta(hours=24)


class RequestNotFound(AppError, status=404):
    """Neither a request nor a purchase has this id."""


class CannotAllow(AppError, status=409):
    """Letting it pass once would not help now, or nobody can."""


async def allow_once(
    session: AsyncSession,
    key: str,
    *,
    actor: Actor,
    now: datetime,
    reason: str | None = None,
    code: str | None = None,
) -> Allowance:
    """Let the next try pass, up to the declined amount, for 24 hours.

    `key` is our id of a request or a purchase, or Stripe's of a purchase, whose latest request is
    meant. `now` is business time. Raises RequestNotFound and CannotAllow.
    """
    request, purchase = await _asked(session, key)
    refused = await why_not(session, request, purchase, now)
    if refused:
        raise CannotAllow(refused)
    assert request.card_id is not None
    allowance = _allowance(request, request.card_id, purchase, now)
    session.add(allowance)
    await session.flush()
    record(
        session,
        actor,
        "purchase.allow_once",
        subject=purchase,
        after={
            "request": str(request.id),
            "reason": request.reason,
            "most_minor": request.amount_minor,
        },
        reason_code=code,
        reason=reason,
    )
    return allowance


async def allowed_until(session: AsyncSession, purchase_id: UUID, now: datetime) -> datetime | None:
    """Give until when the next try of a purchase may pass; None where it may not."""
    found: datetime | None = await session.scalar(
        select(Allowance.expires_at)
        .join(AuthorizationRequest, AuthorizationRequest.id == Allowance.declined_request_id)
        .where(AuthorizationRequest.authorization_id == purchase_id, is_open(now))
        .order_by(Allowance.expires_at.desc())
        .limit(1)
    )
    return found


def _allowance(
    request: AuthorizationRequest, card_id: UUID, purchase: Authorization, now: datetime
) -> Allowance:
    return Allowance(
        card_id=card_id,
        declined_request_id=request.id,
        merchant_name=purchase.merchant_name,
        merchant_key=merchant_key(purchase.merchant_name) or purchase.merchant_name,
        merchant_network_id=purchase.merchant_network_id,
        most_minor=request.amount_minor,
        expires_at=now + LASTS,
    )


async def _asked(session: AsyncSession, key: str) -> tuple[AuthorizationRequest, Authorization]:
    """Give the request meant, locked: two people allow it one after the other."""
    query = (
        select(AuthorizationRequest, Authorization)
        .join(Authorization, Authorization.id == AuthorizationRequest.authorization_id)
        .order_by(AuthorizationRequest.ordinal.desc())
        .limit(1)
        .with_for_update(of=AuthorizationRequest, key_share=True)
    )
    try:
        wanted = UUID(key.strip())
    except ValueError:
        meant = Authorization.stripe_authorization_id == key.strip()
    else:
        meant = (AuthorizationRequest.id == wanted) | (Authorization.id == wanted)
    found = (await session.execute(query.where(meant))).first() if key.isprintable() else None
    if found is None:
        raise RequestNotFound(f"neither a request nor a purchase has the id “{key[:60]}”")
    return found[0], found[1]

"""Whether a linked card can be expected to pay: its expiry, and what its bank said last."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.models import Charge, FundingSource
from app.domain.funding.states import ChargeState

LOOKED_AT = 50
"""The customer's latest charges; an older word of a bank says nothing about today."""
SOON = timedelta(days=45)


class Health(StrEnum):
    """From best to worst. CONFIRM: the bank wants to hear from the customer once more."""

    GOOD = "good"
    EXPIRES_SOON = "expires_soon"
    DECLINING = "declining"
    CONFIRM = "confirm"
    LINK_AGAIN = "link_again"
    EXPIRED = "expired"


PAID = (ChargeState.CAPTURED, ChargeState.REFUNDED)
PAYS = frozenset({Health.GOOD, Health.EXPIRES_SOON, Health.DECLINING})
_WORDS = {
    "authentication_required": Health.CONFIRM,
    "authentication_not_handled": Health.CONFIRM,
    "expired_card": Health.EXPIRED,
    "lost_card": Health.LINK_AGAIN,
    "stolen_card": Health.LINK_AGAIN,
    "pickup_card": Health.LINK_AGAIN,
    "incorrect_cvc": Health.LINK_AGAIN,
    "invalid_account": Health.LINK_AGAIN,
    "payment_method_unusable": Health.LINK_AGAIN,
}
"""Banks' and our own codes for a decline. Source: https://docs.stripe.com/declines/codes"""
_NOT_OF_THE_BANK = frozenset({"rate_limited", "request_refused"})


async def health_of(
    session: AsyncSession, sources: Sequence[FundingSource], now: datetime
) -> dict[UUID, Health]:
    """Tell of each linked card of one customer how it does. `now` is business time."""
    if not sources:
        return {}
    latest = await session.scalars(
        select(Charge)
        .where(
            Charge.customer_id == sources[0].customer_id,
            Charge.state != ChargeState.UNKNOWN,
            # A no to its customer says nothing of what a bank answers us alone.
            or_(~Charge.on_session, Charge.state.in_(PAID)),
        )
        .order_by(Charge.created_at.desc(), Charge.attempt.desc())
        .limit(LOOKED_AT)
    )
    said: dict[UUID | None, list[Charge]] = defaultdict(list)
    for charge in latest:
        if charge.decline_code not in _NOT_OF_THE_BANK:
            said[charge.funding_source_id].append(charge)
    return {one.id: _health(one, said[one.id], now) for one in sources}


def _health(source: FundingSource, said: Sequence[Charge], now: datetime) -> Health:
    """Judge by what a bank said, the latest first."""
    if now >= ends(source):
        return Health.EXPIRED
    since = source.confirmed_at or source.created_at
    last = next((one for one in said if not one.on_session), None)
    if last is not None and last.created_at > since and last.state is ChargeState.DECLINED:
        found = _WORDS.get(last.decline_code or "", Health.DECLINING)
        # Paid since then with its customer there: only a bank that asks still refuses us alone.
        if found is Health.CONFIRM or said[0] is last:
            return found
    return Health.EXPIRES_SOON if now >= ends(source) - SOON else Health.GOOD


def ends(source: FundingSource) -> datetime:
    return end_of(source.exp_year, source.exp_month)


def end_of(year: int, month: int) -> datetime:
    """Give when a card stops: cards work to the end of the month that is printed on them."""
    return datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)

"""Purchases that have ended while the clearing accounts still have something for them."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions

AMISS_AFTER = timedelta(hours=1)
"""By then whatever settles a purchase has been tried again and again."""

# What a person has been asked to look at is not amiss, and neither is what Stripe may still answer.
_ENDED = """
SELECT kept.ctid, kept.amiss_since,
       purchase.id IS NULL
       OR (purchase.state <> 'pending' AND purchase.not_handled IS NULL
           AND NOT EXISTS (SELECT FROM authorization_request AS request
                            WHERE request.authorization_id = purchase.id
                              AND request.verified_at IS NULL)) AS amiss
  FROM open_clearing AS kept
  LEFT JOIN card_authorization AS purchase ON purchase.id = kept.purchase_id
"""
_MARK = text(f"""
UPDATE open_clearing AS kept
   SET amiss_since = CASE WHEN ended.amiss THEN clock_timestamp() END
  FROM ({_ENDED}) AS ended
 WHERE ended.ctid = kept.ctid AND ended.amiss <> (ended.amiss_since IS NOT NULL)
""")  # noqa: S608  a text of ours
_AMISS = text("""
SELECT kept.purchase_id, purchase.stripe_authorization_id, kept.account, kept.layer,
       kept.currency, kept.net_minor, kept.amiss_since
  FROM open_clearing AS kept
  LEFT JOIN card_authorization AS purchase ON purchase.id = kept.purchase_id
 WHERE kept.amiss_since IS NOT NULL
   AND (kept.amiss_since < clock_timestamp() - CAST(:after AS interval)
        OR (purchase.settle_after IS NULL AND purchase.leased_until IS NULL))
 ORDER BY kept.amiss_since, kept.purchase_id, kept.account, kept.layer
""")


class Uncleared(msgspec.Struct, frozen=True):
    """What a clearing account has for a purchase that has ended: debits less credits, minor units.

    `stripe_authorization_id`: None for one that is not in our records at all.
    """

    purchase_id: UUID
    stripe_authorization_id: str | None
    account: str
    layer: str
    currency: str
    net_minor: int
    # By real time.
    amiss_since: datetime


async def mark_amiss(sessions: Sessions) -> int:
    """Note since when a purchase has ended with its money not cleared; give how many changed.

    The clearing accounts' sums must have been brought up to date before.
    """
    async with sessions.begin() as session:
        changed = await session.execute(_MARK)
        return int(changed.rowcount)  # type: ignore[attr-defined]


async def uncleared(session: AsyncSession) -> list[Uncleared]:
    """List what is amiss and no settlement is under way for, or has been for over an hour."""
    found = await session.execute(_AMISS, {"after": AMISS_AFTER})
    return [Uncleared(*row) for row in found]

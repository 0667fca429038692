"""Finds purchases that no event will bring further, and settles them.

Requests whose outcome should be certain by now; holds on linked cards that are about to lapse;
debts whose time has come; what a settlement left to be looked at again, or did not end because it
failed or its worker was killed.
"""

from datetime import datetime

import structlog
from sqlalchemy import text

from app.db import Sessions
from app.domain.issuing.settle import Settler
from app.domain.issuing.standing import SHORTEST_HOLD, TAKE_BEFORE_LAPSE

log = structlog.get_logger()

AT_ONCE = 50


DUE = text("""
SELECT stripe_authorization_id FROM (
    SELECT authorization_id AS id, verify_after AS since FROM authorization_request
     WHERE verified_at IS NULL AND verify_after < :real_now
    UNION ALL
    SELECT id, settle_after FROM card_authorization WHERE settle_after < :real_now
    UNION ALL
    SELECT purchase_id, capture_before FROM charge
     WHERE state = 'held' AND capture_before < :lapses
    UNION ALL
    SELECT purchase_id, created_at FROM charge
     WHERE state = 'held' AND capture_before IS NULL AND created_at < :held_since
    UNION ALL
    -- While its purchase is open again, nothing is done about a debt.
    SELECT purchase_id, next_attempt_at FROM receivable
      JOIN card_authorization AS owing ON owing.id = purchase_id AND owing.state <> 'pending'
     WHERE receivable.state = 'open' AND next_attempt_at <= :now) AS due
  JOIN card_authorization AS purchase USING (id)
 WHERE coalesce(purchase.settle_after < :real_now, true)
   AND coalesce(purchase.leased_until < :real_now, true)
 GROUP BY stripe_authorization_id ORDER BY min(since) LIMIT :at_once
""")


async def sweep(sessions: Sessions, settler: Settler, *, now: datetime, real_now: datetime) -> int:
    """Settle what is past its time, oldest first. Give how many purchases were looked at.

    `now` is by the business clock. One that fails is left for the next round, and does not keep the
    others waiting; nor does one that another worker has, or had when it was killed.
    """
    lapses = now + TAKE_BEFORE_LAPSE
    moments = {"now": now, "real_now": real_now, "lapses": lapses}
    moments["held_since"] = lapses - SHORTEST_HOLD
    async with sessions() as session:
        names = list(await session.scalars(DUE, {**moments, "at_once": AT_ONCE}))
    for name in names:
        try:
            await settler.settle(name)
        except Exception:
            log.exception("settle_failed", authorization=name)
    return len(names)

"""Purchases that cost more than they brought in a period, from the books."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.issuing.profit_days import COUNTED, FUNDING, TOUCHES
from app.money import Currency

_NET = """CASE WHEN leg.credit = ANY (:accounts) THEN leg.minor ELSE 0 END
       - CASE WHEN leg.debit = ANY (:accounts) THEN leg.minor ELSE 0 END"""
_LOSSES = text(f"""
WITH lost AS (
    SELECT journal.purchase_id AS id, sum({_NET})::bigint AS net_minor
      FROM journal
     CROSS JOIN LATERAL unnest(debits, credits, amounts, layers)
           AS leg (debit, credit, minor, layer)
     WHERE journal.occurred_at >= :since AND journal.occurred_at < :until
       AND journal.purchase_id IS NOT NULL AND leg.layer = 'posted' AND {TOUCHES}
     GROUP BY 1 HAVING sum({_NET}) < 0
), worst AS (SELECT * FROM lost ORDER BY net_minor, id LIMIT :most)
SELECT bought.id, bought.occurred_at, bought.merchant_name, bought.merchant_country,
       bought.customer_id, customer.first_name || ' ' || customer.last_name AS customer,
       paid.funding, worst.net_minor, (SELECT count(*) FROM lost) AS of_all,
       (SELECT sum(net_minor)::bigint FROM lost) AS all_minor
  FROM worst JOIN card_authorization AS bought USING (id)
  LEFT JOIN customer ON customer.id = bought.customer_id
  {FUNDING.format(row="bought.id")}
 ORDER BY worst.net_minor, bought.id
""")  # noqa: S608  texts of ours


class Loss(msgspec.Struct, frozen=True):
    """A purchase that lost money, in minor units of US dollars."""

    purchase_id: UUID
    occurred_at: datetime
    merchant_name: str
    merchant_country: str | None
    customer_id: UUID | None
    customer: str | None
    funding: str | None
    net_minor: int


class Losses(msgspec.Struct, frozen=True):
    """The worst purchases, and how many there are in all."""

    rows: list[Loss]
    count: int
    net_minor: int


async def losses(session: AsyncSession, since: datetime, until: datetime, most: int) -> Losses:
    """Give the purchases whose accounts of income and expense are below zero in a period."""
    values = {"since": since, "until": until, "most": most, "accounts": COUNTED}
    found = list(await session.execute(_LOSSES, values | {"currency": Currency.USD.value}))
    if not found:
        return Losses([], 0, 0)
    return Losses([Loss(*row[:8]) for row in found], found[0].of_all, found[0].all_minor)

"""Balances: always sums of the postings, or of their days."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.ledger.accounts import Account
from app.domain.ledger.journals import Layer

BALANCES = """
SELECT account, layer, currency,
       sum(debit_minor)::bigint AS debit_minor, sum(credit_minor)::bigint AS credit_minor
  FROM (SELECT leg.debit AS account, leg.layer, currency,
               leg.amount_minor AS debit_minor, 0 AS credit_minor
          FROM journal, unnest(debits, credits, amounts, layers)
               AS leg (debit, credit, amount_minor, layer)
         WHERE {which}
         UNION ALL
        SELECT leg.credit, leg.layer, currency, 0, leg.amount_minor
          FROM journal, unnest(debits, credits, amounts, layers)
               AS leg (debit, credit, amount_minor, layer)
         WHERE {which}) AS entry
 GROUP BY account, layer, currency
 ORDER BY layer DESC, account, currency
"""
ALL = text(BALANCES.format(which="occurred_at < :before"))
OF_PURCHASE = text(BALANCES.format(which="purchase_id = :purchase"))


class Balance(msgspec.Struct, frozen=True):
    """What was debited and credited to an account on a layer, in minor units."""

    account: Account
    layer: Layer
    currency: str
    debit_minor: int
    credit_minor: int

    @property
    def net_minor(self) -> int:
        """Debits less credits: above zero for what we have, below for what we owe or earned."""
        return self.debit_minor - self.credit_minor


async def trial_balance(session: AsyncSession, before: datetime) -> list[Balance]:
    """Sum every posting that occurred before a moment, by layer, account and currency."""
    found = await session.execute(ALL, {"before": before})
    return [_balance(row) for row in found.mappings()]


async def balances_of(session: AsyncSession, purchase_id: UUID) -> list[Balance]:
    """Sum every posting of one purchase."""
    found = await session.execute(OF_PURCHASE, {"purchase": purchase_id})
    return [_balance(row) for row in found.mappings()]


def _balance(row: object) -> Balance:
    return msgspec.convert(dict(row), Balance)  # type: ignore[call-overload]

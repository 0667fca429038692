"""Read our side of a reconciliation: records, stored movements, and what journals moved."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, Text, any_, literal, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.balance_models import BalanceTransaction
from app.domain.funding.models import Charge
from app.domain.funding.refund_models import Refund
from app.domain.issuing.clearing import uncleared
from app.domain.issuing.models import Authorization, CardTransaction
from app.domain.issuing.reconciliation_facts import (
    OurCharge,
    OurJournal,
    OurMovement,
    OurPurchase,
    OurRefund,
    Ours,
    OurTransaction,
    Theirs,
)

BOOKED_LATE = timedelta(days=40)
"""A movement may be booked so long after it happened, where something was wrong in between."""

TEXTS = ARRAY(Text)

# What each journal did to our two balances at Stripe; promises on linked cards move nothing there.
_JOURNALS = text("""
SELECT reference, rule, occurred_at, currency, moved.payments, moved.issuing, moved.held
  FROM journal
 CROSS JOIN LATERAL (
       SELECT coalesce(sum(amount) FILTER (WHERE account = '1010' AND layer = 'posted'), 0)::bigint
                  AS payments,
              coalesce(sum(amount) FILTER (WHERE account = '1020' AND layer = 'posted'), 0)::bigint
                  AS issuing,
              coalesce(sum(amount) FILTER (WHERE account = '1020' AND layer = 'held'), 0)::bigint
                  AS held
         FROM (SELECT debit AS account, layer, amount
                 FROM unnest(debits, amounts, layers) AS one (debit, amount, layer)
                UNION ALL
               SELECT credit, layer, -amount
                 FROM unnest(credits, amounts, layers) AS one (credit, amount, layer)) AS leg
       ) AS moved
 WHERE occurred_at >= :since AND (debits || credits) && ARRAY['1010', '1020']
""")


async def read_ours(session: AsyncSession, since: datetime, theirs: Theirs) -> Ours:
    """Read what is from since a moment, and what of Stripe's list is from before it with us."""
    movements = await _movements(session, since - BOOKED_LATE)
    matched = {one.journal_reference for one in movements.values() if one.journal_reference}
    return Ours(
        purchases=await _purchases(session, since, theirs.purchases),
        transactions=await _transactions(session, since, theirs.transactions),
        charges=await _charges(session, since, theirs.intents),
        refunds=await _refunds(session, since, theirs.refunds),
        movements={name: one for name, one in movements.items() if one.occurred_at >= since},
        journals=await _journals(session, since - BOOKED_LATE),
        matched=frozenset(matched | {f"{name}:processing_fee" for name in movements}),
        uncleared=await uncleared(session),
    )


async def _purchases(
    session: AsyncSession, since: datetime, names: Collection[str]
) -> dict[str, OurPurchase]:
    one = Authorization
    statement = select(
        one.stripe_authorization_id,
        *(one.id, one.state, one.amount_minor, one.currency, one.occurred_at),
    ).where(~one.forced)
    rows = await _both(
        session, statement, one.occurred_at >= since, one.stripe_authorization_id, names
    )
    return {row[0]: OurPurchase(*row[1:]) for row in rows}


async def _transactions(
    session: AsyncSession, since: datetime, names: Collection[str]
) -> dict[str, OurTransaction]:
    one = CardTransaction
    statement = select(
        one.stripe_transaction_id, one.kind, one.amount_minor, one.currency, one.occurred_at
    )
    rows = await _both(
        session, statement, one.occurred_at >= since, one.stripe_transaction_id, names
    )
    return {row[0]: OurTransaction(*row[1:]) for row in rows}


async def _charges(
    session: AsyncSession, since: datetime, names: Collection[str]
) -> dict[str, OurCharge]:
    one = Charge
    statement = select(
        one.stripe_payment_intent_id,
        *(one.state, one.amount_minor, one.captured_minor, one.refunded_minor),
        *(one.processing_fee_minor, one.stripe_charge_id, one.created_at),
    ).where(one.stripe_payment_intent_id.is_not(None))
    rows = await _both(
        session, statement, one.created_at >= since, one.stripe_payment_intent_id, names
    )
    return {row[0]: OurCharge(*row[1:]) for row in rows}


async def _refunds(
    session: AsyncSession, since: datetime, names: Collection[str]
) -> dict[str, OurRefund]:
    one = Refund
    statement = select(one.stripe_refund_id, one.state, one.amount_minor, one.created_at).where(
        one.stripe_refund_id.is_not(None)
    )
    rows = await _both(session, statement, one.created_at >= since, one.stripe_refund_id, names)
    return {row[0]: OurRefund(*row[1:]) for row in rows}


async def _movements(session: AsyncSession, since: datetime) -> dict[str, OurMovement]:
    one = BalanceTransaction
    found = await session.execute(
        select(
            one.stripe_balance_transaction_id,
            *(one.net_minor, one.currency, one.occurred_at, one.journal_reference),
        ).where(one.occurred_at >= since)
    )
    return {row[0]: OurMovement(*row[1:]) for row in found}


async def _journals(session: AsyncSession, since: datetime) -> dict[str, OurJournal]:
    found = await session.execute(_JOURNALS, {"since": since})
    return {row[0]: OurJournal(*row) for row in found}


async def _both(
    session: AsyncSession,
    statement: Any,
    recent: Any,
    name: Any,
    names: Collection[str],
) -> Iterable[Any]:
    """Give the rows since a moment, and those of these names whatever their time."""
    found = list(await session.execute(statement.where(recent)))
    missing = set(names) - {row[0] for row in found}
    if missing:
        found += await session.execute(statement.where(name == any_(literal(list(missing), TEXTS))))
    return found

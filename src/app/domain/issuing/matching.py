"""Match every movement of our money at Stripe with the journal that has it in the books.

What has none is booked, by settling the purchase that it belongs to or by a rule of its own; what
has none then is a difference, and stays one until a person or a later event explains it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db import Sessions
from app.domain.funding.balance import BalanceFacts, BalanceFeed, own_journals, references
from app.domain.funding.balance_models import BalanceTransaction
from app.domain.funding.models import Charge
from app.domain.funding.refund_models import Refund
from app.domain.issuing.models import Authorization, CardTransaction
from app.domain.issuing.settle import TRANSACTION, Settler
from app.domain.issuing.unlinked import UnlinkedTransactions
from app.domain.ledger.models import JournalEntry
from app.domain.ledger.posting import post

log = structlog.get_logger()

LOOK_BACK = timedelta(minutes=5)
"""Stripe books with the time of the movement, which may be a moment before it is listed."""
BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
AT_ONCE = 200


class Matcher:
    """Follows Stripe's balance transactions."""

    def __init__(self, sessions: Sessions, feed: BalanceFeed, settler: Settler) -> None:
        self.sessions = sessions
        self.feed = feed
        self.settler = settler
        self.unlinked = UnlinkedTransactions(sessions, settler)

    async def follow(self) -> int:
        """Fetch what was booked since we looked last, and match it. Give how many are new."""
        async with self.sessions() as session:
            last = await session.scalar(select(func.max(BalanceTransaction.occurred_at)))
        told = await self.feed.transactions_since(last - LOOK_BACK if last else BEGINNING)
        new = await self._keep(told)
        await self.match()
        await self.unlinked.look_again()
        return new

    async def match(self) -> None:
        """Match what is not matched yet, oldest first; settle the purchases that are behind."""
        async with self.sessions() as session:
            waiting = await _unmatched(session)
        behind = await self._match(waiting)
        for name in behind:
            try:
                await self._settle(name)
            except Exception:
                log.exception("settle_failed", authorization=name)
        if behind:
            async with self.sessions() as session:
                waiting = await _unmatched(session)
            await self._match(waiting)

    async def _settle(self, name: str) -> None:
        """Settle a purchase and look at all its charges: what moved one may have had no event."""
        if name.startswith(TRANSACTION):
            await self.unlinked.look_up(name, charges_changed=True)
        else:
            await self.settler.settle(name, charges_changed=True)

    async def _keep(self, told: Sequence[BalanceFacts]) -> int:
        new = 0
        for start in range(0, len(told), AT_ONCE):
            rows = [_row(one) for one in told[start : start + AT_ONCE]]
            async with self.sessions.begin() as session:
                statement = insert(BalanceTransaction).values(rows).on_conflict_do_nothing()
                added = await session.scalars(statement.returning(BalanceTransaction.id))
                new += len(added.all())
        return new

    async def _match(self, waiting: Sequence[BalanceTransaction]) -> list[str]:
        """Match these; give the purchases that must be settled first."""
        behind: dict[str, None] = {}
        for one in waiting:
            async with self.sessions.begin() as session:
                told = _facts(one)
                await post(session, own_journals(told))
                names = [*references(told), *await _charge_references(session, told)]
                found = await session.scalar(
                    select(JournalEntry.reference).where(JournalEntry.reference.in_(names))
                )
                if found is not None:
                    ours = await session.get_one(BalanceTransaction, one.id)
                    ours.journal_reference = found
                    continue
                purchase = await _purchase_of(session, told)
            if purchase is not None:
                behind[purchase] = None
        return list(behind)


async def _unmatched(session: AsyncSession) -> Sequence[BalanceTransaction]:
    found = await session.scalars(
        select(BalanceTransaction)
        .where(BalanceTransaction.journal_reference.is_(None))
        # The newest: what can never be matched does not keep them waiting.
        .order_by(BalanceTransaction.occurred_at.desc(), BalanceTransaction.id.desc())
        .limit(AT_ONCE)
    )
    return found.all()[::-1]


async def _charge_references(session: AsyncSession, told: BalanceFacts) -> list[str]:
    """A charge is booked with its fee in two journals: both must be there."""
    if told.type not in {"charge", "payment"}:
        return []
    charge = await session.scalar(select(Charge).where(Charge.stripe_charge_id == told.source))
    if charge is None or charge.processing_fee_minor != told.fee_minor:
        return []
    intent = charge.stripe_payment_intent_id
    return [f"{intent}:linked_card_captured", f"{intent}:linked_card_charged"]


async def _purchase_of(session: AsyncSession, told: BalanceFacts) -> str | None:
    """Give the purchase that a movement belongs to, by the object it came from."""
    source = told.source
    if source is None:
        return None
    if told.type.startswith("issuing_authorization"):
        return source
    name = select(Authorization.stripe_authorization_id)
    if told.type == "issuing_transaction":
        moved = await session.scalar(
            name.join(CardTransaction, CardTransaction.authorization_id == Authorization.id).where(
                CardTransaction.stripe_transaction_id == source
            )
        )
        return moved or source
    if told.type in {"charge", "payment"}:
        return await session.scalar(
            name.join(Charge, Charge.purchase_id == Authorization.id).where(
                Charge.stripe_charge_id == source
            )
        )
    return await session.scalar(
        name.join(Refund, Refund.purchase_id == Authorization.id).where(
            Refund.stripe_refund_id == source
        )
    )


def _row(told: BalanceFacts) -> dict[str, object]:
    return {
        "id": uuid7(),
        "stripe_balance_transaction_id": told.id,
        "balance_type": told.balance_type,
        "type": told.type,
        "amount_minor": told.amount_minor,
        "fee_minor": told.fee_minor,
        "net_minor": told.net_minor,
        "currency": told.currency,
        "source": told.source,
        "occurred_at": told.occurred_at,
        "available_at": told.available_at,
    }


def _facts(row: BalanceTransaction) -> BalanceFacts:
    return BalanceFacts(
        row.stripe_balance_transaction_id,
        row.balance_type,
        row.type,
        row.amount_minor,
        row.fee_minor,
        row.net_minor,
        row.currency,
        row.source,
        row.occurred_at,
        row.available_at,
    )

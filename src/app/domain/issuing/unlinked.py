"""Money a merchant took or gave back with no authorization: kept for a person, not yet handled."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from uuid_utils.compat import uuid7

from app.db import Sessions
from app.domain.issuing.card_network import TransactionFacts
from app.domain.issuing.models import Card, CardTransaction

NO_AUTHORIZATION = "no authorization belongs to it: not handled yet"


class UnlinkedTransactions:
    """Keeps card transactions that name no authorization."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions

    async def keep(self, told: TransactionFacts) -> None:
        """Store the transaction once, marked as not handled."""
        async with self.sessions.begin() as session:
            card = await session.scalar(select(Card).where(Card.stripe_card_id == told.card))
            row = {
                "id": uuid7(),
                "stripe_transaction_id": told.id,
                "card_id": card.id if card else None,
                "customer_id": card.customer_id if card else None,
                "kind": told.kind,
                "occurred_at": told.occurred_at,
                "amount_minor": told.amount_minor,
                "currency": told.currency,
                "merchant_name": told.merchant_name,
                "fee_minor": 0,
                "not_handled": NO_AUTHORIZATION,
            }
            await session.execute(insert(CardTransaction).values(row).on_conflict_do_nothing())

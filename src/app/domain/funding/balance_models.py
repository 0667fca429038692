"""What moved our money at Stripe, as Stripe booked it."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table


class BalanceTransaction(Table):
    """One of Stripe's balance transactions, and the journal that has it in our books.

    Source: https://docs.stripe.com/api/balance_transactions. Amounts as Stripe signs them.
    """

    __tablename__ = "balance_transaction"
    __table_args__ = (
        Index("ix_balance_transaction_occurred_at", "occurred_at"),
        Index("ix_balance_transaction_source", "source"),
        Index("ix_balance_transaction_amount", "amount_minor"),
        Index("ix_balance_transaction_type", "type", "occurred_at"),
        Index(
            "ix_balance_transaction_unmatched",
            "occurred_at",
            postgresql_where="journal_reference IS NULL",
        ),
    )

    stripe_balance_transaction_id: Mapped[str] = mapped_column(unique=True)
    # "payments" or "issuing", as Stripe names our two balances.
    balance_type: Mapped[str]
    type: Mapped[str]
    amount_minor: Mapped[int]
    fee_minor: Mapped[int]
    net_minor: Mapped[int]
    currency: Mapped[str]
    source: Mapped[str | None]
    occurred_at: Mapped[datetime]
    available_at: Mapped[datetime]
    # None: nothing in our books explains it.
    journal_reference: Mapped[str | None]

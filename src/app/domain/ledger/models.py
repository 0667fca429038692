"""The books: journals with their postings, and what was computed from them. Append-only."""

from datetime import date, datetime
from uuid import UUID

from advanced_alchemy.base import DefaultBase
from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Identity, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TRANSACTION_ID, Table
from app.domain.ledger.accounts import Account

assert Table.registry  # its column types are this module's too
CODES = ", ".join(f"'{account.value}'" for account in Account)
SUMMARIZED = {"autosummarize": "on"}
"""Without it, all that was added since the last vacuum would be read again and again."""

EVERYDAY_RULES = (
    *("linked_card_held", "network_hold_placed", "network_hold_released", "linked_card_captured"),
    *("merchant_captured", "fee_earned", "processing_fee"),
)
"""The journals of nearly every purchase."""
EVERYDAY_ACCOUNTS = ("1010", "1020", "2000", "2300", "4000", "5000")
"""The accounts that these touch. There are millions of these journals, and thousands of others."""
OTHER_RULES = f"rule <> ALL (ARRAY{list(EVERYDAY_RULES)})"
OTHER_ACCOUNTS = (
    f"NOT (debits <@ ARRAY{list(EVERYDAY_ACCOUNTS)} AND credits <@ ARRAY{list(EVERYDAY_ACCOUNTS)})"
)
"""True of journals of another rule, and of those that touch another account."""
TOUCHED = "(debits || credits)"
"""Every account that a journal touches."""


class JournalEntry(DefaultBase):
    """A journal. Its postings are columns of equal length: one row cannot be half a journal.

    Nothing can be added to it later, and the database refuses to change or delete it.
    """

    __tablename__ = "journal"
    __table_args__ = (
        CheckConstraint(
            "cardinality(amounts) > 0 AND cardinality(debits) = cardinality(amounts)"
            " AND cardinality(credits) = cardinality(amounts)"
            " AND cardinality(layers) = cardinality(amounts)",
            name="postings_whole",
        ),
        CheckConstraint("0 < ALL (amounts)", name="amounts_positive"),
        CheckConstraint("layers <@ ARRAY['posted', 'held']", name="layers_known"),
        CheckConstraint(
            f"debits <@ ARRAY[{CODES}] AND credits <@ ARRAY[{CODES}]", name="accounts_known"
        ),
        Index("ix_journal_purchase", "purchase_id", postgresql_where="purchase_id IS NOT NULL"),
        Index("ix_journal_occurred_at", "occurred_at"),
        Index("ix_journal_other_rules", "rule", "occurred_at", postgresql_where=OTHER_RULES),
        Index("ix_journal_without_purchase", "occurred_at", postgresql_where="purchase_id IS NULL"),
        Index("ix_journal_other_accounts", "occurred_at", postgresql_where=OTHER_ACCOUNTS),
        Index(
            "ix_journal_touched",
            text(TOUCHED),
            postgresql_using="gin",
            postgresql_where=OTHER_ACCOUNTS,
        ),
        Index(
            "ix_journal_transaction",
            "transaction_id",
            postgresql_using="brin",
            postgresql_with=SUMMARIZED,
        ),
    )

    reference: Mapped[str] = mapped_column(primary_key=True)
    rule: Mapped[str]
    occurred_at: Mapped[datetime]
    purchase_id: Mapped[UUID | None]
    customer_id: Mapped[UUID | None]
    currency: Mapped[str]
    debits: Mapped[list[str]] = mapped_column(ARRAY(Text))
    credits: Mapped[list[str]] = mapped_column(ARRAY(Text))
    amounts: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    layers: Mapped[list[str]] = mapped_column(ARRAY(Text))
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
    # In which transaction it was written: what is sealed is sealed up to the oldest that runs.
    transaction_id: Mapped[int] = mapped_column(server_default=text(TRANSACTION_ID))


class Seal(DefaultBase):
    """A batch of journals, chained to the one before it by its hash."""

    __tablename__ = "seal"

    number: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    # Every journal of a transaction from the first to before the second belongs to the batch.
    from_transaction: Mapped[int]
    until_transaction: Mapped[int]
    journals: Mapped[int]
    hash: Mapped[str]
    sealed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class AccountDay(DefaultBase):
    """What was debited and credited to an account on one day, on one layer, in one currency.

    Days are those of the business's time zone. Follows the journals; can be made anew from them.
    """

    __tablename__ = "account_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(primary_key=True)
    layer: Mapped[str] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    debit_minor: Mapped[int] = mapped_column(default=0)
    credit_minor: Mapped[int] = mapped_column(default=0)


class OpenClearing(DefaultBase):
    """What a clearing account has for a purchase, where that is not zero. Follows the journals.

    Open purchases have such rows, and those whose money is not where it belongs.
    """

    __tablename__ = "open_clearing"
    __table_args__ = (
        Index("ix_open_clearing_amiss", "amiss_since", postgresql_where="amiss_since IS NOT NULL"),
    )

    purchase_id: Mapped[UUID] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(primary_key=True)
    layer: Mapped[str] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    # Debits less credits.
    net_minor: Mapped[int]
    # Since when it is seen that the purchase has ended all the same; real time.
    amiss_since: Mapped[datetime | None]


class RollupMark(DefaultBase):
    """How far the days have followed the journals."""

    __tablename__ = "rollup_mark"

    name: Mapped[str] = mapped_column(primary_key=True)
    until_transaction: Mapped[int]
    time_zone: Mapped[str]

"""Both sides of every posting, as the lists read them: what an account was debited or credited."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Text, Uuid, column, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, Mapped

_SIDES = text(
    "SELECT journal.reference, posting.place, journal.rule, journal.occurred_at,"
    " journal.purchase_id, journal.customer_id, journal.currency, journal.debits, journal.credits,"
    " posting.layer, side.*"
    " FROM journal CROSS JOIN LATERAL unnest(debits, credits, amounts, layers)"
    " WITH ORDINALITY AS posting (debit, credit, amount_minor, layer, place)"
    " CROSS JOIN LATERAL (VALUES"
    " ('debit', posting.debit, posting.credit, posting.amount_minor, CAST(0 AS bigint)),"
    " ('credit', posting.credit, posting.debit, CAST(0 AS bigint), posting.amount_minor))"
    " AS side (side, account, other, debit_minor, credit_minor)"
)
"""The newest are found by the index of the journals' time, whatever else is chosen."""
_ENTRIES = _SIDES.columns(
    column("reference", Text),
    column("place", BigInteger),
    column("rule", Text),
    column("occurred_at", DateTime(timezone=True)),
    column("purchase_id", Uuid),
    column("customer_id", Uuid),
    column("currency", Text),
    column("debits", ARRAY(Text)),
    column("credits", ARRAY(Text)),
    column("layer", Text),
    column("side", Text),
    column("account", Text),
    column("other", Text),
    column("debit_minor", BigInteger),
    column("credit_minor", BigInteger),
).subquery("entry")

DEBITS, CREDITS = _ENTRIES.c.debits, _ENTRIES.c.credits
"""Every account that a posting's journal touches."""


class EntryTable(DeclarativeBase):
    """What is read from a query and not from a table."""


class LedgerEntry(EntryTable):
    """One side of a posting."""

    __table__ = _ENTRIES
    __mapper_args__ = {
        "primary_key": [_ENTRIES.c.reference, _ENTRIES.c.place, _ENTRIES.c.side],
        "exclude_properties": ["debits", "credits"],
    }

    reference: Mapped[str]
    place: Mapped[int]
    side: Mapped[str]
    rule: Mapped[str]
    occurred_at: Mapped[datetime]
    purchase_id: Mapped[UUID | None]
    customer_id: Mapped[UUID | None]
    currency: Mapped[str]
    layer: Mapped[str]
    account: Mapped[str]
    # Where the money came from, or went.
    other: Mapped[str]
    debit_minor: Mapped[int]
    credit_minor: Mapped[int]

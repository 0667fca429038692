"""The chain of hashes that seals the journals."""

from app.domain.ledger.models import JournalEntry, Seal
from app.domain.sealing.chain import Chain

JOURNALS = Chain(
    table=JournalEntry,
    seals=Seal,
    columns=(
        *("reference", "rule", "occurred_at", "purchase_id", "customer_id", "currency"),
        *("debits", "credits", "amounts", "layers", "recorded_at", "transaction_id"),
    ),
    counts="journals",
    lock=4_207,
)

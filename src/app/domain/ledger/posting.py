"""The one way into the books."""

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.ledger.journals import Journal
from app.domain.ledger.models import JournalEntry
from app.errors import AppError


class JournalConflict(AppError, status=409):
    """A journal of this reference is in the books with other content."""


async def post(session: AsyncSession, journals: Iterable[Journal]) -> int:
    """Write journals in the session's transaction; give how many were not in the books yet.

    Raises JournalConflict when a reference is taken by a journal that says something else.
    """
    rows = {journal.reference: row_of(journal) for journal in journals}
    missing = rows.keys() - await _known(session, rows)
    if not missing:
        return 0
    statement = insert(JournalEntry).values([rows[name] for name in sorted(missing)])
    added = set(
        await session.scalars(statement.on_conflict_do_nothing().returning(JournalEntry.reference))
    )
    if missing - added:
        # Another process has written it in the same moment.
        await _known(session, {name: rows[name] for name in missing - added})
    return len(added)


async def _known(session: AsyncSession, rows: Mapping[str, dict[str, object]]) -> set[str]:
    """Give which references are in the books; raise JournalConflict for other content."""
    if not rows:
        return set()
    columns = [getattr(JournalEntry, name) for name in ("reference", *SAID)]
    found = await session.execute(select(*columns).where(JournalEntry.reference.in_(rows)))
    known = set()
    for reference, *said in found:
        if said != [rows[reference][name] for name in SAID]:
            raise JournalConflict(f"{reference} is in the books with other content")
        known.add(reference)
    return known


def row_of(journal: Journal) -> dict[str, object]:
    """Give a journal as the columns of its row."""
    return {
        "reference": journal.reference,
        "rule": journal.rule,
        "occurred_at": journal.occurred_at,
        "purchase_id": journal.purchase_id,
        "customer_id": journal.customer_id,
        "currency": journal.currency,
        "debits": [posting.debit.value for posting in journal.postings],
        "credits": [posting.credit.value for posting in journal.postings],
        "amounts": [posting.amount_minor for posting in journal.postings],
        "layers": [posting.layer.value for posting in journal.postings],
    }


SAID = ("rule", "purchase_id", "customer_id", "currency", "debits", "credits", "amounts", "layers")
"""What makes two journals the same. When it was learned of may differ."""

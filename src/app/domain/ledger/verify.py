"""Prove the books from themselves: the chain of seals, every journal, the sums that follow them."""

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.ledger.models import CODES
from app.domain.ledger.rollups import differences
from app.domain.ledger.sealing import JOURNALS

MOST = 20

# The database refuses all of this; whoever owns it can switch that off.
_NOT_WHOLE = text(f"""
SELECT reference FROM journal
 WHERE cardinality(amounts) = 0
    OR cardinality(debits) <> cardinality(amounts) OR cardinality(credits) <> cardinality(amounts)
    OR cardinality(layers) <> cardinality(amounts)
    OR NOT 0 < ALL (amounts)
    OR NOT layers <@ ARRAY['posted', 'held']
    OR NOT debits <@ ARRAY[{CODES}] OR NOT credits <@ ARRAY[{CODES}]
    OR EXISTS (SELECT FROM unnest(debits, credits) AS leg (debit, credit) WHERE debit = credit)
    OR reference NOT LIKE '%:' || rule
 ORDER BY reference LIMIT {MOST}
""")  # noqa: S608  numbers and codes of ours


class Check(msgspec.Struct, frozen=True):
    """Something that must be true of the books, and what shows that it is not; nothing is good."""

    name: str
    problems: list[str]


async def ledger_checks(session: AsyncSession) -> list[Check]:
    """Check what can be checked without knowing what the journals are about."""
    broken = await JOURNALS.first_difference(session)
    parts = await session.scalars(_NOT_WHOLE)
    return [
        Check("sealed journals are as they were sealed", [broken] if broken else []),
        Check("every journal is whole", list(parts)),
        Check("the days' sums are those of the journals", await differences(session, MOST)),
    ]

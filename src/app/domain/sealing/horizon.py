"""Up to which transaction the books are complete: none that began before it still runs."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# Every transaction with a lower number has ended: https://www.postgresql.org/docs/current/
# functions-info.html#FUNCTIONS-PG-SNAPSHOT
_OLDEST_RUNNING = text("SELECT (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint")


class TransactionsWentBack(RuntimeError):
    """The server counts its transactions from below what the books have seen already.

    That is so after a restore of a dump into another server. A physical backup keeps the count.
    """


async def oldest_running(session: AsyncSession, seen_until: int) -> int:
    """Give the transaction before which every journal there will ever be can be read.

    `seen_until`: what the caller has read up to. Raises TransactionsWentBack when new journals
    would get numbers below that, and be missed.
    """
    horizon = int(await session.scalar(_OLDEST_RUNNING) or 0)
    if horizon < seen_until:
        raise TransactionsWentBack(
            f"PostgreSQL is at transaction {horizon}, and the books were read up to {seen_until}:"
            " raise its counter with pg_resetwal before anything is posted"
        )
    return horizon

"""The bytes of a row of each table that a purchase writes, as they were written just now."""

from collections.abc import Sequence

import asyncpg

NEWEST = 1_000


async def row_bytes(owner_url: str, tables: Sequence[str]) -> dict[str, int]:
    """Give the mean size of the rows that lie last in each table: the newest, nearly always."""
    connection = await asyncpg.connect(owner_url)
    try:
        return {
            table: round(await connection.fetchval(_mean_bytes(table), NEWEST)) for table in tables
        }
    finally:
        await connection.close()


def _mean_bytes(table: str) -> str:
    newest = f"SELECT pg_column_size(row.*) AS bytes FROM {table} AS row ORDER BY row.ctid DESC"  # noqa: S608 - a table's name of ours
    return f"SELECT avg(bytes) FROM ({newest} LIMIT $1) AS newest"  # noqa: S608 - as above

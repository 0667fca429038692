"""PostgreSQL's own types, asked for once instead of once for each connection.

asyncpg asks each connection it opens what the types of a statement are, with a query that takes
up to 25 ms; a test opens about a dozen connections. The product opens a few in its whole life.
"""

from collections.abc import Iterable
from typing import Any

from asyncpg.connection import Connection

FIRST_MADE_LATER = 16_384
"""Numbers below it are PostgreSQL's own types, the same in every database of a version.

Source: https://www.postgresql.org/docs/current/system-catalog-initial-data.html
"""


def remember_types() -> None:
    """Have asyncpg ask for PostgreSQL's own types the first time only, in this process."""
    asked = Connection._introspect_types  # noqa: SLF001  there is no public way
    known: dict[frozenset[int], Any] = {}

    async def introspect(self: Any, numbers: Iterable[int], *waits: Any) -> Any:
        key = frozenset(numbers)
        if max(key) >= FIRST_MADE_LATER:
            return await asked(self, numbers, *waits)
        if key not in known:
            known[key] = await asked(self, numbers, *waits)
        return known[key]

    Connection._introspect_types = introspect  # noqa: SLF001

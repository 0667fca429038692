"""A list as a file: exactly what its filters choose, in its order, written while it is read.

However long the list is, no more than BATCH of its rows are held at a time.
"""

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator, Callable, Sequence
from html import unescape
from typing import Any, Protocol

import msgspec
from markupsafe import Markup
from sqlalchemy import Select
from starlette.requests import Request

from app.admin.views.names import names_of
from app.admin.wording import NOTHING
from app.errors import AppError
from app.money import readable

BATCH = 200
AT_ONCE = 2
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_TAGS = re.compile(r"<[^>]*>")


class Columns(Protocol):
    """What a file takes from a list."""

    @property
    def session_maker(self) -> Any: ...

    def label(self, field: str) -> str: ...

    async def get_list_value(
        self, obj: Any, prop: str, request: Request | None = None
    ) -> tuple[Any, Any]: ...


class TooManyExports(AppError, status=429):
    """As many files as this process writes at a time are being written."""


class Room(msgspec.Struct):
    """How many files are being written by this process."""

    taken: int = 0

    def enter(self) -> None:
        """Take a place. Raises TooManyExports."""
        if self.taken >= AT_ONCE:
            raise TooManyExports("Two files are being written already. Try again in a minute.")
        self.taken += 1

    def leave(self) -> None:
        self.taken -= 1


ROOM = Room()


async def written(
    columns: Columns, fields: Sequence[str], request: Request, statement: Select[Any]
) -> AsyncIterator[str]:
    """Give a file's lines in batches. Whoever began it has entered the room, which is left here."""
    try:
        yield _line([*(columns.label(field) for field in fields), "Currency"])
        async with columns.session_maker() as session:
            found = await session.stream_scalars(statement.execution_options(yield_per=BATCH))
            async for rows in found.partitions(BATCH):
                async with columns.session_maker() as naming:
                    request.state.names = await names_of(naming, rows)
                lines = [await _cells(columns, fields, row, request) for row in rows]
                yield "".join(map(_line, lines))
                await asyncio.sleep(0)  # others are answered between two batches
    finally:
        ROOM.leave()


async def _cells(columns: Columns, fields: Sequence[str], row: Any, request: Request) -> list[str]:
    told = []
    for field in fields:
        value = getattr(row, field, None)
        if field.endswith("_minor"):
            # A number, without thousands: a spreadsheet adds it up.
            told.append("" if value is None else readable(value).replace(",", ""))
            continue
        _, cell = await columns.get_list_value(row, field, request)
        told.append(plain_text(cell))
    return [*told, str(getattr(row, "currency", "")).upper()]


def plain_text(cell: str | Markup) -> str:
    """Write a cell without its marks, and so that no spreadsheet takes it for a formula."""
    text = unescape(_TAGS.sub(" ", cell)) if isinstance(cell, Markup) else cell
    text = " ".join(text.split())
    if text == NOTHING:
        return ""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    write: Callable[[Sequence[str]], object] = csv.writer(line).writerow
    write(cells)
    return line.getvalue()

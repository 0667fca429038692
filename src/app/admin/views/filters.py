"""Filters of the lists. Each reads its own fields of the address, and says so when it cannot.

SQLAdmin's own leave a value out that they cannot read, and then show every row.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import ColumnElement, Select, and_, or_
from starlette.datastructures import QueryParams

from app.days import is_known
from app.errors import AppError
from app.money import parse_amount


class UnreadableFilter(AppError, status=422):
    """A filter holds something that is not a value of its kind."""


class Filter(Protocol):
    """Narrows a list by its own fields of the address; `template` shows these."""

    @property
    def template(self) -> str: ...

    @property
    def fields(self) -> Sequence[str]: ...

    def narrow(self, rows: Select[Any], given: QueryParams, zone: ZoneInfo, /) -> Select[Any]:
        """Leave the rows alone when nothing is given. Raises UnreadableFilter."""
        ...


class Choice(msgspec.Struct, frozen=True):
    """One of a few values. A choice stands for all rows whose column has one of its values.

    `helped`: by choice, what is true of all its rows anyway and an index is made for.
    """

    field: str
    title: str
    column: Any
    choices: dict[str, tuple[str, Sequence[Any]]]
    helped: Mapping[str, Any] = {}
    template: str = "lists/choice.html"

    @property
    def fields(self) -> Sequence[str]:
        return (self.field,)

    def narrow(self, rows: Select[Any], given: QueryParams, _: ZoneInfo, /) -> Select[Any]:
        wanted = given.get(self.field, "")
        if not wanted:
            return rows
        if wanted not in self.choices:
            raise UnreadableFilter(f"{self.title}: “{wanted[:30]}” is not one of the choices.")
        if wanted in self.helped:
            rows = rows.where(self.helped[wanted])
        return rows.where(self.column.in_(self.choices[wanted][1]))


class Presence(msgspec.Struct, frozen=True):
    """Whether a column holds anything, in the list's own words for yes and no."""

    field: str
    title: str
    column: Any
    choices: dict[str, tuple[str, Any]]
    template: str = "lists/choice.html"

    @property
    def fields(self) -> Sequence[str]:
        return (self.field,)

    def narrow(self, rows: Select[Any], given: QueryParams, _: ZoneInfo, /) -> Select[Any]:
        wanted = given.get(self.field, "")
        if not wanted:
            return rows
        if wanted not in self.choices:
            raise UnreadableFilter(f"{self.title}: “{wanted[:30]}” is not one of the choices.")
        there = self.choices[wanted][1]
        return rows.where(self.column.is_not(None) if there else self.column.is_(None))


def amounts_between(
    column: Any, least: int, most: int | None
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Give the two ranges that an amount is in whichever its sign: an index serves both."""
    above, below = [column >= least], [column <= -least]
    if most is not None:
        above.append(column <= most)
        below.append(column >= -most)
    return and_(*above), and_(*below)


class AmountRange(msgspec.Struct, frozen=True):
    """An amount typed as 43.20, at least and at most, whichever sign the column gives it."""

    field: str
    title: str
    column: Any
    template: str = "lists/amounts.html"

    @property
    def fields(self) -> Sequence[str]:
        return (f"{self.field}_from", f"{self.field}_to")

    def narrow(self, rows: Select[Any], given: QueryParams, _: ZoneInfo, /) -> Select[Any]:
        least, most = (self._read(given.get(field, "")) for field in self.fields)
        if least is None and most is None:
            return rows
        return rows.where(or_(*amounts_between(self.column, least or 0, most)))

    def _read(self, typed: str) -> int | None:
        return parse_amount(typed) if typed.strip() else None


class DateRange(msgspec.Struct, frozen=True):
    """Whole days of the business's zone, both included."""

    field: str
    title: str
    column: Any
    template: str = "lists/dates.html"

    @property
    def fields(self) -> Sequence[str]:
        return (f"{self.field}_from", f"{self.field}_to")

    def narrow(self, rows: Select[Any], given: QueryParams, zone: ZoneInfo, /) -> Select[Any]:
        first, last = (self._read(given.get(field, "")) for field in self.fields)
        if first is not None:
            rows = rows.where(self.column >= datetime.combine(first, time(), zone))
        if last is not None:
            after = datetime.combine(last + timedelta(days=1), time(), zone)
            rows = rows.where(self.column < after)
        return rows

    def _read(self, typed: str) -> date | None:
        if not typed.strip():
            return None
        try:
            found = date.fromisoformat(typed.strip())
        except ValueError:
            found = date.min
        if not is_known(found):
            raise UnreadableFilter(f"{self.title}: “{typed[:20]}” is not a day like 2026-11-24.")
        return found


class Whose(msgspec.Struct, frozen=True):
    """The rows of one customer, card or job, as other pages link to them."""

    field: str
    title: str
    column: Any
    read: Callable[[str], Any] = UUID
    template: str = "lists/whose.html"

    @property
    def fields(self) -> Sequence[str]:
        return (self.field,)

    def narrow(self, rows: Select[Any], given: QueryParams, _: ZoneInfo, /) -> Select[Any]:
        wanted = given.get(self.field, "")
        if not wanted:
            return rows
        try:
            return rows.where(self.column == self.read(wanted))
        except ValueError:
            raise UnreadableFilter(f"{self.title}: the address holds no id.") from None

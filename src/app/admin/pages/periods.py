"""Periods of whole days of the business, as an address names them."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
from starlette.datastructures import QueryParams

from app.days import is_known
from app.domain.issuing.reports import Span
from app.errors import AppError

LONGEST_DAYS = 800


class UnreadablePeriod(AppError, status=422):
    """What was typed is not a period."""


class Period(msgspec.Struct, frozen=True):
    """Days of the business, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Period":
        """Give as many days right before."""
        last = self.first - timedelta(days=1)
        return Period(last - timedelta(days=self.days - 1), last)

    @property
    def in_words(self) -> str:
        one = self.first == self.last
        return f"{self.first}" if one else f"{self.first} to {self.last}"

    def bounds(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Give its first moment, and the first after it."""
        after = self.last + timedelta(days=1)
        return datetime.combine(self.first, time(), zone), datetime.combine(after, time(), zone)

    def span(self, zone: ZoneInfo) -> Span:
        return Span(*self.bounds(zone))


def last_days(today: date, days: int) -> Period:
    """Give the days that end with today."""
    return Period(today - timedelta(days=days - 1), today)


def read_period(given: QueryParams, usual: Period) -> Period:
    """Read the days that the address names. Raises UnreadablePeriod."""
    first, last = _day(given, "from", usual.first), _day(given, "to", usual.last)
    if first > last:
        raise UnreadablePeriod(f"{first} is after {last}.")
    if (last - first).days > LONGEST_DAYS:
        raise UnreadablePeriod(f"A period has {LONGEST_DAYS} days at most.")
    return Period(first, last)


def _day(given: QueryParams, field: str, usual: date) -> date:
    typed = given.get(field, "").strip()
    if not typed:
        return usual
    try:
        found = date.fromisoformat(typed)
    except ValueError:
        found = date.min
    if not is_known(found):
        raise UnreadablePeriod(f"“{typed[:20]}” is not a day like 2026-11-24.")
    return found


def periods(today: date) -> list[tuple[str, Period]]:
    """Give the periods that are one click away."""
    month = today.replace(day=1)
    before = month - timedelta(days=1)
    return [
        ("Today", last_days(today, 1)),
        ("7 days", last_days(today, 7)),
        ("30 days", last_days(today, 30)),
        ("This month", Period(month, today)),
        ("Last month", Period(before.replace(day=1), before)),
        ("This year", Period(today.replace(month=1, day=1), today)),
    ]

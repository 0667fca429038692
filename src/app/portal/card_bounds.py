"""Where and until when a card works: as a form shows it, read from one, and in words.

A last day counts whole, in UTC, as a card's other days do.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from app.countries import COUNTRIES, UnknownCountry, country_of

FURTHEST_DAYS = 3_660
MOST_COUNTRIES = 50


def last_day(active_until: datetime | None) -> date | None:
    """Give the last day on which a card works at all; it ends at `active_until`, exclusive."""
    if active_until is None:
        return None
    return (active_until.astimezone(UTC) - timedelta(microseconds=1)).date()


def shown_day(active_until: datetime | None) -> str:
    """Give a card's last day as a form's field has it; empty without one."""
    day = last_day(active_until)
    return day.isoformat() if day else ""


def read_day(
    typed: str, before: datetime | None, today: date, wanted: dict[str, str]
) -> datetime | None:
    """Read a last day: the moment at which the card ends; what is wanted goes to `until`.

    What stood there before stays as it was to the second, and may be over.
    """
    if typed == shown_day(before):
        return before
    if not typed:
        return None
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        wanted["until"] = "Write a date like 2027-01-31, or nothing."
        return before
    if not today <= day <= today + timedelta(days=FURTHEST_DAYS):
        wanted["until"] = "Choose today or a later day, within ten years."
        return before
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def shown_countries(codes: Sequence[str]) -> str:
    """Name countries as a form's field has them, and as a person reads them."""
    return ", ".join(COUNTRIES.get(code, code) for code in codes)


def read_countries(typed: str, wanted: dict[str, str]) -> list[str]:
    """Read countries with commas between them; none means every country."""
    try:
        found = {country_of(one) for one in typed.replace(";", ",").split(",") if one.strip()}
    except UnknownCountry as refusal:
        wanted["countries"] = f"{refusal} Write names or two letters, such as US, Canada."
        return []
    if len(found) > MOST_COUNTRIES:
        wanted["countries"] = f"At most {MOST_COUNTRIES} countries. For all, leave it empty."
    return sorted(found)

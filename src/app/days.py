"""Which days are read from what people type: those that the database and every zone have."""

from datetime import date

_YEARS = range(1970, 9000)


def is_known(day: date) -> bool:
    """Say whether a day, or a moment, is one that can be counted with in every zone."""
    return day.year in _YEARS

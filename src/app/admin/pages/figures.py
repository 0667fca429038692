"""A figure of a home: what it is, against the time before, where its rows are, and its source."""

import msgspec

from app.admin.wording import NOTHING, amount


class Change(msgspec.Struct, frozen=True):
    """How a figure stands to that of the period before; `verdict` is good, bad or same."""

    before: str
    moved: str
    verdict: str


class Figure(msgspec.Struct, frozen=True):
    """`source` says the period, the zone and where it is from; `tone` colours its edge."""

    title: str
    value: str
    href: str
    source: str
    than: Change | None = None
    tone: str = ""


def against(minor: int, before_minor: int, *, more_is_good: bool = True) -> Change:
    """Say how an amount stands to that of the period before."""
    moved = minor - before_minor
    told = f"{'+' if moved > 0 else ''}{amount(moved)}" if moved else "no change"
    return Change(amount(before_minor), told, _verdict(moved, more_is_good=more_is_good))


def against_share(share: float | None, before: float | None) -> Change | None:
    """Say how a share stands to that of the period before, in percentage points."""
    if share is None or before is None:
        return None
    points = round(100 * (share - before), 1)
    told = f"{points:+.1f} points" if points else "no change"
    return Change(percent(before), told, _verdict(points, more_is_good=True))


def percent(share: float | None, places: int = 1) -> str:
    """Write a share as 57.1 %, never rounded up."""
    if share is None:
        return NOTHING
    scale = 10**places
    return f"{int(share * 100 * scale + 1e-9) / scale:.{places}f} %"


def _verdict(moved: float, *, more_is_good: bool) -> str:
    if not moved:
        return "same"
    return "good" if (moved > 0) is more_is_good else "bad"

"""The dashboard's chart: bars as numbers for an inline drawing. The same stands in a table."""

from collections.abc import Sequence

import msgspec

from app.domain.issuing.overview import Day

WIDTH, HEIGHT = 640, 150
GAP = 5
_STEPS = (1, 2, 5)


class Bar(msgspec.Struct, frozen=True):
    """A day's bar, in the drawing's units; `height` is the merchants' part with our fee on top."""

    day: Day
    x: float
    y: float
    width: float
    height: float


class Chart(msgspec.Struct, frozen=True):
    """`top_minor`: what the top line stands for."""

    bars: list[Bar]
    top_minor: int

    @property
    def total_minor(self) -> int:
        return sum(bar.day.spent_minor for bar in self.bars)


def chart_of(days: Sequence[Day]) -> Chart:
    """Draw what was spent, day by day. A day on which more came back than was taken has no bar."""
    top = _round(max((day.spent_minor + day.fee_minor for day in days), default=0))
    step = WIDTH / max(len(days), 1)
    bars = []
    for place, day in enumerate(days):
        minor = max(day.spent_minor + day.fee_minor, 0)
        height = round(HEIGHT * minor / top, 1)
        x = round(place * step + GAP / 2, 1)
        bars.append(Bar(day, x, round(HEIGHT - height, 1), round(step - GAP, 1), height))
    return Chart(bars, top)


def _round(minor: int) -> int:
    """Give the next round amount above one: 7,340 gives 10,000."""
    power = 100
    while True:
        for step in _STEPS:
            if step * power >= minor:
                return step * power
        power *= 10

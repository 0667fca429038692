"""Charts of days or hours, drawn on the server: bars in a box, with lines to read them by."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec

WIDTH, HEIGHT = 640.0, 190.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 6.0, 10.0, 22.0
MOST_LABELS = 10
LINES = 4


class Series(msgspec.Struct, frozen=True):
    """Values of one kind, one for each slot; `kind` is its colour in the style sheet."""

    kind: str
    title: str
    values: Sequence[int]


class Bar(msgspec.Struct, frozen=True):
    kind: str
    x: float
    y: float
    width: float
    height: float
    title: str
    href: str


class Line(msgspec.Struct, frozen=True):
    """A line across with its value, or a word below the slots."""

    at: float
    label: str


class Chart(msgspec.Struct, frozen=True):
    """What a template draws. `rows` are the same numbers, for the table below it."""

    title: str
    bars: list[Bar]
    across: list[Line]
    below: list[Line]
    zero: float
    series: Sequence[Series]
    rows: list[tuple[str, str, list[str]]]


class Slots(msgspec.Struct, frozen=True):
    """What the bars stand for, and where each leads."""

    labels: Sequence[str]
    hrefs: Sequence[str]


def drawn(title: str, slots: Slots, series: Sequence[Series], write: object) -> Chart:
    """Draw series in front of each other, each narrower than the one behind it.

    `write` writes a value for people: the chart knows no unit.
    """
    assert callable(write)
    values = [value for one in series for value in one.values]
    steps = scale(min([0, *values]), max([0, *values]))
    wide = (WIDTH - LEFT - RIGHT) / max(len(slots.labels), 1)

    def up(value: float) -> float:
        low, high = steps[0], steps[-1]
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low), 2)

    bars = []
    for depth, one in enumerate(series):
        inset = wide * (0.12 + 0.16 * depth)
        for place, value in enumerate(one.values):
            top, foot = sorted((up(value), up(0)))
            told = f"{slots.labels[place]}: {one.title} {write(value)}"
            left = round(LEFT + place * wide + inset, 2)
            size = (round(wide - 2 * inset, 2), round(max(foot - top, 0.5 if value else 0), 2))
            bars.append(Bar(one.kind, left, top, *size, told, slots.hrefs[place]))
    return Chart(
        title,
        bars,
        [Line(up(step), str(write(step)).removesuffix(".00")) for step in steps],
        _below(slots.labels, wide),
        up(0),
        series,
        [
            (label, href, [str(write(one.values[place])) for one in series])
            for place, (label, href) in enumerate(zip(slots.labels, slots.hrefs, strict=True))
        ],
    )


def scale(low: int, high: int) -> list[int]:
    """Give round steps from at most the lowest value to at least the highest."""
    least = max((high - low) / LINES, 1)
    size = 10 ** (len(str(int(least))) - 1)
    step = next(size * n for n in (1, 2, 5, 10) if size * n >= least)
    steps = [low // step * step]
    while steps[-1] < high or len(steps) == 1:
        steps.append(steps[-1] + step)
    assert all(b > a for a, b in pairwise(steps))
    return steps


def _below(labels: Sequence[str], wide: float) -> list[Line]:
    each = -(-len(labels) // MOST_LABELS)
    return [
        Line(round(LEFT + (place + 0.5) * wide, 2), label)
        for place, label in enumerate(labels)
        if place % each == 0
    ]

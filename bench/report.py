"""What a part of the benchmark found: tables, and figures beside what is wanted of them."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.machine import machine

RESULTS = Path(__file__).parent / "results.json"

Row = dict[str, float | str | None]


class Figure(msgspec.Struct, frozen=True):
    """A number, and the bound it is wanted to keep."""

    name: str
    value: float
    wanted: str
    met: bool


class Table(msgspec.Struct, frozen=True):
    """Rows with the same names in the same order; None where there is nothing to say."""

    title: str
    rows: list[Row]


class Part(msgspec.Struct, frozen=True):
    """One part of the benchmark: its tables, its figures, and what one has to know to read them."""

    tables: list[Table]
    figures: list[Figure] = []
    notes: list[str] = []


def at_least(name: str, value: float, bound: float) -> Figure:
    return Figure(name, round(value, 2), f"at least {bound}", value >= bound)


def at_most(name: str, value: float, bound: float) -> Figure:
    return Figure(name, round(value, 2), f"at most {bound}", value <= bound)


def lines(name: str, part: Part) -> Iterator[str]:
    """Write a part as a person reads it."""
    yield f"\n== {name} =="
    for table in part.tables:
        yield f"\n{table.title}"
        yield from _aligned(table.rows)
    if part.figures:
        yield ""
    for figure in part.figures:
        verdict = "met" if figure.met else "NOT met"
        yield f"{figure.name}: {figure.value:g} (wanted: {figure.wanted}; {verdict})"
    yield from part.notes


def keep(name: str, part: Part) -> None:
    """Write a part into the results, in the place of what an earlier run found for it."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    parts = kept.get("parts", {})
    parts[name] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        **msgspec.to_builtins(part),
    }
    RESULTS.write_text(json.dumps({"parts": parts}, indent=1, ensure_ascii=False) + "\n")


def _aligned(rows: Sequence[Row]) -> Iterator[str]:
    cells = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        first, *others = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join([f"  {first}", *(cell.strip().rjust(len(cell)) for cell in others)])


def _cell(value: float | str | None) -> str:
    return "" if value is None else str(value)

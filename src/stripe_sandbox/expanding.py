"""`expand`: ids in an answer become the objects they name (https://docs.stripe.com/expand).

Which fields may be expanded is read from the response classes of the `stripe` package.
"""

import functools
from collections.abc import Sequence
from typing import Any, ForwardRef, get_args

from stripe._object_classes import get_object_class

from stripe_sandbox.errors import StripeError
from stripe_sandbox.issuing.card_numbers import card_secrets
from stripe_sandbox.world import World

DEEPEST = 4
# Expandable without being ids: a card's secrets, on retrieval only
# (https://docs.stripe.com/issuing/cards/virtual).
SECRETS = {"issuing.card": frozenset({"number", "cvc"})}


def expand(world: World, shown: dict[str, Any], paths: Sequence[str]) -> dict[str, Any]:
    """Give the answer with these paths expanded, or raise Stripe's error for one that cannot be."""
    for path in paths:
        parts = path.split(".")
        if len(parts) > DEEPEST + (parts[0] == "data"):
            raise StripeError(f"You cannot expand more than {DEEPEST} levels of a property.")
        if shown.get("object") == "list":
            if parts[0] != "data" or len(parts) == 1:
                raise _cannot(path)
            items = [_expanded(world, item, parts[1:], path) for item in shown["data"]]
            shown = shown | {"data": items}
        else:
            shown = _expanded(world, shown, parts, path)
    return shown


def _expanded(world: World, shown: dict[str, Any], parts: list[str], path: str) -> dict[str, Any]:
    """Give a copy of an object in which one path is expanded."""
    name, *rest = parts
    kind = str(shown.get("object", ""))
    value = shown.get(name)
    if name in SECRETS.get(kind, ()):
        return shown | {name: card_secrets(shown["id"])[name]}
    if isinstance(value, list) and rest:
        items = [_expanded(world, item, rest, path) for item in value if isinstance(item, dict)]
        return shown | {name: items}
    if not isinstance(value, dict):
        if name not in shown or (kind and name not in _expandable(kind)):
            raise _cannot(path)
        target = world.named(value) if isinstance(value, str) else None
        if target is None:
            return shown
        value = world.present(target)
    return shown | {name: _expanded(world, value, rest, path) if rest else value}


@functools.cache
def _expandable(kind: str) -> frozenset[str]:
    """The fields of a kind that hold an id or, expanded, an object."""
    annotations = get_object_class("V1", kind).__annotations__
    return frozenset(name for name, hint in annotations.items() if _names_an_object(hint))


def _names_an_object(hint: Any) -> bool:
    alternatives = get_args(hint)
    return str in alternatives and any(isinstance(one, ForwardRef) for one in alternatives)


def _cannot(path: str) -> StripeError:
    return StripeError(f"This property cannot be expanded ({path}).", param="expand")

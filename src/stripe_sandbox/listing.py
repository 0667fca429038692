"""Lists in Stripe's pages: newest first, `limit`, `starting_after`, `ending_before`, `created`.

https://docs.stripe.com/api/pagination
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from stripe_sandbox.errors import StripeError, no_such
from stripe_sandbox.routing import Call

DEFAULT_LIMIT = 10
LONGEST_PAGE = 100
PAGING = frozenset({"limit", "starting_after", "ending_before", "expand", "created"})


def list_page(
    call: Call, kind: str, objects: Iterable[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Give one page of a kind. Parameters that are fields of the objects filter them.

    `objects`, newest first, is for lists that filter by more than equal fields; they are still
    narrowed by `created`.
    """
    if objects is None:
        equal = {name: value for name, value in call.params.items() if name not in PAGING}
        objects = call.world.find(kind, **equal)
    created = call.params.get("created")
    if created is not None:
        objects = (one for one in objects if is_within(one["created"], created))
    return page_of(call, kind, objects)


def page_of(call: Call, kind: str, objects: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Give the page of these objects, newest first, that the request asks for."""
    limit = call.params.get("limit", DEFAULT_LIMIT)
    if not 1 <= limit <= LONGEST_PAGE:
        raise StripeError(
            f"Invalid limit: must be between 1 and {LONGEST_PAGE}"
            if limit < 1
            else f"This value must be less than or equal to {LONGEST_PAGE}.",
            code="parameter_invalid_integer",
            param="limit",
        )
    after, before = call.params.get("starting_after"), call.params.get("ending_before")
    if after is not None and before is not None:
        raise StripeError("You cannot parameterize both starting_after and ending_before.")
    if before is not None:
        newer = _until(call, kind, objects, before)
        found = newer[-limit:]
        has_more = len(newer) > limit
    else:
        found = list(islice(_after(call, kind, objects, after), limit + 1))
        has_more = len(found) > limit
        found = found[:limit]
    return {"object": "list", "data": found, "has_more": has_more, "url": call.url}


def _after(
    call: Call, kind: str, objects: Iterable[dict[str, Any]], cursor: str | None
) -> Iterable[dict[str, Any]]:
    if cursor is None:
        return objects
    _known(call, kind, cursor, "starting_after")
    remaining = iter(objects)
    for one in remaining:
        if one["id"] == cursor:
            break
    return remaining


def _until(
    call: Call, kind: str, objects: Iterable[dict[str, Any]], cursor: str
) -> list[dict[str, Any]]:
    _known(call, kind, cursor, "ending_before")
    newer = []
    for one in objects:
        if one["id"] == cursor:
            break
        newer.append(one)
    return newer


def _known(call: Call, kind: str, cursor: str, param: str) -> None:
    if call.world.store.get(kind, cursor) is None:
        raise no_such(kind, cursor, param=param)


def is_within(at: int, wanted: int | Mapping[str, int]) -> bool:
    """Whether a number is the one, or lies in the range, that a filter asks for."""
    if isinstance(wanted, int):
        return at == wanted
    return (
        at > wanted.get("gt", at - 1)
        and at >= wanted.get("gte", at)
        and at < wanted.get("lt", at + 1)
        and at <= wanted.get("lte", at)
    )

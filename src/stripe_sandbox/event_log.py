"""Reading the events of the past (https://docs.stripe.com/api/events)."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import stripe.params

from stripe_sandbox.errors import StripeError, no_such
from stripe_sandbox.events import StoredEvent
from stripe_sandbox.listing import list_page
from stripe_sandbox.routing import Call, Route

MOST_TYPES = 20


async def retrieve(call: Call) -> dict[str, Any]:
    event = call.world.store.get("event", call.path["id"])
    if event is None:
        raise no_such("event", call.path["id"])
    return _decoded(event)


async def list_(call: Call) -> dict[str, Any]:
    """One page; only the events on it are read from their stored bodies."""
    page = list_page(call, "event", _wanted(call))
    events = call.world.store.objects.get("event", {})
    return page | {"data": [_decoded(events[one["id"]]) for one in page["data"]]}


def _wanted(call: Call) -> Iterator[dict[str, Any]]:
    """The id and the time of each event that the request asks for, newest first."""
    params = call.params
    if "type" in params and "types" in params:
        raise StripeError("You may pass either type or types, but not both.", param="types")
    types = params.get("types") or ([params["type"]] if "type" in params else None)
    if types is not None and len(types) > MOST_TYPES:
        raise StripeError(f"You may pass at most {MOST_TYPES} types.", param="types")
    delivered = params.get("delivery_success")
    undelivered = set() if delivered is None else call.world.deliveries.undelivered()
    return (
        {"id": event.id, "created": event.created}
        for event in call.world.store.newest_first("event")
        if (types is None or any(_is_of(event, one) for one in types))
        and (delivered is None or (event.id not in undelivered) is delivered)
    )


def _is_of(event: StoredEvent, wanted: str) -> bool:
    if wanted.endswith("*"):
        return event.type.startswith(wanted[:-1])
    return event.type == wanted


def _decoded(event: StoredEvent) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(event.body)
    return decoded


ROUTES: Sequence[Route] = (
    Route("GET", "/v1/events", list_, stripe.params.EventListParams, "event"),
    Route("GET", "/v1/events/{id}", retrieve),
)

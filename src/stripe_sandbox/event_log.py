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
    return list_page(call, "event", _wanted(call))


def _wanted(call: Call) -> Iterator[dict[str, Any]]:
    params = call.params
    if "type" in params and "types" in params:
        raise StripeError("You may pass either type or types, but not both.", param="types")
    types = params.get("types") or ([params["type"]] if "type" in params else None)
    if types is not None and len(types) > MOST_TYPES:
        raise StripeError(f"You may pass at most {MOST_TYPES} types.", param="types")
    delivered = params.get("delivery_success")
    return (
        _decoded(event)
        for event in call.world.store.newest_first("event")
        if (types is None or any(_is_of(event, one) for one in types))
        and (delivered is None or call.world.deliveries.is_waiting(event.id) is not delivered)
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

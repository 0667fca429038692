"""Events: what happened, as it was when it happened."""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import msgspec

from stripe_sandbox.ids import new_id

API_VERSION = "2026-10-28.endive"

# Asked in real time of one address only; no webhook endpoint is ever sent it
# (https://docs.stripe.com/issuing/controls/real-time-authorizations).
REAL_TIME = "issuing_authorization.request"


class Cause(msgspec.Struct, frozen=True):
    """The request that made an event happen; both are None when nobody asked for it."""

    request_id: str | None = None
    idempotency_key: str | None = None


cause: ContextVar[Cause] = ContextVar("cause", default=Cause())  # noqa: B039  frozen


class StoredEvent(msgspec.Struct, frozen=True):
    """An event with its body as it is sent, so that later changes cannot reach into it."""

    id: str
    type: str
    created: int
    object_id: str
    body: msgspec.Raw


def make_event(
    type_: str,
    shown: Mapping[str, Any],
    previous: Mapping[str, Any] | None,
    *,
    created: int,
    pending_webhooks: int,
) -> StoredEvent:
    """Take a snapshot of an object as it is shown now (https://docs.stripe.com/api/events)."""
    data: dict[str, Any] = {"object": shown}
    if previous is not None:
        data["previous_attributes"] = previous
    origin = cause.get()
    event_id = new_id("evt")
    event = {
        "id": event_id,
        "object": "event",
        "api_version": API_VERSION,
        "created": created,
        "data": data,
        "livemode": False,
        "pending_webhooks": pending_webhooks,
        "request": {"id": origin.request_id, "idempotency_key": origin.idempotency_key},
        "type": type_,
    }
    return StoredEvent(
        id=event_id,
        type=type_,
        created=created,
        object_id=str(shown.get("id", "")),
        body=msgspec.Raw(msgspec.json.encode(event)),
    )

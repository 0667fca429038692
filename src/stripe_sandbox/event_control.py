"""Faults of events, armed, counted and ended, under `/_sandbox/event_faults`."""

import random
from collections.abc import Sequence
from typing import Any

import msgspec

from stripe_sandbox.routing import ControlCall, ControlRoute
from stripe_sandbox.world import World

ORDERS = ("as_happened", "reversed", "shuffled")


async def add(call: ControlCall) -> dict[str, Any]:
    """Arm one: `{"action": "lose", "type": "issuing_transaction.created", "times": 2}`."""
    return msgspec.structs.asdict(call.world.deliveries.faults.add(call.body))


async def show(call: ControlCall) -> dict[str, Any]:
    """The faults with how often they fired, and the deliveries that are held back."""
    deliveries = call.world.deliveries
    held = [_shown(call.world, one) for one in deliveries.held_back()]
    return {"data": deliveries.faults.shown(), "held": held}


async def clear(call: ControlCall) -> dict[str, Any]:
    """Disarm all. What is held back stays so until it is released."""
    call.world.deliveries.faults.clear()
    return await show(call)


async def release(call: ControlCall) -> dict[str, Any]:
    """Deliver what was held back, one after another; answered when each was tried once.

    `order` is as_happened, reversed, or shuffled (with a `seed`, the same each time); `events`, a
    list of event ids, names an order of its own, and what it does not name stays held.
    """
    deliveries = call.world.deliveries
    chosen = _in_order(deliveries.held_back(), call.body)
    shown = [_shown(call.world, one) for one in chosen]
    await deliveries.release(chosen)
    return {"released": shown}


def _in_order(held: list[dict[str, Any]], wanted: dict[str, Any]) -> list[dict[str, Any]]:
    unknown = wanted.keys() - {"order", "seed", "events"}
    if unknown:
        raise ValueError(f"unknown field: {min(unknown)}")
    events = wanted.get("events")
    if events is not None:
        missing = set(events) - {one["event"] for one in held}
        if missing:
            raise ValueError(f"not held back: {min(missing)}")
        return [one for event in events for one in held if one["event"] == event]
    match wanted.get("order", "as_happened"):
        case "as_happened":
            return held
        case "reversed":
            return held[::-1]
        case "shuffled":
            # Which order comes out is nobody's secret: a test wants the same one again.
            random.Random(wanted.get("seed", 0)).shuffle(held)  # noqa: S311
            return held
    raise ValueError(f"order is one of: {', '.join(ORDERS)}")


def _shown(world: World, waiting: dict[str, Any]) -> dict[str, Any]:
    event = world.store.get("event", waiting["event"])
    return {
        "event": waiting["event"],
        "type": None if event is None else event.type,
        "object_id": None if event is None else event.object_id,
        "endpoint": waiting["endpoint"],
    }


ROUTES: Sequence[ControlRoute] = (
    ControlRoute("GET", "/_sandbox/event_faults", show),
    ControlRoute("POST", "/_sandbox/event_faults", add),
    ControlRoute("DELETE", "/_sandbox/event_faults", clear),
    ControlRoute("POST", "/_sandbox/event_faults/release", release),
)

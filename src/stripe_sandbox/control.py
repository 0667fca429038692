"""The sandbox's own addresses: its clock, faults, settings and deliveries, and a fresh start."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import msgspec

from stripe_sandbox.clock import LONGEST_STEP_SECONDS
from stripe_sandbox.delivery import Delivery
from stripe_sandbox.routing import ControlCall, ControlRoute
from stripe_sandbox.settings import changed
from stripe_sandbox.world import World

DEFAULT_LIMIT = 100


async def health(call: ControlCall) -> dict[str, Any]:
    return {"status": "ok", "now": call.world.now()}


async def add_fault(call: ControlCall) -> dict[str, Any]:
    return msgspec.structs.asdict(call.world.faults.add(call.body))


async def list_faults(call: ControlCall) -> dict[str, Any]:
    return {"data": call.world.faults.shown()}


async def clear_faults(call: ControlCall) -> dict[str, Any]:
    call.world.faults.clear()
    return {"data": []}


async def show_clock(call: ControlCall) -> dict[str, Any]:
    return {"now": call.world.now(), "offset_seconds": call.world.clock.offset_seconds}


async def move_clock(call: ControlCall) -> dict[str, Any]:
    """Move the clock forward by whole seconds and let happen what falls due."""
    seconds = call.body.get("advance_seconds")
    if type(seconds) is not int or not 0 <= seconds <= LONGEST_STEP_SECONDS:
        raise ValueError(f"advance_seconds is between 0 and {LONGEST_STEP_SECONDS}")
    await call.world.advance(seconds)
    return await show_clock(call)


async def show_settings(call: ControlCall) -> dict[str, Any]:
    return call.world.settings.shown()


async def change_settings(call: ControlCall) -> dict[str, Any]:
    call.world.settings = changed(call.world.settings, call.body)
    call.world.keep_standing()
    return await show_settings(call)


async def list_deliveries(call: ControlCall) -> dict[str, Any]:
    """The attempts to reach the product, newest first; `limit`, `type`, `object_id` narrow them."""
    limit = call.query.get("limit", str(DEFAULT_LIMIT))
    if not limit.isdecimal():
        raise ValueError("limit is a whole number")
    wanted = (
        delivery
        for delivery in call.world.deliveries.recorded()
        if call.query.get("type", delivery.type) == delivery.type
        and call.query.get("object_id", delivery.object_id) == delivery.object_id
    )
    return {"data": [_shown(call.world, one) for one in islice(wanted, int(limit))]}


async def reset(call: ControlCall) -> dict[str, Any]:
    call.world.reset()
    return await health(call)


def _shown(world: World, delivery: Delivery) -> dict[str, Any]:
    event = world.store.get("event", delivery.event_id)
    body = "" if event is None else bytes(event.body).decode()
    return msgspec.structs.asdict(delivery) | {"request_body": body}


ROUTES: Sequence[ControlRoute] = (
    ControlRoute("GET", "/_sandbox/health", health),
    ControlRoute("GET", "/_sandbox/faults", list_faults),
    ControlRoute("POST", "/_sandbox/faults", add_fault),
    ControlRoute("DELETE", "/_sandbox/faults", clear_faults),
    ControlRoute("GET", "/_sandbox/clock", show_clock),
    ControlRoute("POST", "/_sandbox/clock", move_clock),
    ControlRoute("GET", "/_sandbox/settings", show_settings),
    ControlRoute("POST", "/_sandbox/settings", change_settings),
    ControlRoute("GET", "/_sandbox/deliveries", list_deliveries),
    ControlRoute("POST", "/_sandbox/reset", reset),
)

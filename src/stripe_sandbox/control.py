"""The sandbox's own addresses: its clock, faults, settings and deliveries, and a fresh start."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import msgspec

from stripe_sandbox.books import books
from stripe_sandbox.clock import LONGEST_STEP_SECONDS
from stripe_sandbox.delivery import Delivery
from stripe_sandbox.routing import ControlCall, ControlRoute
from stripe_sandbox.settings import changed
from stripe_sandbox.world import World

DEFAULT_LIMIT = 100
CLOCK_MOVES_WITHIN_SECONDS = 20.0
MOST_DAYS_AGO = 400


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
    """Tell the time. With `unlike`, an offset in seconds, wait a while until it is another."""
    unlike = call.query.get("unlike")
    if unlike is not None:
        await call.world.clock_moves(int(unlike), CLOCK_MOVES_WITHIN_SECONDS)
    return _time(call)


def _time(call: ControlCall) -> dict[str, Any]:
    return {"now": call.world.now(), "offset_seconds": call.world.clock.offset_seconds}


async def move_clock(call: ControlCall) -> dict[str, Any]:
    """Move the clock forward by whole seconds and let happen what falls due."""
    seconds = call.body.get("advance_seconds")
    if type(seconds) is not int or not 0 <= seconds <= LONGEST_STEP_SECONDS:
        raise ValueError(f"advance_seconds is between 0 and {LONGEST_STEP_SECONDS}")
    await call.world.advance(seconds)
    return _time(call)


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


async def show_books(call: ControlCall) -> dict[str, Any]:
    """The sums of balances and holds, and under `violations` what does not agree with itself."""
    return books(call.world)


async def reset(call: ControlCall) -> dict[str, Any]:
    """Begin anew; `days_ago` with the time of then, `float_minor` with another Issuing balance."""
    days, minor = call.body.get("days_ago", 0), call.body.get("float_minor")
    if type(days) is not int or not 0 <= days <= MOST_DAYS_AGO:
        raise ValueError(f"days_ago is between 0 and {MOST_DAYS_AGO}")
    if minor is not None and (type(minor) is not int or minor <= 0):
        raise ValueError("float_minor is a number of cents")
    call.world.reset(seconds_ago=days * 86_400, float_minor=minor)
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
    ControlRoute("GET", "/_sandbox/books", show_books),
    ControlRoute("POST", "/_sandbox/reset", reset),
)

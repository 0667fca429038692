"""The pages at `/_sandbox/`: a terminal to pay with, deliveries, faults, clock and settings.

Pages and parts of pages are only read here. What a person does on them goes where any client's
requests go: to Stripe's interface under `/v1`, and to the sandbox's control addresses.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stripe_sandbox.issuing import catalogue as issuing
from stripe_sandbox.issuing.merchant_categories import CODES
from stripe_sandbox.pages import presets, views
from stripe_sandbox.pages.rendering import not_found, render, static_file
from stripe_sandbox.pages.wording import full_time, money, span
from stripe_sandbox.payments import catalogue as payments
from stripe_sandbox.payments.attempts import SANDBOX_BEHAVIOURS
from stripe_sandbox.payments.published_cards import TOKENS
from stripe_sandbox.routing import ControlCall, ControlRoute, Reply
from stripe_sandbox.world import World

Shown = dict[str, Any]

PAGES = {"terminal": "Terminal", "deliveries": "Deliveries", "faults": "Faults", "clock": "Clock"}


def status_of(world: World) -> Shown:
    """What the head of every page shows."""
    return {
        "now": full_time(world.now()),
        "offset": span(world.clock.offset_seconds),
        "behind": world.clock.offset_seconds < 0,
        "float": money(world.balance.available("issuing"), "usd"),
        "armed": world.faults.armed() + world.deliveries.faults.armed(),
    }


def terminal(world: World, _query: Mapping[str, str]) -> Shown:
    return {
        "cards": views.cards(world),
        "authorizations": views.authorizations(world),
        "purchases": presets.PURCHASES,
        "common_categories": presets.COMMON_CATEGORIES,
        "categories": CODES,
        "countries": presets.COUNTRIES,
        "webhook_url": world.settings.authorization_webhook_url,
        "timeout_default": world.settings.authorization_timeout,
    }


def deliveries(world: World, query: Mapping[str, str]) -> Shown:
    type_ = query.get("type", "")
    return {
        "deliveries": views.deliveries(world, type_),
        "types": views.delivery_types(world),
        "type": type_,
        "shown_at_most": views.DELIVERIES_SHOWN,
    }


def faults(world: World, _query: Mapping[str, str]) -> Shown:
    routes = (*issuing.ROUTES, *payments.ROUTES)
    return {
        "faults": world.faults.held,
        "presets": presets.FAULTS,
        "actions": presets.ACTIONS,
        "event_faults": world.deliveries.faults.held,
        "event_actions": presets.EVENT_ACTIONS,
        "event_types": presets.EVENT_TYPES,
        "held": len(world.deliveries.held_back()),
        "paths": sorted({route.template for route in routes}),
        "methods": views.methods(world),
        "tokens": list(TOKENS),
        "behaviours": sorted(SANDBOX_BEHAVIOURS),
    }


def clock(world: World, _query: Mapping[str, str]) -> Shown:
    return {"settings": world.settings, "float_pending": world.balance.pending("payments")}


CONTENTS: Mapping[str, Callable[[World, Mapping[str, str]], Shown]] = {
    "terminal": terminal,
    "deliveries": deliveries,
    "faults": faults,
    "clock": clock,
}
# Parts that are fetched anew while a page is open, with the page whose contents they show.
PARTS = {
    "authorizations": "terminal",
    "deliveries": "deliveries",
    "event_faults": "faults",
    "faults": "faults",
    "methods": "faults",
}


async def first_page(call: ControlCall) -> Reply:
    return page_of(call.world, "terminal", call.query)


async def page(call: ControlCall) -> Reply:
    name = call.path["page"]
    return page_of(call.world, name, call.query) if name in PAGES else not_found("page")


def page_of(world: World, name: str, query: Mapping[str, str]) -> Reply:
    contents = CONTENTS[name](world, query)
    return render(f"{name}.html", page=name, pages=PAGES, head=status_of(world), **contents)


async def part(call: ControlCall) -> Reply:
    name = call.path["part"]
    if name == "head":
        return render("parts/head.html", head=status_of(call.world))
    if name not in PARTS:
        return not_found("part")
    return render(f"parts/{name}.html", **CONTENTS[PARTS[name]](call.world, call.query))


async def outcome(call: ControlCall) -> Reply:
    """The answer that one purchase got."""
    one = views.authorization(call.world, call.path["authorization"])
    return render("parts/outcome.html", one=one)


async def delivery_bodies(call: ControlCall) -> Reply:
    """What was sent and answered in one attempt."""
    try:
        sent, answered = views.bodies(call.world, call.path["delivery"])
    except LookupError:
        return not_found("delivery")
    return render("parts/bodies.html", sent=sent, answered=answered)


async def static(call: ControlCall) -> Reply:
    return static_file(call.path["name"])


ROUTES: Sequence[ControlRoute] = (
    ControlRoute("GET", "/_sandbox", first_page),
    ControlRoute("GET", "/_sandbox/", first_page),
    ControlRoute("GET", "/_sandbox/pages/{page}", page),
    ControlRoute("GET", "/_sandbox/parts/{part}", part),
    ControlRoute("GET", "/_sandbox/parts/outcome/{authorization}", outcome),
    ControlRoute("GET", "/_sandbox/parts/bodies/{delivery}", delivery_bodies),
    ControlRoute("GET", "/_sandbox/static/{name}", static),
)

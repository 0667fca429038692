"""All of the sandbox on one page: its routes, and what else the engine runs."""

from collections.abc import Mapping, Sequence

from stripe_sandbox import control, event_control, event_log, webhook_endpoints
from stripe_sandbox.issuing import catalogue as issuing
from stripe_sandbox.pages import routes as pages
from stripe_sandbox.payments import catalogue as payments
from stripe_sandbox.routing import ControlRoute, Route
from stripe_sandbox.stripe_js import catalogue as stripe_js
from stripe_sandbox.world import ClockHook, Presenter

ROUTES: Sequence[Route] = (
    *webhook_endpoints.ROUTES,
    *event_log.ROUTES,
    *issuing.ROUTES,
    *payments.ROUTES,
    *stripe_js.ROUTES,
)
CONTROL_ROUTES: Sequence[ControlRoute] = (
    *control.ROUTES,
    *event_control.ROUTES,
    *issuing.CONTROL_ROUTES,
    *payments.CONTROL_ROUTES,
    *stripe_js.CONTROL_ROUTES,
    *pages.ROUTES,
)
PRESENTERS: Mapping[str, Presenter] = {**issuing.PRESENTERS, **payments.PRESENTERS}
ON_CLOCK: Sequence[ClockHook] = (
    *issuing.ON_CLOCK,
    *payments.ON_CLOCK,
    *stripe_js.ON_CLOCK,
)
ON_START: Sequence[ClockHook] = issuing.ON_START

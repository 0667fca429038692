"""The Issuing half of the interface."""

from collections.abc import Mapping, Sequence

from stripe_sandbox.issuing import (
    authorizations,
    cardholders,
    cards,
    control,
    holding,
    lifecycle,
    purchases,
    transactions,
    without_asking,
)
from stripe_sandbox.routing import ControlRoute, Route
from stripe_sandbox.world import ClockHook, Presenter

ROUTES: Sequence[Route] = (
    *cardholders.ROUTES,
    *cards.ROUTES,
    *authorizations.ROUTES,
    *transactions.ROUTES,
    *purchases.ROUTES,
    *without_asking.ROUTES,
)
CONTROL_ROUTES: Sequence[ControlRoute] = control.ROUTES
PRESENTERS: Mapping[str, Presenter] = {
    cards.KIND: cards.show,
    authorizations.KIND: authorizations.show,
}
ON_CLOCK: Sequence[ClockHook] = (lifecycle.expire_due,)
ON_START: Sequence[ClockHook] = (
    holding.take_up,
    cardholders.finish_reviews,
    lifecycle.conclude_interrupted,
)

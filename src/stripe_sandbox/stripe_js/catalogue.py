"""All that stands in for Stripe.js: the script, its frames, what they ask, and ephemeral keys."""

from collections.abc import Sequence

from stripe_sandbox.routing import ControlRoute, Route
from stripe_sandbox.stripe_js import confirming, ephemeral_keys, revealing, serving
from stripe_sandbox.stripe_js.publishable import for_browsers
from stripe_sandbox.world import ClockHook

HOME = "/_sandbox/stripe_js"

ROUTES: Sequence[Route] = ephemeral_keys.ROUTES
CONTROL_ROUTES: Sequence[ControlRoute] = (
    ControlRoute("GET", "/_sandbox/stripe.js", serving.script),
    ControlRoute("GET", HOME + "/frames/{frame}", serving.frame),
    ControlRoute("GET", HOME + "/static/{name}", serving.static),
    ControlRoute("POST", HOME + "/retrieve", for_browsers(confirming.retrieve)),
    ControlRoute("POST", HOME + "/confirm", for_browsers(confirming.confirm)),
    ControlRoute("POST", HOME + "/challenge", for_browsers(confirming.challenge)),
    ControlRoute("POST", HOME + "/authenticate", for_browsers(confirming.authenticate)),
    ControlRoute("POST", HOME + "/nonces", for_browsers(revealing.create_nonce)),
    ControlRoute("POST", HOME + "/issuing_card", for_browsers(revealing.retrieve_card)),
    ControlRoute("POST", HOME + "/issuing_card_field", for_browsers(revealing.retrieve_field)),
)
ON_CLOCK: Sequence[ClockHook] = (ephemeral_keys.forget_expired,)

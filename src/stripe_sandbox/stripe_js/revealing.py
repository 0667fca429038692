"""What shows a card to its holder: nonces, the card without its number, and one field at a time.

https://docs.stripe.com/issuing/elements
"""

from typing import Any

from stripe_sandbox.errors import StripeError
from stripe_sandbox.issuing.card_numbers import card_secrets
from stripe_sandbox.stripe_js.ephemeral_keys import card_opened_by, make_nonce
from stripe_sandbox.stripe_js.publishable import Body, text
from stripe_sandbox.world import Object, World

CARD_SHOWN = (
    *("id", "object", "brand", "cancellation_reason", "created", "currency", "exp_month"),
    *("exp_year", "last4", "livemode", "replaced_by", "replacement_for", "status", "type"),
)
SECRETS = frozenset({"number", "cvc"})


async def create_nonce(world: World, body: Body) -> dict[str, Any]:
    return {"nonce": make_nonce(world, text(body, "issuing_card"))}


async def retrieve_card(world: World, body: Body) -> dict[str, Any]:
    """What `stripe.retrieveIssuingCard` gives the page: nothing that is secret."""
    card = world.present(_opened(world, body))
    holder = card["cardholder"]
    named = {name: holder[name] for name in ("id", "object", "name")}
    return {name: card[name] for name in CARD_SHOWN} | {"cardholder": named}


async def retrieve_field(world: World, body: Body) -> dict[str, Any]:
    """One field, for the frame that displays it. Only virtual cards show number and CVC."""
    card, field = _opened(world, body), text(body, "field")
    if field == "expiry":
        return {"value": f"{card['exp_month']:02}/{card['exp_year'] % 100:02}"}
    if field not in SECRETS:
        raise StripeError("Invalid field: must be one of number, cvc, or expiry", param="field")
    if card["type"] != "virtual":
        raise StripeError(
            f"The {field} of a physical card cannot be retrieved.", param="issuing_card"
        )
    return {"value": card_secrets(card["id"])[field]}


def _opened(world: World, body: Body) -> Object:
    return card_opened_by(
        world,
        text(body, "ephemeral_key_secret"),
        text(body, "nonce"),
        text(body, "issuing_card"),
    )

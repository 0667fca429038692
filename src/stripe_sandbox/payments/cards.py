"""PaymentMethods made of published test cards, and what the sandbox remembers of each.

https://docs.stripe.com/api/payment_methods/object
"""

from typing import Any

from stripe_sandbox.errors import StripeError
from stripe_sandbox.payments.patching import address_of
from stripe_sandbox.payments.published_cards import (
    CARDS_BY_NUMBER,
    EXPIRY,
    TOKENS,
    PublishedCard,
    card_of_token,
)
from stripe_sandbox.world import World

# Beside the PaymentMethod itself, because Stripe does not show it.
REMEMBERED = "sandbox.card"


def published(given: dict[str, Any]) -> PublishedCard:
    if "token" in given:
        card = card_of_token(given["token"])
        if card is None:
            raise StripeError(
                f"No such token: '{given['token']}'", code="resource_missing", param="card[token]"
            )
        return card
    card = CARDS_BY_NUMBER.get(str(given.get("number", "")).replace(" ", ""))
    if card is None:
        raise StripeError(
            "Your card was declined. Your request was in test mode, but used a non test card. For "
            "a list of valid test cards, visit: https://stripe.com/docs/testing.",
            status=402,
            type="card_error",
            code="card_declined",
            decline_code="test_mode_live_card",
        )
    return card


def clone(world: World, card: PublishedCard, billing_details: Any) -> dict[str, Any]:
    method: dict[str, Any] = {
        "id": world.new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": billing_details_of({}) | billing_details_of(billing_details or {}),
        "card": _card_facts(card),
        "created": world.now(),
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }
    world.add(method)
    token = next(token for token, known in TOKENS.items() if known == card)
    world.add(
        {
            "id": _key(method),
            "object": REMEMBERED,
            "token": token,
            "behaves_like": None,
            "set_up": False,
            "spent": False,
        }
    )
    return method


def _card_facts(card: PublishedCard) -> dict[str, Any]:
    return {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "unchecked",
        },
        "country": "US",
        "display_brand": card.brand,
        "exp_month": EXPIRY[0],
        "exp_year": EXPIRY[1],
        "fingerprint": card.fingerprint,
        "funding": card.funding,
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def billing_details_of(given: dict[str, Any]) -> dict[str, Any]:
    details = {name: given.get(name) or None for name in ("email", "name", "phone", "tax_id")}
    return {"address": address_of(given.get("address")), **details}


def card_behind(world: World, method: dict[str, Any]) -> PublishedCard:
    """The published card a PaymentMethod was made of."""
    return TOKENS[remembered(world, method)["token"]]


def acting_card(world: World, method: dict[str, Any]) -> PublishedCard:
    """The published card a PaymentMethod is charged as: its own, or the one it was told to be."""
    memory = remembered(world, method)
    return TOKENS.get(memory["behaves_like"], TOKENS[memory["token"]])


def remembered(world: World, method: dict[str, Any]) -> dict[str, Any]:
    """Its token, what it was told to behave like, whether it is set up and whether it is spent."""
    return world.get(REMEMBERED, _key(method))


def remember(world: World, method: dict[str, Any], **secrets: Any) -> None:
    """Change what is remembered of a PaymentMethod."""
    world.save(remembered(world, method) | secrets)


def _key(method: dict[str, Any]) -> str:
    return f"card:{method['id']}"

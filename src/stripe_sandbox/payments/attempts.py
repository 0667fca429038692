"""One attempt to pay a PaymentIntent with a card, and what the bank makes of it.

Outcomes of the published cards: https://docs.stripe.com/testing. Off-session authentication:
https://docs.stripe.com/payments/save-and-reuse.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, NoReturn

from stripe_sandbox.payments import charges
from stripe_sandbox.payments.cards import acting_card, remember, remembered
from stripe_sandbox.payments.charges import Manner
from stripe_sandbox.payments.deadlines import expect
from stripe_sandbox.payments.intents import next_action
from stripe_sandbox.payments.later import soon
from stripe_sandbox.payments.payment_methods import attach_to
from stripe_sandbox.payments.published_cards import (
    AUTHENTICATION_NOT_HANDLED,
    GENERIC,
    NEEDS_AUTHENTICATION,
    Authentication,
    Decline,
    PublishedCard,
)
from stripe_sandbox.payments.refusals import card_error, error_of
from stripe_sandbox.world import World

# What only the sandbox's saved cards can be told to do: answer 200 with a status that a caller
# who asked for a hold did not expect.
SANDBOX_BEHAVIOURS = frozenset(
    {
        "sandbox:processing",
        "sandbox:requires_action",
        "sandbox:requires_payment_method",
        "sandbox:succeeded",
    }
)

# On the sandbox's clock; then the bank has approved.
PROCESSING_SECONDS = 3_600


@dataclass(frozen=True)
class Terms:
    """How the caller confirmed."""

    manner: Manner = field(default_factory=Manner)
    error_on_requires_action: bool = False
    return_url: str | None = None
    authenticated: bool = False

    @staticmethod
    def of(params: dict[str, Any]) -> "Terms":
        card = (params.get("payment_method_options") or {}).get("card") or {}
        return Terms(
            manner=Manner(
                off_session=bool(params.get("off_session")),
                stored_credential_usage=card.get("stored_credential_usage"),
            ),
            error_on_requires_action=bool(params.get("error_on_requires_action")),
            return_url=params.get("return_url"),
        )


def attempt(world: World, intent: dict[str, Any], method: dict[str, Any], terms: Terms) -> None:
    """Charge the card, or hold the amount, and move the intent to what came of it.

    Raises the card's refusal; the intent then waits for another PaymentMethod.
    """
    memory = remembered(world, method)
    behaviour = memory["behaves_like"]
    intent |= {"last_payment_error": None, "next_action": None, "payment_method": method["id"]}
    if behaviour in SANDBOX_BEHAVIOURS:
        _unexpected(world, intent, method, terms, behaviour)
        return
    card = acting_card(world, method)
    if not terms.authenticated and _must_authenticate(card, terms.manner, set_up=memory["set_up"]):
        if terms.error_on_requires_action:
            _refuse(world, intent, method, AUTHENTICATION_NOT_HANDLED, None)
        if not terms.manner.off_session:
            require_action(world, intent, terms.return_url)
            return
        decline: Decline | None = NEEDS_AUTHENTICATION
    else:
        decline = card.decline
    if decline is not None:
        charge = charges.declined(world, intent, method, terms.manner, decline)
        world.emit("charge.failed", charge)
        _refuse(world, intent, method, decline, charge["id"])
    _approve(world, intent, method, terms.manner)


def answer_of(world: World, method: dict[str, Any]) -> str | None:
    """Foretell what refuses a charge of a saved card without its holder; None where it pays."""
    memory = remembered(world, method)
    behaviour: str | None = memory["behaves_like"]
    if behaviour in SANDBOX_BEHAVIOURS:
        return behaviour.removeprefix("sandbox:")
    card = acting_card(world, method)
    if _must_authenticate(card, Manner(off_session=True), set_up=memory["set_up"]):
        return NEEDS_AUTHENTICATION.reason
    return card.decline.reason if card.decline else None


def require_action(world: World, intent: dict[str, Any], return_url: str | None) -> None:
    """Have the intent wait for its card's holder."""
    intent["status"] = "requires_action"
    intent["next_action"] = next_action(intent, return_url)
    world.save(intent)
    world.emit("payment_intent.requires_action", intent)


def fail(
    world: World,
    intent: dict[str, Any],
    method: dict[str, Any],
    decline: Decline,
    charge_id: str | None,
) -> None:
    """Have the intent wait for another PaymentMethod, with the error it came to."""
    intent |= {
        "last_payment_error": error_of(decline, deepcopy(method), charge_id),
        "next_action": None,
        "payment_method": None,
        "processing": None,
        "status": "requires_payment_method",
    }
    if charge_id is not None:
        intent["latest_charge"] = charge_id
    world.save(intent)
    world.emit("payment_intent.payment_failed", intent)


def conclude(world: World, intent: dict[str, Any], charge: dict[str, Any]) -> None:
    """Bring the intent to where its approved charge is: succeeded, or waiting to be captured."""
    captured = charge["captured"]
    intent |= {
        "amount_capturable": 0 if captured else intent["amount"],
        "amount_received": intent["amount"] if captured else 0,
        "latest_charge": charge["id"],
        "next_action": None,
        "processing": None,
        "status": "succeeded" if captured else "requires_capture",
    }
    world.save(intent)
    if captured and intent["capture_method"] == "automatic":
        charges.book(world, charge)
    world.emit("charge.succeeded", charge)
    if captured:
        world.emit("payment_intent.succeeded", intent)
    else:
        expect(world, intent, charge["payment_method_details"]["card"]["capture_before"])
        world.emit("payment_intent.amount_capturable_updated", intent)
    if captured and charge["balance_transaction"] is None:
        soon(world, charges.book_later, charge)


def _must_authenticate(card: PublishedCard, manner: Manner, *, set_up: bool) -> bool:
    match card.authentication:
        case Authentication.NEVER:
            return False
        case Authentication.ALWAYS:
            return True
        case Authentication.UNTIL_SET_UP:
            return not (manner.off_session and set_up)
        case Authentication.ON_SESSION:
            return not manner.off_session


def _approve(world: World, intent: dict[str, Any], method: dict[str, Any], manner: Manner) -> None:
    captured = intent["capture_method"] != "manual"
    charge = charges.approved(world, intent, method, manner, captured=captured)
    if method["customer"] is None:
        remember(world, method, spent=True)
        if intent["setup_future_usage"] and intent["customer"]:
            attach_to(world, method, intent["customer"])
            remember(world, method, set_up=True)
    conclude(world, intent, charge)


def _refuse(
    world: World,
    intent: dict[str, Any],
    method: dict[str, Any],
    decline: Decline,
    charge_id: str | None,
) -> NoReturn:
    fail(world, intent, method, decline, charge_id)
    raise card_error(intent["last_payment_error"], payment_intent=intent)


def _unexpected(
    world: World, intent: dict[str, Any], method: dict[str, Any], terms: Terms, behaviour: str
) -> None:
    match behaviour:
        case "sandbox:requires_action":
            require_action(world, intent, terms.return_url)
        case "sandbox:requires_payment_method":
            charge = charges.declined(world, intent, method, terms.manner, GENERIC)
            world.emit("charge.failed", charge)
            fail(world, intent, method, GENERIC, charge["id"])
        case "sandbox:succeeded":
            conclude(
                world,
                intent,
                charges.approved(world, intent, method, terms.manner, captured=True),
            )
        case "sandbox:processing":
            charge = charges.pending(world, intent, method, terms.manner)
            intent |= {
                "latest_charge": charge["id"],
                "processing": {"card": {}, "type": "card"},
                "status": "processing",
            }
            world.save(intent)
            expect(world, intent, world.now() + PROCESSING_SECONDS)
            world.emit("charge.pending", charge)
            world.emit("payment_intent.processing", intent)

"""PaymentMethods: every published test card by its token, saved, listed and detached.

https://docs.stripe.com/api/payment_methods
"""

from typing import Any

from stripe_sandbox.errors import StripeError, no_such
from stripe_sandbox.listing import list_page
from stripe_sandbox.metadata import merged
from stripe_sandbox.payments.cards import (
    billing_details_of,
    card_behind,
    clone,
    published,
    remember,
    remembered,
)
from stripe_sandbox.payments.published_cards import card_of_token
from stripe_sandbox.payments.refusals import card_error, error_of
from stripe_sandbox.routing import Call
from stripe_sandbox.world import World


async def create(call: Call) -> dict[str, Any]:
    """`type=card` with `card[token]`, or with one of the published test numbers."""
    params = call.params
    if params.get("type", "card") != "card":
        raise StripeError(
            f'The payment method type "{params["type"]}" is invalid here: the sandbox has cards.',
            param="type",
        )
    given = params.get("card")
    if not given:
        raise StripeError("Missing required param: card.", code="parameter_missing", param="card")
    method = clone(call.world, published(given), params.get("billing_details"))
    if given.get("exp_month") and given.get("exp_year"):
        method["card"] |= {"exp_month": given["exp_month"], "exp_year": given["exp_year"]}
    method["metadata"] = merged({}, params.get("metadata"))
    method["allow_redisplay"] = params.get("allow_redisplay", "unspecified")
    call.world.save(method)
    return method


async def retrieve(call: Call) -> dict[str, Any]:
    return call.world.get("payment_method", call.path["payment_method"])


async def update(call: Call) -> dict[str, Any]:
    """Billing details, metadata and expiry; only of a saved PaymentMethod."""
    method = call.world.get("payment_method", call.path["payment_method"])
    if method["customer"] is None:
        raise StripeError(
            "You must save this PaymentMethod to a customer before you can update it.",
        )
    params = call.params
    method["metadata"] = merged(method["metadata"], params.get("metadata"))
    if "billing_details" in params:
        given = params["billing_details"] or {}
        method["billing_details"] |= {
            name: value for name, value in billing_details_of(given).items() if name in given
        }
    method["card"] |= {
        name: value
        for name, value in (params.get("card") or {}).items()
        if name in {"exp_month", "exp_year"}
    }
    call.world.save(method)
    call.world.emit("payment_method.updated", method)
    return method


async def list_all(call: Call) -> dict[str, Any]:
    """The saved ones, of one customer or of all."""
    if call.params.get("customer"):
        existing_customer(call.world, call.params["customer"])
        return _page(call, call.params["customer"])
    saved = (one for one in call.world.find("payment_method") if one["customer"] is not None)
    page: dict[str, Any] = list_page(call, "payment_method", saved)
    return page


async def list_of_customer(call: Call) -> dict[str, Any]:
    existing_customer(call.world, call.path["customer"], None)
    return _page(call, call.path["customer"])


async def retrieve_of_customer(call: Call) -> dict[str, Any]:
    existing_customer(call.world, call.path["customer"], None)
    method = call.world.get("payment_method", call.path["payment_method"])
    if method["customer"] != call.path["customer"]:
        raise no_such("payment_method", method["id"])
    return method


async def attach(call: Call) -> dict[str, Any]:
    """Save a card to a customer; a card that refuses everything refuses this too.

    https://docs.stripe.com/testing#declined-payments
    """
    customer = existing_customer(call.world, call.params["customer"])
    method = attachable(call.world, call.path["payment_method"])
    return attach_to(call.world, method, customer["id"])


async def detach(call: Call) -> dict[str, Any]:
    """Detach for good: Stripe never lets a detached PaymentMethod be used again."""
    method = call.world.get("payment_method", call.path["payment_method"])
    if method["customer"] is None:
        raise StripeError(
            "The payment method you provided is not attached to a customer so detachment is "
            "impossible."
        )
    return release(call.world, method)


def release(world: World, method: dict[str, Any]) -> dict[str, Any]:
    """Take a PaymentMethod from its customer, and spend it."""
    previous = {"customer": method["customer"]}
    method["customer"] = None
    world.save(method)
    remember(world, method, spent=True)
    world.emit("payment_method.detached", method, previous)
    return method


def attachable(world: World, given: str, param: str | None = None) -> dict[str, Any]:
    """The PaymentMethod of an id or token, if it is free and its card lets itself be saved."""
    method = usable(world, given, param)
    if method["customer"] is not None:
        raise StripeError(
            "The payment method you provided has already been attached to a customer."
        )
    card = card_behind(world, method)
    if card.decline is not None and not card.savable:
        raise card_error(error_of(card.decline, method))
    return method


def attach_to(world: World, method: dict[str, Any], customer: str) -> dict[str, Any]:
    """Attach without asking the card, and say so."""
    method["customer"] = customer
    world.save(method)
    world.emit("payment_method.attached", method)
    return method


def existing_customer(
    world: World, customer_id: str, param: str | None = "customer"
) -> dict[str, Any]:
    """The customer, or `resource_missing` when there is none or it was deleted."""
    customer = world.get("customer", customer_id, param=param)
    if customer.get("deleted"):
        raise no_such("customer", customer_id, param=param)
    return customer


def usable(world: World, given: str, param: str | None = "payment_method") -> dict[str, Any]:
    """The PaymentMethod of an id, or a new one when the id is a test token.

    Raises Stripe's refusal of a PaymentMethod that was detached or already spent without a
    customer.
    """
    card = card_of_token(given)
    if card is not None:
        return clone(world, card, None)
    method = world.get("payment_method", given, param=param)
    if remembered(world, method)["spent"] and method["customer"] is None:
        raise StripeError(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer "
            "attachment, shared with a connected account without Customer attachment, or was "
            "detached from a Customer. It may not be used again. To use a PaymentMethod multiple "
            "times, you must attach it to a Customer first.",
        )
    return method


def check_owner(method: dict[str, Any], customer: str | None) -> None:
    """Refuse a saved PaymentMethod on the intent of anybody but its customer."""
    owner = method["customer"]
    if owner is None or owner == customer:
        return
    if customer is None:
        raise StripeError(
            f"The PaymentMethod {method['id']} belongs to the Customer {owner}. Please include "
            "the Customer in the `customer` parameter on the PaymentIntent.",
            param="payment_method",
        )
    raise StripeError(
        f"The customer does not have a payment method with the ID {method['id']}. The payment "
        "method must be attached to the customer.",
        code="resource_missing",
        param="payment_method",
    )


def _page(call: Call, customer: str) -> dict[str, Any]:
    of_customer = call.world.find("payment_method", customer=customer, type=call.params.get("type"))
    page: dict[str, Any] = list_page(call, "payment_method", of_customer)
    return page

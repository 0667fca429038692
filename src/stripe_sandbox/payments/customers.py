"""Customers: who a saved card belongs to.

https://docs.stripe.com/api/customers
"""

from typing import Any

from stripe_sandbox.errors import StripeError
from stripe_sandbox.ids import random_text
from stripe_sandbox.listing import list_page
from stripe_sandbox.metadata import merged
from stripe_sandbox.payments.patching import address_of, without_empty
from stripe_sandbox.payments.payment_methods import (
    attach_to,
    attachable,
    existing_customer,
    release,
)
from stripe_sandbox.routing import Call
from stripe_sandbox.world import World

PREFIX_LENGTH = 8
PLAIN = ("description", "email", "name", "phone", "business_name", "individual_name")
NOT_SIMULATED = ("balance", "cash_balance", "source", "tax", "tax_id_data", "test_clock")


async def create(call: Call) -> dict[str, Any]:
    """Create; `payment_method` attaches one at once."""
    world, params = call.world, call.params
    _refuse_not_simulated(params)
    customer = _new(world)
    _change(world, customer, params)
    given = params.get("payment_method")
    method = attachable(world, given, "payment_method") if given else None
    world.add(customer)
    world.emit("customer.created", customer)
    if method is not None:
        attach_to(world, method, customer["id"])
    return customer


async def retrieve(call: Call) -> dict[str, Any]:
    """A deleted customer is still found, and says no more than that."""
    return call.world.get("customer", call.path["customer"])


async def update(call: Call) -> dict[str, Any]:
    customer = existing_customer(call.world, call.path["customer"], None)
    _refuse_not_simulated(call.params)
    before = dict(customer)
    _change(call.world, customer, call.params)
    call.world.save(customer)
    previous = {name: value for name, value in before.items() if customer[name] != value}
    if previous:
        call.world.emit("customer.updated", customer, previous)
    return customer


async def delete(call: Call) -> dict[str, Any]:
    """Delete for good; the customer's PaymentMethods are detached."""
    world = call.world
    customer = existing_customer(world, call.path["customer"], None)
    for method in list(world.find("payment_method", customer=customer["id"])):
        release(world, method)
    world.emit("customer.deleted", customer)
    return world.save({"id": customer["id"], "object": "customer", "deleted": True})


async def list_all(call: Call) -> dict[str, Any]:
    wanted = {name: call.params[name] for name in ("email",) if name in call.params}
    kept = (one for one in call.world.find("customer", **wanted) if not one.get("deleted"))
    page: dict[str, Any] = list_page(call, "customer", kept)
    return page


def _refuse_not_simulated(params: dict[str, Any]) -> None:
    for name in NOT_SIMULATED:
        if params.get(name):
            raise StripeError(f"The sandbox does not simulate `{name}`.", param=name)


def _change(world: World, customer: dict[str, Any], params: dict[str, Any]) -> None:
    customer |= without_empty(params, PLAIN)
    if "address" in params:
        customer["address"] = address_of(params["address"]) if params["address"] else None
    if "shipping" in params:
        customer["shipping"] = _shipping(params["shipping"])
    if "preferred_locales" in params:
        customer["preferred_locales"] = params["preferred_locales"]
    settings = params.get("invoice_settings") or {}
    if settings.get("default_payment_method"):
        method = world.get(
            "payment_method",
            settings["default_payment_method"],
            param="invoice_settings[default_payment_method]",
        )
        if method["customer"] != customer["id"]:
            raise StripeError(
                f"The customer does not have a payment method with the ID {method['id']}. The "
                "payment method must be attached to the customer.",
                code="resource_missing",
                param="invoice_settings[default_payment_method]",
            )
    customer["invoice_settings"] = customer["invoice_settings"] | without_empty(
        settings, ("default_payment_method", "footer", "custom_fields")
    )
    customer["metadata"] = merged(customer["metadata"], params.get("metadata"))


def _shipping(given: Any) -> dict[str, Any] | None:
    if not given:
        return None
    return {
        "address": address_of(given.get("address")),
        "name": given.get("name"),
        "phone": given.get("phone"),
    }


def _new(world: World) -> dict[str, Any]:
    return {
        "id": world.new_id("cus"),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": world.now(),
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": random_text(PREFIX_LENGTH).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }

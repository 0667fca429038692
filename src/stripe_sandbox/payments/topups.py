"""Top-ups: money pulled from the account's bank, on the Issuing balance or the payments balance.

https://docs.stripe.com/api/topups. `destination_balance=issuing` is documented beside the
interface: https://docs.stripe.com/issuing/funding/balance. Amounts are in minor units.
"""

import asyncio
import contextvars
from collections.abc import Sequence
from typing import Any, Literal, NotRequired

import stripe.params

# Names that the annotations of the create parameters refer to are looked up in this module.
from stripe._stripe_object import UntypedStripeObject  # noqa: F401
from stripe.params._topup_create_params import (
    TopupCreateParams,
    TopupCreateParamsPaymentMethodOptions,  # noqa: F401
)

from stripe_sandbox.errors import StripeError
from stripe_sandbox.listing import PAGING, is_within, list_page
from stripe_sandbox.metadata import merged
from stripe_sandbox.payments.intent_rules import MINIMUM_CHARGE
from stripe_sandbox.payments.refunds import pay_waiting
from stripe_sandbox.routing import Call, Route
from stripe_sandbox.world import World

KIND = "topup"
DESTINATION = "sandbox.topup_destination"
TEMPLATE = "/v1/topups/{topup}"
LARGEST_MINOR = 99_999_999
LONGEST_DESCRIPTOR = 15
# What is due within these real seconds is not left to the next look at the clock.
SOON_SECONDS = 60
LEAST_DELAY_SECONDS = 0.25
NOT_SIMULATED = ("payment_method", "payment_method_options", "source")


class CreateParams(TopupCreateParams):
    """What Stripe takes, also what it documents on another page than the interface's."""

    destination_balance: NotRequired[Literal["issuing"]]


async def create(call: Call) -> dict[str, Any]:
    """Pull money from the bank. It is pending until `expected_availability_date`."""
    world, params = call.world, call.params
    _check(params)
    seconds = world.settings.topup_seconds
    topup = world.add(
        {
            "id": world.new_id("tu"),
            "object": KIND,
            "amount": params["amount"],
            "balance_transaction": None,
            "created": world.now(),
            "currency": params["currency"].lower(),
            "description": params.get("description"),
            "expected_availability_date": world.now() + seconds,
            "failure_code": None,
            "failure_message": None,
            "initiated_by": "user",
            "livemode": False,
            "metadata": merged({}, params.get("metadata")),
            "payment_method": None,
            "payment_method_options": None,
            "source": None,
            "statement_descriptor": params.get("statement_descriptor"),
            "status": "pending",
            "transfer_group": params.get("transfer_group"),
        }
    )
    destination = {"balance": params.get("destination_balance", "payments")}
    world.store.put(DESTINATION, f"destination:{topup['id']}", destination)
    world.emit("topup.created", topup)
    if seconds <= SOON_SECONDS:
        # In an empty context, because no request is the cause of the event that follows.
        asyncio.get_running_loop().call_later(
            max(LEAST_DELAY_SECONDS, seconds), arrive, world, context=contextvars.Context()
        )
    return topup


async def retrieve(call: Call) -> dict[str, Any]:
    return call.world.get(KIND, call.path["topup"])


async def update(call: Call) -> dict[str, Any]:
    topup = call.world.get(KIND, call.path["topup"])
    if "description" in call.params:
        topup["description"] = call.params["description"]
    topup["metadata"] = merged(topup["metadata"], call.params.get("metadata"))
    return call.world.save(topup)


async def list_(call: Call) -> dict[str, Any]:
    """`amount` narrows by range as `created` does."""
    params = call.params
    equal = {name: value for name, value in params.items() if name not in PAGING | {"amount"}}
    found = call.world.find(KIND, **equal)
    if "amount" in params:
        found = (one for one in found if is_within(one["amount"], params["amount"]))
    return list_page(call, KIND, found)


async def cancel(call: Call) -> dict[str, Any]:
    """Call a top-up back; only while it is pending."""
    topup = call.world.get(KIND, call.path["topup"])
    if topup["status"] != "pending":
        raise StripeError(
            f"This top-up cannot be canceled because its status is `{topup['status']}`. Only "
            "pending top-ups can be canceled."
        )
    topup["status"] = "canceled"
    call.world.save(topup)
    call.world.emit("topup.canceled", topup)
    return topup


def succeed(world: World, topup: dict[str, Any]) -> None:
    """Have the money arrive on its balance."""
    destination = world.store.get(DESTINATION, f"destination:{topup['id']}")
    assert destination is not None
    moved = world.balance.add_transaction(
        destination["balance"],
        "topup",
        topup["amount"],
        source=topup["id"],
        description=topup["description"] or "Topup",
        currency=topup["currency"],
    )
    topup |= {"balance_transaction": moved["id"], "status": "succeeded"}
    world.save(topup)
    world.emit("topup.succeeded", topup)
    pay_waiting(world)


def fail(world: World, topup: dict[str, Any], code: str, message: str) -> None:
    """Have the bank refuse."""
    topup |= {
        "expected_availability_date": None,
        "failure_code": code,
        "failure_message": message,
        "status": "failed",
    }
    world.save(topup)
    world.emit("topup.failed", topup)


def arrive(world: World) -> None:
    """Have every top-up succeed whose day has come, oldest first."""
    now = world.now()
    pending = list(world.find(KIND, status="pending"))
    for topup in reversed(pending):
        if topup["expected_availability_date"] <= now:
            succeed(world, topup)


async def pass_time(world: World) -> None:
    arrive(world)


def _check(params: dict[str, Any]) -> None:
    for name in NOT_SIMULATED:
        if params.get(name):
            raise StripeError(f"The sandbox does not simulate `{name}`.", param=name)
    if not 1 <= params["amount"] <= LARGEST_MINOR:
        limit = "greater than or equal to 1"
        if params["amount"] > LARGEST_MINOR:
            limit = f"less than or equal to {LARGEST_MINOR}"
        raise StripeError(
            f"This value must be {limit}.", code="parameter_invalid_integer", param="amount"
        )
    if params["currency"].lower() not in MINIMUM_CHARGE:
        raise StripeError(f"Invalid currency: {params['currency']}.", param="currency")
    if len(params.get("statement_descriptor", "")) > LONGEST_DESCRIPTOR:
        raise StripeError(
            f"The statement descriptor must be at most {LONGEST_DESCRIPTOR} characters.",
            param="statement_descriptor",
        )


ROUTES: Sequence[Route] = (
    Route("POST", "/v1/topups", create, CreateParams),
    Route("GET", "/v1/topups", list_, stripe.params.TopupListParams, KIND),
    Route("GET", TEMPLATE, retrieve),
    Route("POST", TEMPLATE, update, stripe.params.TopupUpdateParams),
    Route("POST", f"{TEMPLATE}/cancel", cancel),
)

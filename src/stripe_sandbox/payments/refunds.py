"""Refunds of what was captured, and the release of what was only held.

https://docs.stripe.com/api/refunds and https://docs.stripe.com/refunds
"""

from typing import Any

from stripe_sandbox.errors import StripeError
from stripe_sandbox.ids import random_text
from stripe_sandbox.listing import list_page
from stripe_sandbox.metadata import merged
from stripe_sandbox.payments.cards import acting_card
from stripe_sandbox.payments.intent_rules import shown
from stripe_sandbox.payments.later import Work, soon
from stripe_sandbox.payments.published_cards import RefundOutcome
from stripe_sandbox.routing import Call
from stripe_sandbox.world import World

REFERENCE_LENGTH = 16
SHOWN_REFUNDS = 10


async def create(call: Call) -> dict[str, Any]:
    """Give back all that is left of a charge, or part of it."""
    world, params = call.world, call.params
    charge = _charge_to_refund(world, params)
    left = charge["amount"] - charge["amount_refunded"]
    amount = params.get("amount", left)
    if charge["refunded"] or left == 0:
        raise StripeError(
            f"Charge {charge['id']} has already been refunded.",
            code="charge_already_refunded",
        )
    if amount < 1:
        raise StripeError(
            "Invalid positive integer", code="parameter_invalid_integer", param="amount"
        )
    if amount > left:
        whole = "charge amount" if not charge["amount_refunded"] else "unrefunded amount on charge"
        currency = charge["currency"]
        raise StripeError(
            f"Refund amount ({shown(amount, currency)}) is greater than {whole} "
            f"({shown(left, currency)})",
            param="amount",
        )
    refund = _new(world, charge, amount, params.get("reason"))
    refund["metadata"] = merged({}, params.get("metadata"))
    _carry_out(world, charge, refund)
    return refund


async def retrieve(call: Call) -> dict[str, Any]:
    return call.world.get("refund", call.path["refund"])


async def list_of_charge(call: Call) -> dict[str, Any]:
    charge = call.world.get("charge", call.path["charge"])
    page: dict[str, Any] = list_page(call, "refund", call.world.find("refund", charge=charge["id"]))
    return page


async def update(call: Call) -> dict[str, Any]:
    refund = call.world.get("refund", call.path["refund"])
    refund["metadata"] = merged(refund["metadata"], call.params.get("metadata"))
    call.world.save(refund)
    call.world.emit("refund.updated", refund)
    return refund


def give_back_uncaptured(world: World, charge: dict[str, Any], reason: str | None) -> None:
    """Release a hold. Stripe marks the charge refunded; no money moved, so nothing is booked.

    https://docs.stripe.com/api/charges/capture
    """
    refund = _new(world, charge, charge["amount"], reason)
    refund["destination_details"] = {"card": {"type": "reversal"}, "type": "card"}
    world.add(refund)
    _apply(world, charge, refund)


def add_reference(world: World, refund: dict[str, Any]) -> None:
    """The bank's reference, which arrives after the refund."""
    previous = {"destination_details": refund["destination_details"]}
    refund["destination_details"] = _destination(random_text(REFERENCE_LENGTH), "available")
    world.save(refund)
    _keep(world, world.get("charge", refund["charge"]))
    world.emit("refund.updated", refund, previous)


def succeed_late(world: World, refund: dict[str, Any]) -> None:
    """What becomes of a refund to the test card whose refunds start as pending."""
    previous = {"status": refund["status"], "pending_reason": refund.pop("pending_reason", None)}
    refund["status"] = "succeeded"
    world.save(refund)
    _keep(world, world.get("charge", refund["charge"]))
    world.emit("refund.updated", refund, previous)


def fail_late(world: World, refund: dict[str, Any]) -> None:
    """The bank sends the money back, up to 30 days later: https://docs.stripe.com/refunds."""
    charge = world.get("charge", refund["charge"])
    returned = world.balance.add_transaction(
        "payments",
        "refund_failure",
        refund["amount"],
        source=refund["id"],
        description="REFUND FAILURE",
        currency=refund["currency"],
    )
    previous = {"status": refund["status"]}
    refund |= {
        "failure_balance_transaction": returned["id"],
        "failure_reason": "expired_or_canceled_card",
        "status": "failed",
    }
    world.save(refund)
    charge |= {"amount_refunded": charge["amount_refunded"] - refund["amount"], "refunded": False}
    _keep(world, charge)
    world.emit("refund.failed", refund)
    world.emit("refund.updated", refund, previous)
    pay_waiting(world)


def pay_waiting(world: World) -> None:
    """Pay the refunds that wait for available funds, oldest first, for as long as these suffice.

    What is too much for the balance holds up those behind it, in its own currency.
    """
    waiting = world.find("refund", pending_reason="insufficient_funds")
    stuck: set[str] = set()
    for refund in reversed(list(waiting)):
        if refund["currency"] in stuck or not _is_covered(world, refund):
            stuck.add(refund["currency"])
            continue
        previous = {name: refund[name] for name in ("balance_transaction", "status")}
        previous["pending_reason"] = refund.pop("pending_reason")
        refund["status"] = "succeeded"
        _pay(world, refund)
        unchanged = [name for name in previous if refund.get(name) == previous[name]]
        for name in unchanged:
            del previous[name]
        world.save(refund)
        _keep(world, world.get("charge", refund["charge"]))
        world.emit("refund.updated", refund, previous)


async def pass_time(world: World) -> None:
    """Pay what the clock's move has made funds available for."""
    pay_waiting(world)


LATE_WORKS: tuple[Work, ...] = (add_reference, succeed_late, fail_late)


def _charge_to_refund(world: World, params: dict[str, Any]) -> dict[str, Any]:
    if params.get("charge"):
        charge = world.get("charge", params["charge"], param="charge")
    elif params.get("payment_intent"):
        intent = world.get("payment_intent", params["payment_intent"], param="payment_intent")
        charge = _successful_charge(world, intent)
    else:
        raise StripeError(
            "One of the following params should be provided for this request: payment_intent or "
            "charge.",
            code="parameter_missing",
        )
    if charge["status"] != "succeeded":
        raise StripeError(f"Charge {charge['id']} did not succeed and cannot be refunded.")
    if not charge["captured"] and not charge["refunded"]:
        raise StripeError(
            "This uncaptured Charge was created by a PaymentIntent "
            f"({charge['payment_intent']}). You must cancel the PaymentIntent to reverse the "
            "authorization instead of refunding the Charge directly.",
            param="charge" if params.get("charge") else "payment_intent",
        )
    return charge


def _successful_charge(world: World, intent: dict[str, Any]) -> dict[str, Any]:
    latest = intent["latest_charge"]
    charge = None if latest is None else world.get("charge", latest)
    if charge is None or charge["status"] != "succeeded":
        raise StripeError(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
            param="payment_intent",
        )
    return charge


def _carry_out(world: World, charge: dict[str, Any], refund: dict[str, Any]) -> None:
    """Pay a new refund, or have it wait for the funds, and tell of it.

    Refunds draw on what is available, not on what is pending: https://docs.stripe.com/refunds.
    """
    if _is_covered(world, refund):
        _pay(world, refund)
    else:
        refund |= {"pending_reason": "insufficient_funds", "status": "pending"}
    world.add(refund)
    _apply(world, charge, refund)
    world.emit("refund.created", refund)
    world.emit("charge.refunded", charge)
    world.emit("refund.updated", refund)


def _is_covered(world: World, refund: dict[str, Any]) -> bool:
    if not world.settings.refunds_need_available_funds:
        return True
    return world.balance.available("payments", refund["currency"]) >= int(refund["amount"])


def _pay(world: World, refund: dict[str, Any]) -> None:
    """Take the money of a refund, which then goes as its card has it go."""
    outcome = acting_card(world, {"id": refund["payment_method"]}).refund
    transaction = world.balance.add_transaction(
        "payments",
        "refund",
        -refund["amount"],
        source=refund["id"],
        description="REFUND FOR CHARGE",
        currency=refund["currency"],
    )
    refund["balance_transaction"] = transaction["id"]
    if outcome is RefundOutcome.PENDS:
        refund |= {"pending_reason": "processing", "status": "pending"}
    late = {RefundOutcome.PENDS: succeed_late, RefundOutcome.FAILS: fail_late}
    soon(world, late.get(outcome, add_reference), refund)


def _apply(world: World, charge: dict[str, Any], refund: dict[str, Any]) -> None:
    charge["amount_refunded"] += refund["amount"]
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    _keep(world, charge)


def _keep(world: World, charge: dict[str, Any]) -> None:
    """Save a charge with its refunds as they are now."""
    refunds = [dict(refund) for refund in world.find("refund", charge=charge["id"])]
    charge["refunds"] |= {"data": refunds[:SHOWN_REFUNDS], "has_more": len(refunds) > SHOWN_REFUNDS}
    world.save(charge)


def _new(world: World, charge: dict[str, Any], amount: int, reason: str | None) -> dict[str, Any]:
    return {
        "id": world.new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": world.now(),
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "destination_details": _destination(None, "pending"),
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


def _destination(reference: str | None, status: str) -> dict[str, Any]:
    card = {"reference_status": status, "reference_type": "acquirer_reference_number"}
    if reference is not None:
        card["reference"] = reference
    return {"card": card | {"type": "refund"}, "type": "card"}

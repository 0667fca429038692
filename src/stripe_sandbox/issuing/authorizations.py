"""Authorizations: what merchants asked of cards, and what was decided.

https://docs.stripe.com/api/issuing/authorizations. Amounts are in minor units.
"""

from collections.abc import Sequence
from typing import Any

from stripe.params import issuing as params_of

from stripe_sandbox.ids import random_text
from stripe_sandbox.issuing.holding import hold, movements
from stripe_sandbox.issuing.realtime import Verdict, ask
from stripe_sandbox.issuing.refusing import early_refusal
from stripe_sandbox.issuing.spending import count
from stripe_sandbox.listing import list_page
from stripe_sandbox.metadata import merged
from stripe_sandbox.routing import Call, Route
from stripe_sandbox.world import World

KIND = "issuing.authorization"
TEMPLATE = "/v1/issuing/authorizations/{authorization}"


async def retrieve(call: Call) -> dict[str, Any]:
    return call.world.get(KIND, call.path["authorization"])


async def update(call: Call) -> dict[str, Any]:
    world = call.world
    authorization = world.get(KIND, call.path["authorization"])
    before = dict(authorization)
    authorization["metadata"] = merged(authorization["metadata"], call.params.get("metadata"))
    save_changes(world, authorization, before)
    return authorization


async def list_(call: Call) -> dict[str, Any]:
    return list_page(call, KIND)


def show(world: World, authorization: dict[str, Any]) -> dict[str, Any]:
    """An authorization as Stripe shows it: with its card, its transactions, and its money."""
    card = world.present(world.get("issuing.card", authorization["card"]))
    transactions = world.find("issuing.transaction", authorization=authorization["id"])
    return authorization | {
        "balance_transactions": movements(world, authorization),
        "card": card,
        "transactions": list(transactions),
    }


def save_changes(world: World, authorization: dict[str, Any], before: dict[str, Any]) -> None:
    """Keep a changed authorization and say what changed."""
    world.save(authorization)
    previous = {name: before[name] for name in before if before[name] != authorization[name]}
    if previous:
        world.emit("issuing_authorization.updated", authorization, previous)


async def decide(
    world: World, authorization: dict[str, Any], pending: dict[str, Any], *, is_first: bool
) -> None:
    """Put one request through the checks, ask about it where they pass, and record the outcome.

    What fails a check is never asked about.
    """
    now = world.now()
    refusal = early_refusal(world, authorization, pending, is_first=is_first)
    if refusal is not None:
        verdict = Verdict(approved=False, reason=refusal, amount=pending["amount"])
    else:
        authorization["pending_request"] = pending
        world.save(authorization)
        verdict = await ask(world, authorization)
    conclude(world, authorization, pending, verdict, requested_at=now)


def conclude(
    world: World,
    authorization: dict[str, Any],
    pending: dict[str, Any],
    verdict: Verdict,
    *,
    requested_at: int,
) -> None:
    """Write the outcome of one request into its authorization, and hold what was approved."""
    is_first = not authorization["request_history"]
    entry = _entry(world, pending, verdict, requested_at)
    # A new list: what was shown before must not change.
    authorization["request_history"] = [*authorization["request_history"], entry]
    authorization["pending_request"] = None
    if verdict.metadata:
        authorization["metadata"] = merged(authorization["metadata"], dict(verdict.metadata))
    if verdict.approved or is_first:
        # A declined authorization shows the amount that was refused.
        authorization["amount"] += entry["amount"]
        authorization["merchant_amount"] += entry["merchant_amount"]
    if verdict.approved:
        authorization["approved"] = True
        hold(world, authorization, verdict.amount)
        count(world.store, authorization, verdict.amount)
    elif is_first:
        authorization["status"] = "closed"
    world.save(authorization)


def _entry(
    world: World, pending: dict[str, Any], verdict: Verdict, requested_at: int
) -> dict[str, Any]:
    """One entry of the history: what was asked for, or the part of it that was approved."""
    merchant_amount = pending["merchant_amount"]
    if verdict.amount != pending["amount"]:
        merchant_amount = merchant_amount * verdict.amount // pending["amount"]
    return {
        "amount": verdict.amount,
        "amount_details": pending["amount_details"],
        "approved": verdict.approved,
        "authorization_code": _authorization_code() if verdict.approved else None,
        "created": world.now(),
        "currency": pending["currency"],
        "merchant_amount": merchant_amount,
        "merchant_currency": pending["merchant_currency"],
        "network_risk_score": pending["network_risk_score"],
        "reason": verdict.reason,
        "reason_message": verdict.reason_message,
        "requested_at": requested_at,
    }


def _authorization_code() -> str:
    return "S" + "".join(str(ord(letter) % 10) for letter in random_text(5))


ROUTES: Sequence[Route] = (
    Route("GET", "/v1/issuing/authorizations", list_, params_of.AuthorizationListParams, KIND),
    Route("GET", TEMPLATE, retrieve),
    Route("POST", TEMPLATE, update, params_of.AuthorizationUpdateParams),
)

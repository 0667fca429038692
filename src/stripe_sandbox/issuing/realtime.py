"""The question Stripe asks in real time, and how its answer is judged.

https://docs.stripe.com/issuing/controls/real-time-authorizations: two seconds from sending, then
the account's default; an answer is a 200 in JSON with a `Stripe-Version` header.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from stripe_sandbox.delivery import Outcome
from stripe_sandbox.events import REAL_TIME, make_event
from stripe_sandbox.world import World

VERSION = re.compile(r"^\d{4}-\d{2}-\d{2}(\.[a-z_]+)?$")
OK = 200


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is decided about one request: `reason` is the one that goes into its history."""

    approved: bool
    reason: str
    amount: int
    reason_message: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


class Unusable(Exception):
    """An answer that Stripe would not take, and why."""


class _Answer(msgspec.Struct, forbid_unknown_fields=True):
    approved: bool
    amount: int | None = None
    metadata: dict[str, str] = {}
    send_fraud_challenges: list[str] = []


async def ask(world: World, authorization: dict[str, Any]) -> Verdict:
    """Ask the real-time webhook about the pending request of an authorization.

    Without a webhook the request is approved, as by Stripe.
    """
    pending = authorization["pending_request"]
    settings = world.settings
    url, secret = settings.authorization_webhook_url, settings.authorization_webhook_secret
    if not url or not secret:
        return Verdict(approved=True, reason="card_active", amount=pending["amount"])
    event = make_event(
        REAL_TIME, world.present(authorization), None, created=world.now(), pending_webhooks=0
    )
    world.store.put("event", event.id, event)
    outcome = await world.deliveries.post(
        url, secret, bytes(event.body), timeout_seconds=settings.authorization_seconds
    )
    verdict = judge(outcome, pending, settings.authorization_timeout, settings.webhook_error)
    delivery = world.deliveries.record(event, url, outcome, attempt=1)
    delivery.approved, delivery.reason = verdict.approved, verdict.reason
    delivery.error = delivery.error or verdict.reason_message
    return verdict


def judge(outcome: Outcome, pending: Mapping[str, Any], on_timeout: str, on_error: str) -> Verdict:
    """Judge what came back for a pending request: an answer, silence, or something unusable."""
    requested = pending["amount"]
    if outcome.timed_out:
        approves = on_timeout == "approve"
        return Verdict(approved=approves, reason="webhook_timeout", amount=requested)
    try:
        answer = _read(outcome, pending)
    except Unusable as unusable:
        approves = on_error == "approve"
        return Verdict(
            approved=approves,
            reason="webhook_error",
            amount=requested,
            reason_message=str(unusable),
        )
    return Verdict(
        approved=answer.approved,
        reason="webhook_approved" if answer.approved else "webhook_declined",
        amount=requested if answer.amount is None or not answer.approved else answer.amount,
        metadata=answer.metadata,
    )


def _read(outcome: Outcome, pending: Mapping[str, Any]) -> _Answer:
    if outcome.error is not None:
        raise Unusable(f"The webhook could not be reached: {outcome.error}")
    if outcome.status != OK:
        raise Unusable(f"The webhook answered with status {outcome.status}; 200 is expected.")
    version = outcome.headers.get("stripe-version", "")
    if VERSION.match(version) is None:
        raise Unusable("The answer has no valid Stripe-Version header.")
    content_type = outcome.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Unusable(f"The answer's Content-Type is {content_type!r}, not application/json.")
    try:
        answer = msgspec.json.decode(outcome.body, type=_Answer)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise Unusable(f"The answer's body cannot be used: {error}") from error
    _check_amount(answer.amount, pending)
    return answer


def _check_amount(amount: int | None, pending: Mapping[str, Any]) -> None:
    if amount is None:
        return
    if not pending["is_amount_controllable"]:
        raise Unusable("The answer has an amount, but the amount is not controllable.")
    cashback = (pending["amount_details"] or {}).get("cashback_amount") or 0
    if not max(1, cashback) <= amount <= pending["amount"]:
        raise Unusable(f"The answer's amount is not between 1 and {pending['amount']}.")

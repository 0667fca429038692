"""Asks Stripe, and not our tables, whether every approved purchase has exactly one live charge.

A request is approved when Stripe's request_history says so; a charge is live when its PaymentIntent
holds money or has taken some that was not given back in full.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec


class Line(msgspec.Struct, frozen=True):
    """One purchase as Stripe has it: how many charges it should have live, and how many it has."""

    authorization: str
    merchant: str
    amount_minor: int
    status: str
    expected: int
    live: int

    @property
    def right(self) -> bool:
        return self.expected == self.live


class Verdict(msgspec.Struct, frozen=True):
    lines: list[Line]
    # Live charges that name none of the purchases.
    strays: list[str]

    @property
    def true(self) -> bool:
        return not self.strays and all(line.right for line in self.lines)


def is_live(intent: dict[str, Any]) -> bool:
    """Say whether a PaymentIntent holds a customer's money; its latest charge is expanded."""
    if intent["status"] == "requires_capture":
        return True
    charge = intent["latest_charge"]
    taken = intent["amount_received"]
    if intent["status"] != "succeeded" or not isinstance(charge, dict):
        return bool(intent["status"] == "succeeded")
    given_back = charge["amount_refunded"] - (charge["amount"] - charge["amount_captured"])
    return bool(taken > given_back)


def judge(authorizations: Sequence[dict[str, Any]], intents: Sequence[dict[str, Any]]) -> Verdict:
    """Compare Stripe's authorizations with its PaymentIntents, oldest purchase first."""
    live = Counter(
        one["metadata"].get("authorization", one["id"]) for one in intents if is_live(one)
    )
    lines = [_line(told, live.pop(told["id"], 0)) for told in reversed(authorizations)]
    return Verdict(lines, sorted(live))


def _line(told: dict[str, Any], live: int) -> Line:
    history = told["request_history"]
    approved = sum(request["approved"] and request["amount"] > 0 for request in history)
    ended = told["status"] in ("reversed", "expired")
    return Line(
        authorization=told["id"],
        merchant=told["merchant_data"]["name"] or "",
        amount_minor=sum(request["amount"] for request in history),
        status=f"approved, {told['status']}" if told["approved"] else "declined",
        expected=0 if ended else approved,
        live=live,
    )

"""Asks Stripe, and not our tables, whether every approved purchase has exactly one live charge.

A request is approved when Stripe's request_history says so; a charge is live when its PaymentIntent
holds money or has taken some that was not given back in full. A purchase that was asked about twice
has two requests, each with a charge of its own.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec


class Line(msgspec.Struct, frozen=True):
    """One request as Stripe has it: what its live charges hold, and how many there should be."""

    merchant: str
    amount_minor: int
    approved: bool
    status: str
    expected: int
    live_minor: list[int]

    @property
    def right(self) -> bool:
        return self.expected == len(self.live_minor)


class Verdict(msgspec.Struct, frozen=True):
    """All requests, oldest first, and the live charges that name none of them."""

    lines: list[Line]
    strays: list[str]

    @property
    def true(self) -> bool:
        return not self.strays and all(line.right for line in self.lines)


def kept_minor(intent: dict[str, Any]) -> int:
    """Give what a PaymentIntent with its latest charge holds or has taken, less what went back.

    Stripe counts the released rest of a hold as refunded too.
    Source: https://docs.stripe.com/payments/place-a-hold-on-a-payment-method#capture-funds
    """
    if intent["status"] == "requires_capture":
        return int(intent["amount"])
    if intent["status"] != "succeeded":
        return 0
    charge = intent["latest_charge"]
    given_back = charge["amount_refunded"] - (charge["amount"] - charge["amount_captured"])
    return int(intent["amount_received"] - given_back)


def judge(authorizations: Sequence[dict[str, Any]], intents: Sequence[dict[str, Any]]) -> Verdict:
    """Compare what Stripe lists, newest first: a customer's authorizations and PaymentIntents."""
    live: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for intent in intents:
        if kept_minor(intent) > 0:
            named = intent["metadata"]
            live[named.get("authorization", ""), named.get("request", "")].append(intent)
    lines = [line for told in reversed(authorizations) for line in _lines(told, live)]
    return Verdict(lines, sorted(intent["id"] for strays in live.values() for intent in strays))


def _lines(
    told: dict[str, Any], live: defaultdict[tuple[str, str], list[dict[str, Any]]]
) -> Iterator[Line]:
    """Give a line for each request of a purchase, taking its charges out of `live`."""
    stands = told["status"] not in {"reversed", "expired"}
    for number, request in enumerate(told["request_history"]):
        charges = live.pop((told["id"], str(number)), [])
        funded = request["approved"] and request["amount"] > 0 and stands
        yield Line(
            merchant=told["merchant_data"]["name"] or "",
            amount_minor=request["amount"],
            approved=request["approved"],
            status=told["status"],
            expected=1 if funded else 0,
            live_minor=[kept_minor(charge) for charge in charges],
        )

"""Says what is wrong with a purchase once nothing is under way any more."""

from collections.abc import Iterator, Mapping
from typing import Any

import asyncpg

from app.domain.funding.states import ChargeState
from app.domain.issuing.states import CardState, RequestState
from app.domain.issuing.uncharged import NOBODY_CHARGED
from tests.oracle import with_fee
from tests.simulation.stripe_world import Intent, Purchase, StripeWorld

PURCHASE = """
SELECT asked.state, asked.verified_at, asked.stripe_approved, asked.reserved_minor,
       made.not_handled, made.leased_until, card.state AS card_state
  FROM card_authorization AS made
  JOIN authorization_request AS asked ON asked.authorization_id = made.id
  JOIN card ON card.id = made.card_id
 WHERE made.stripe_authorization_id = $1
"""
CHARGES = """
SELECT charge.idempotency_key, charge.state, charge.stripe_payment_intent_id,
       charge.captured_minor - charge.refunded_minor AS kept_minor
  FROM charge JOIN card_authorization AS made ON made.id = charge.purchase_id
 WHERE made.stripe_authorization_id = $1
"""


async def judge(pool: asyncpg.Pool, world: StripeWorld, purchase: Purchase) -> list[str]:
    """Hold Stripe's charges against its word, then our rows against both."""
    rows = await pool.fetch(PURCHASE, purchase.ask.authorization)
    charges = await pool.fetch(CHARGES, purchase.ask.authorization)
    intents = world.intents_of(purchase.ask.authorization)
    return [
        *_money(purchase, intents),
        *(_our_word(purchase, rows[0]) if len(rows) == 1 else [f"{len(rows)} rows of it"]),
        *_our_charges(charges, intents),
    ]


def _money(purchase: Purchase, intents: list[Intent]) -> Iterator[str]:
    assert purchase.word is not None
    live = [one.order.amount_minor - one.refunded_minor for one in intents if one.is_live]
    owed = purchase.word.approved and not purchase.case.cannot_be_charged
    due = [with_fee(purchase.ask.amount_minor)] if owed else []
    if live != due:
        yield f"{purchase.word.reason}, {live} is live where {due} must be"


def _our_word(purchase: Purchase, row: Mapping[str, Any]) -> Iterator[str]:
    assert purchase.word is not None
    approved = purchase.word.approved
    unpaid = approved and purchase.case.cannot_be_charged
    if row["verified_at"] is None:
        yield "it is not verified"
    if row["state"] == RequestState.DECIDING:
        yield "it is still being decided"
    if row["leased_until"] is not None:
        yield "it is still being settled"
    if row["stripe_approved"] is not approved:
        yield f"Stripe's word is {approved}, and {row['stripe_approved']} with us"
    if row["reserved_minor"] != (purchase.ask.amount_minor if approved else 0):
        yield f"it uses {row['reserved_minor']} of the limits"
    if row["not_handled"] != (NOBODY_CHARGED if unpaid else None):
        yield f"staff are told {row['not_handled']}"
    if row["card_state"] != (CardState.FROZEN if unpaid else CardState.ACTIVE):
        yield f"the card is {row['card_state']}"


def _our_charges(rows: list[Mapping[str, Any]], intents: list[Intent]) -> Iterator[str]:
    ours = {row["stripe_payment_intent_id"]: row for row in rows}
    for intent in intents:
        row = ours.get(intent.id)
        kept = intent.captured_minor - intent.refunded_minor
        if row is None:
            yield f"{intent.id}, {intent.state}, is not in our table"
        elif (row["state"], row["kept_minor"]) != (intent.state, kept):
            yield f"{intent.id} is {intent.state}, and {row['state']} with us"
    for row in rows:
        certain = row["state"] in {ChargeState.DECLINED, ChargeState.CANCELED}
        if row["stripe_payment_intent_id"] is None and not certain:
            yield f"our charge {row['idempotency_key']} is {row['state']} and Stripe has none"

"""Charges: each attempt at a card, what the bank said, what was captured and given back.

https://docs.stripe.com/api/charges
"""

from dataclasses import dataclass
from typing import Any

from stripe_sandbox.payments.cards import acting_card
from stripe_sandbox.payments.intent_rules import LONGEST_DESCRIPTOR
from stripe_sandbox.payments.published_cards import Decline, PublishedCard
from stripe_sandbox.payments.refunds import pay_waiting
from stripe_sandbox.routing import Call
from stripe_sandbox.world import World

# A hold lasts until `capture_before`. A Visa charged off-session (merchant-initiated) is held 4
# days and 18 hours, every other card 7 days: https://docs.stripe.com/payments/place-a-hold-on-a-payment-method.
VISA_OFF_SESSION_HOLD_SECONDS = 4 * 86_400 + 18 * 3_600
HOLD_SECONDS = 7 * 86_400

# 2.9 % + 30 ¢, the list price in the United States: https://stripe.com/pricing.
FEE_BPS = 290
FEE_FIXED_MINOR = 30
FUNDS_PENDING_SECONDS = 2 * 86_400

STATEMENT_PREFIX = "PROXYCARD"
NULL_AT_FIRST = (
    "application",
    "application_fee",
    "application_fee_amount",
    "balance_transaction",
    "failure_balance_transaction",
    "failure_code",
    "failure_message",
    "on_behalf_of",
    "outcome",
    "receipt_number",
    "receipt_url",
    "review",
    "source",
    "source_transfer",
    "statement_descriptor",
    "transfer_data",
)
RISK_SCORES = {"normal": 12, "elevated": 66, "highest": 92}


async def retrieve(call: Call) -> dict[str, Any]:
    return call.world.get("charge", call.path["charge"])


@dataclass(frozen=True)
class Manner:
    """How a card is charged: by the merchant alone, and on which kind of agreement."""

    off_session: bool = False
    stored_credential_usage: str | None = None


def approved(
    world: World, intent: dict[str, Any], method: dict[str, Any], manner: Manner, *, captured: bool
) -> dict[str, Any]:
    """A charge the bank approved: captured, or held until `capture_before`."""
    return answer_yes(world, pending(world, intent, method, manner), captured=captured)


def pending(
    world: World, intent: dict[str, Any], method: dict[str, Any], manner: Manner
) -> dict[str, Any]:
    """A charge the bank has not answered yet."""
    charge = _attempted(world, intent, method, manner)
    charge["outcome"] = _outcome("authorized", acting_card(world, method), "Payment complete.")
    world.add(charge)
    return charge


def answer_yes(world: World, charge: dict[str, Any], *, captured: bool) -> dict[str, Any]:
    """Have the bank approve a pending charge."""
    details = charge["payment_method_details"]["card"]
    details["amount_authorized"] = charge["amount"]
    if captured:
        details.pop("capture_before", None)
    charge |= {
        "amount_captured": charge["amount"] if captured else 0,
        "captured": captured,
        "paid": True,
        "receipt_url": f"https://pay.stripe.com/receipts/payment/{charge['id']}",
        "status": "succeeded",
    }
    world.save(charge)
    return charge


def declined(
    world: World, intent: dict[str, Any], method: dict[str, Any], manner: Manner, decline: Decline
) -> dict[str, Any]:
    """A charge that was refused: nothing is held."""
    charge = _attempted(world, intent, method, manner)
    seller_message = (
        "Stripe blocked this payment as too risky."
        if decline.blocked
        else f"The bank returned the decline code `{decline.reason}`."
    )
    if decline.reason == "generic_decline":
        seller_message = "The bank did not return any further details with this decline."
    kind = "blocked" if decline.blocked else "issuer_declined"
    charge["payment_method_details"]["card"].pop("capture_before", None)
    charge |= {
        "failure_code": decline.code,
        "failure_message": decline.message,
        "outcome": _outcome(kind, acting_card(world, method), seller_message, decline),
        "status": "failed",
    }
    world.add(charge)
    return charge


def processing_fee(amount_minor: int) -> int:
    """The fee of a card payment in minor units, halves rounded up."""
    return (amount_minor * FEE_BPS + 5_000) // 10_000 + FEE_FIXED_MINOR


def book(world: World, charge: dict[str, Any]) -> None:
    """Book a captured charge and its fee on the payments balance, available in two days.

    Does nothing to a charge that is booked already.
    """
    if charge["balance_transaction"] is not None:
        return
    amount = charge["amount_captured"]
    card = acting_card(world, {"id": charge["payment_method"]})
    transaction = world.balance.add_transaction(
        "payments",
        "charge",
        amount,
        processing_fee(amount),
        charge["id"],
        charge["description"],
        currency=charge["currency"],
        available_on=world.now() + (0 if card.skips_pending else FUNDS_PENDING_SECONDS),
    )
    charge["balance_transaction"] = transaction["id"]
    world.save(charge)
    if card.skips_pending:
        pay_waiting(world)


def book_later(world: World, charge: dict[str, Any]) -> None:
    """Book a charge that was answered as `succeeded` before its fee was known.

    https://docs.stripe.com/payments/payment-intents/asynchronous-capture
    """
    book(world, charge)
    world.emit("charge.updated", charge, {"balance_transaction": None})


def _hold_seconds(brand: str, manner: Manner) -> int:
    if brand == "visa" and manner.off_session:
        return VISA_OFF_SESSION_HOLD_SECONDS
    return HOLD_SECONDS


def _outcome(
    kind: str, card: PublishedCard, seller_message: str, decline: Decline | None = None
) -> dict[str, Any]:
    network_status = {
        "authorized": "approved_by_network",
        "issuer_declined": "declined_by_network",
        "blocked": "not_sent_to_network",
    }[kind]
    reason = None
    if decline is not None:
        reason = "highest_risk_level" if decline.blocked else decline.reason
    return {
        "advice_code": decline.advice if decline is not None and decline.network_code else None,
        "network_advice_code": None,
        "network_decline_code": decline.network_code if decline is not None else None,
        "network_status": network_status,
        "reason": reason,
        "risk_level": card.risk,
        "risk_score": RISK_SCORES[card.risk],
        "seller_message": seller_message,
        "type": kind,
    }


def _attempted(
    world: World, intent: dict[str, Any], method: dict[str, Any], manner: Manner
) -> dict[str, Any]:
    charge_id, now = world.new_id("ch"), world.now()
    suffix = intent["statement_descriptor_suffix"]
    return {
        "id": charge_id,
        "object": "charge",
        **dict.fromkeys(NULL_AT_FIRST),
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "billing_details": dict(method["billing_details"]),
        "calculated_statement_descriptor": _descriptor(suffix),
        "captured": False,
        "created": now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {
            "card": _card_details(intent, method, manner, now),
            "type": "card",
        },
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "refunded": False,
        "refunds": _no_refunds(charge_id),
        "shipping": intent["shipping"],
        "statement_descriptor_suffix": suffix,
        "status": "pending",
        "transfer_group": intent["transfer_group"],
    }


def _descriptor(suffix: str | None) -> str:
    """https://docs.stripe.com/get-started/account/statement-descriptors."""
    return f"{STATEMENT_PREFIX}* {suffix}"[:LONGEST_DESCRIPTOR] if suffix else STATEMENT_PREFIX


def _no_refunds(charge_id: str) -> dict[str, Any]:
    url = f"/v1/charges/{charge_id}/refunds"
    return {"object": "list", "data": [], "has_more": False, "url": url}


def _card_details(
    intent: dict[str, Any], method: dict[str, Any], manner: Manner, now: int
) -> dict[str, Any]:
    card = method["card"]
    facts = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding")
    hold = (
        {"capture_before": now + _hold_seconds(card["brand"], manner)}
        if intent["capture_method"] == "manual"
        else {}
    )
    return hold | {
        **{name: card[name] for name in (*facts, "last4", "regulated_status", "wallet")},
        "amount_authorized": None,
        "authorization_code": "823309",
        "electronic_commerce_indicator": None,
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card["brand"],
        "network_token": {"used": False},
        "network_transaction_id": "669057107103110",
        "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
        "setup_credential_usage": None,
        "stored_credential_usage": manner.stored_credential_usage,
        "three_d_secure": None,
        "transaction_link_id": None,
    }

"""The merchant's side, played by test helpers: pay, pay more, give back, let lapse.

https://docs.stripe.com/api/issuing/authorizations/test_mode_create and its neighbours. Amounts are
in minor units.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from stripe.params.test_helpers import issuing as params_of

from stripe_sandbox.errors import StripeError
from stripe_sandbox.issuing import authorizations, lifecycle
from stripe_sandbox.issuing.merchants import merchant_data
from stripe_sandbox.routing import Call, Route
from stripe_sandbox.world import World

KIND = authorizations.KIND
BASE = "/v1/test_helpers/issuing/authorizations"
PRESENT = frozenset({"chip", "contactless", "swipe"})
NETWORK_RISK_SCORE = 10
LARGEST_MINOR = 99_999_999
UNCHECKED: Mapping[str, Any] = {
    "address_line1_check": "not_provided",
    "address_postal_code_check": "not_provided",
    "authentication_exemption": None,
    "cvc_check": "not_provided",
    "expiry_check": "match",
    "postal_code": None,
    "three_d_secure": None,
}


async def create(call: Call) -> dict[str, Any]:
    """A merchant asks for money. The answer already shows what was decided."""
    world, params = call.world, call.params
    card = world.get("issuing.card", params["card"], param="card")
    pending = _pending(card, params)
    authorization = _new(world, card, params, pending)
    async with world.lock(authorization["id"]):
        await authorizations.decide(world, authorization, pending, is_first=True)
        world.emit("issuing_authorization.created", authorization)
        lifecycle.count_payment(world, authorization)
    return authorization


async def increment(call: Call) -> dict[str, Any]:
    """A merchant asks for more on the same authorization."""
    world, params = call.world, call.params
    authorization = world.get(KIND, call.path["authorization"])
    amount = in_range(params["increment_amount"], "increment_amount", least=1)
    async with world.lock(authorization["id"]):
        lifecycle.must_be_pending(authorization, "incremented")
        before = dict(authorization)
        pending = {
            "amount": amount,
            "amount_details": {"atm_fee": None, "cashback_amount": None},
            "currency": authorization["currency"],
            "is_amount_controllable": params.get("is_amount_controllable", False),
            "merchant_amount": amount,
            "merchant_currency": authorization["merchant_currency"],
            "network_risk_score": NETWORK_RISK_SCORE,
        }
        await authorizations.decide(world, authorization, pending, is_first=False)
        authorizations.save_changes(world, authorization, before)
    return authorization


async def capture(call: Call) -> dict[str, Any]:
    """A merchant takes the money: less, as much, more, or in parts."""
    world, params = call.world, call.params
    authorization = world.get(KIND, call.path["authorization"])
    authorized: int = authorization["amount"]
    amount = in_range(params.get("capture_amount", authorized), "capture_amount", least=1)
    async with world.lock(authorization["id"]):
        lifecycle.capture(
            world,
            authorization,
            amount,
            closes=params.get("close_authorization", True),
            purchase_details=params.get("purchase_details"),
        )
    return authorization


async def reverse(call: Call) -> dict[str, Any]:
    """A merchant lets go of the hold, or of a part."""
    world = call.world
    authorization = world.get(KIND, call.path["authorization"])
    async with world.lock(authorization["id"]):
        lifecycle.must_be_pending(authorization, "reversed")
        amount: int = authorization["amount"]
        if "reverse_amount" in call.params:
            amount = in_range(call.params["reverse_amount"], "reverse_amount", least=1, most=amount)
        lifecycle.reverse(world, authorization, amount)
    return authorization


async def expire(call: Call) -> dict[str, Any]:
    """The network lets the hold lapse."""
    world = call.world
    authorization = world.get(KIND, call.path["authorization"])
    async with world.lock(authorization["id"]):
        lifecycle.must_be_pending(authorization, "expired")
        lifecycle.expire(world, authorization)
    return authorization


async def finalize(call: Call) -> dict[str, Any]:
    """A merchant says what the purchase came to, as a fuel pump does before it captures."""
    world, params = call.world, call.params
    authorization = world.get(KIND, call.path["authorization"])
    amount = in_range(params["final_amount"], "final_amount", least=1)
    details = {"fleet": _fleet(params.get("fleet")), "fuel": _fuel(params.get("fuel"))}
    async with world.lock(authorization["id"]):
        lifecycle.must_be_pending(authorization, "finalized")
        given = {name: value for name, value in details.items() if value is not None}
        lifecycle.finalize(world, authorization, amount, given)
    return authorization


def _pending(card: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    if "amount" not in params and "merchant_amount" not in params:
        raise StripeError(
            "You must provide either amount or merchant_amount.",
            code="parameter_missing",
            param="amount",
        )
    currency = params.get("currency", card["currency"]).lower()
    if currency != card["currency"]:
        raise StripeError(
            f"The currency of the authorization must be the card's: {card['currency']}.",
            param="currency",
        )
    amount: int = params.get("amount", params.get("merchant_amount", 0))
    details = params.get("amount_details") or {}
    return {
        "amount": in_range(amount, "amount"),
        "amount_details": {name: details.get(name) for name in ("atm_fee", "cashback_amount")},
        "currency": currency,
        "is_amount_controllable": params.get("is_amount_controllable", False),
        "merchant_amount": in_range(params.get("merchant_amount", amount), "merchant_amount"),
        "merchant_currency": params.get("merchant_currency", currency).lower(),
        "network_risk_score": NETWORK_RISK_SCORE,
    }


def _new(
    world: World, card: dict[str, Any], params: dict[str, Any], pending: dict[str, Any]
) -> dict[str, Any]:
    method = params.get("authorization_method", "online")
    acquirer = (params.get("network_data") or {}).get("acquiring_institution_id", "123456")
    return {
        "id": world.new_id("iauth"),
        "object": KIND,
        "amount": 0,
        "amount_details": pending["amount_details"],
        "approved": False,
        "authorization_method": method,
        "balance_transactions": [],
        "card": card["id"],
        "card_presence": "present" if method in PRESENT else "not_present",
        "cardholder": card["cardholder"],
        "created": world.now(),
        "currency": pending["currency"],
        "fleet": _fleet(params.get("fleet")),
        "fraud_challenges": [],
        "fuel": _fuel(params.get("fuel")),
        "livemode": False,
        "merchant_amount": 0,
        "merchant_currency": pending["merchant_currency"],
        "merchant_data": merchant_data(params.get("merchant_data")),
        "metadata": {},
        "network_data": {
            "acquiring_institution_id": acquirer,
            "system_trace_audit_number": "1234567890",
            "transaction_id": network_transaction_id(),
        },
        "pending_request": None,
        "request_history": [],
        "status": "pending",
        "token": None,
        "transactions": [],
        "verification_data": {**UNCHECKED, **(params.get("verification_data") or {})},
        "verified_by_fraud_challenge": None,
        "wallet": params.get("wallet"),
    }


def _fuel(given: dict[str, Any] | None) -> dict[str, Any] | None:
    names = ("industry_product_code", "quantity_decimal", "type", "unit", "unit_cost_decimal")
    return None if given is None else {name: given.get(name) for name in names}


def _fleet(given: dict[str, Any] | None) -> dict[str, Any] | None:
    names = ("cardholder_prompt_data", "purchase_type", "reported_breakdown", "service_type")
    return None if given is None else {name: given.get(name) for name in names}


def network_transaction_id() -> str:
    """Give an id as test mode makes them up."""
    return f"test_{secrets.randbelow(10**15):015}"


def in_range(amount: int, param: str, *, least: int = 0, most: int = LARGEST_MINOR) -> int:
    """Give the amount of a parameter, or raise Stripe's error when it is out of range."""
    if amount < least:
        raise StripeError(
            f"This value must be greater than or equal to {least}.",
            code="parameter_invalid_integer",
            param=param,
        )
    if amount > most:
        raise StripeError(
            f"This value must be less than or equal to {most}.",
            code="parameter_invalid_integer",
            param=param,
        )
    return amount


ROUTES: Sequence[Route] = (
    Route("POST", BASE, create, params_of.AuthorizationCreateParams),
    Route(
        "POST",
        f"{BASE}/{{authorization}}/increment",
        increment,
        params_of.AuthorizationIncrementParams,
    ),
    Route(
        "POST", f"{BASE}/{{authorization}}/capture", capture, params_of.AuthorizationCaptureParams
    ),
    Route(
        "POST", f"{BASE}/{{authorization}}/reverse", reverse, params_of.AuthorizationReverseParams
    ),
    Route("POST", f"{BASE}/{{authorization}}/expire", expire),
    Route(
        "POST",
        f"{BASE}/{{authorization}}/finalize_amount",
        finalize,
        params_of.AuthorizationFinalizeAmountParams,
    ),
)

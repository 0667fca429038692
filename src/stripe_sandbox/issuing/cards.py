"""Issued cards (https://docs.stripe.com/api/issuing/cards)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from stripe.params import issuing as params_of

from stripe_sandbox.errors import StripeError
from stripe_sandbox.issuing.card_numbers import last4
from stripe_sandbox.issuing.controls import card_controls
from stripe_sandbox.issuing.shipping import shipping
from stripe_sandbox.listing import list_page
from stripe_sandbox.metadata import merged
from stripe_sandbox.routing import Call, Route
from stripe_sandbox.world import World

KIND = "issuing.card"
TEMPLATE = "/v1/issuing/cards/{card}"
VALID_MONTHS = 34
LONGEST_SECOND_LINE = 24
ELIGIBLE = {"eligible": True, "ineligible_reason": None}


async def create(call: Call) -> dict[str, Any]:
    """Make a card. It is inactive unless asked otherwise."""
    world, params = call.world, call.params
    replaced = _replaced(world, params)
    cardholder_id = params.get("cardholder") or (replaced or {}).get("cardholder")
    if cardholder_id is None:
        raise StripeError(
            "Missing required param: cardholder.", code="parameter_missing", param="cardholder"
        )
    cardholder = world.get("issuing.cardholder", cardholder_id, param="cardholder")
    if params.get("status") == "active":
        _check_activation(cardholder)
    card = _new(world, params) | {"cardholder": cardholder["id"]}
    world.add(card)
    if replaced is not None:
        replaced["replaced_by"] = card["id"]
        world.save(replaced)
    world.emit("issuing_card.created", card)
    return card


async def retrieve(call: Call) -> dict[str, Any]:
    return call.world.get(KIND, call.path["card"])


async def update(call: Call) -> dict[str, Any]:
    """Change a card. Cancelling is for ever."""
    world, params = call.world, call.params
    card = world.get(KIND, call.path["card"])
    if card["status"] == "canceled" and "status" in params:
        raise StripeError("Cards with status 'canceled' cannot be updated.", param="status")
    if params.get("status") == "active":
        _check_activation(world.get("issuing.cardholder", card["cardholder"]))
    before = dict(card)
    for name in ("cancellation_reason", "financial_account", "personalization_design", "status"):
        if name in params:
            card[name] = params[name]
    if "shipping" in params:
        card["shipping"] = shipping(params["shipping"])
    if "spending_controls" in params:
        card["spending_controls"] = card_controls(
            card["spending_controls"], params["spending_controls"], card["currency"]
        )
    card["metadata"] = merged(card["metadata"], params.get("metadata"))
    save_changes(world, card, before)
    return card


async def list_(call: Call) -> dict[str, Any]:
    return list_page(call, KIND)


def show(world: World, card: dict[str, Any]) -> dict[str, Any]:
    """A card as Stripe shows it: its cardholder is a whole object."""
    return card | {"cardholder": world.get("issuing.cardholder", card["cardholder"])}


def save_changes(world: World, card: dict[str, Any], before: dict[str, Any]) -> None:
    """Keep a changed card and say what changed."""
    world.save(card)
    previous = {name: before[name] for name in before if before[name] != card[name]}
    if previous:
        world.emit("issuing_card.updated", card, previous)


def _new(world: World, params: dict[str, Any]) -> dict[str, Any]:
    card_id = world.new_id("ic")
    month, year = _expiry(world.now(), params)
    _check(params)
    currency = params["currency"].lower()
    return {
        "id": card_id,
        "object": KIND,
        "brand": "Visa",
        "cancellation_reason": None,
        "created": world.now(),
        "currency": currency,
        "exp_month": month,
        "exp_year": year,
        "financial_account": params.get("financial_account"),
        "last4": last4(card_id),
        "latest_fraud_warning": None,
        "lifecycle_controls": params.get("lifecycle_controls"),
        "livemode": False,
        "metadata": merged({}, params.get("metadata")),
        "personalization_design": params.get("personalization_design"),
        "replaced_by": None,
        "replacement_for": params.get("replacement_for"),
        "replacement_reason": params.get("replacement_reason"),
        "second_line": params.get("second_line") or None,
        "shipping": shipping(params.get("shipping")),
        "spending_controls": card_controls(None, params.get("spending_controls"), currency),
        "status": params.get("status", "inactive"),
        "type": params["type"],
        "wallets": {
            "apple_pay": dict(ELIGIBLE),
            "google_pay": dict(ELIGIBLE),
            "primary_account_identifier": None,
        },
    }


def _check(params: dict[str, Any]) -> None:
    second_line = params.get("second_line") or None
    if second_line is not None and len(second_line) > LONGEST_SECOND_LINE:
        raise StripeError(
            f"Invalid string: {second_line[:LONGEST_SECOND_LINE]}…; must be at most "
            f"{LONGEST_SECOND_LINE} characters",
            param="second_line",
        )
    if params["type"] == "physical" and "shipping" not in params:
        raise StripeError(
            "Missing required param: shipping.", code="parameter_missing", param="shipping"
        )


def _expiry(now: int, params: dict[str, Any]) -> tuple[int, int]:
    today = datetime.fromtimestamp(now, UTC)
    months = today.year * 12 + today.month - 1 + VALID_MONTHS
    month, year = params.get("exp_month", months % 12 + 1), params.get("exp_year", months // 12)
    if not 1 <= month <= 12:  # noqa: PLR2004  months
        raise StripeError("Invalid exp_month: must be between 1 and 12", param="exp_month")
    if (year, month) < (today.year, today.month):
        raise StripeError("Invalid exp_year: must not be in the past", param="exp_year")
    return month, year


def _replaced(world: World, params: dict[str, Any]) -> dict[str, Any] | None:
    card_id = params.get("replacement_for")
    return None if card_id is None else world.get(KIND, card_id, param="replacement_for")


def _check_activation(cardholder: dict[str, Any]) -> None:
    """A card cannot be used before its cardholder has given what the issuer needs."""
    past_due = cardholder["requirements"]["past_due"]
    if past_due:
        raise StripeError(
            "This card cannot be activated because its cardholder has outstanding requirements: "
            f"{', '.join(past_due)}.",
            param="status",
        )


ROUTES: Sequence[Route] = (
    Route("POST", "/v1/issuing/cards", create, params_of.CardCreateParams),
    Route("GET", "/v1/issuing/cards", list_, params_of.CardListParams, KIND),
    Route("GET", TEMPLATE, retrieve),
    Route("POST", TEMPLATE, update, params_of.CardUpdateParams),
)

"""Cardholders: the people cards are issued to (https://docs.stripe.com/api/issuing/cardholders)."""

import asyncio
import re
import unicodedata
from collections.abc import Sequence
from contextvars import Context
from typing import Any

from stripe.params import issuing as params_of

from stripe_sandbox.errors import StripeError
from stripe_sandbox.issuing.controls import cardholder_controls
from stripe_sandbox.listing import list_page
from stripe_sandbox.metadata import merged
from stripe_sandbox.routing import Call, Route
from stripe_sandbox.world import World

KIND = "issuing.cardholder"
TEMPLATE = "/v1/issuing/cardholders/{cardholder}"
LONGEST_NAME = 24
ALLOWED_NAME = re.compile(r"^[^\W\d_][^\W\d_ .,'&/-]*(?:[ .,'&/-]+[^\W\d_]*)*$")
IN_NAMES = frozenset(" .,'-")
NOT_DIALLED = re.compile(r"[^\d+]")
TERMS = "individual.card_issuing.user_terms_acceptance"


async def create(call: Call) -> dict[str, Any]:
    """Make a cardholder. It is under review at first, and soon is not."""
    params = call.params
    _check_name(params["name"])
    cardholder = {
        "id": call.world.new_id("ich"),
        "object": KIND,
        "billing": {"address": _address(params["billing"]["address"])},
        "company": _company(params.get("company")),
        "created": call.world.now(),
        "email": params.get("email"),
        "individual": _individual(None, params.get("individual")),
        "livemode": False,
        "metadata": merged({}, params.get("metadata")),
        "name": params["name"],
        "phone_number": _dialled(params.get("phone_number")),
        "preferred_locales": params.get("preferred_locales") or [],
        "requirements": {"disabled_reason": "under_review", "past_due": []},
        "spending_controls": cardholder_controls(None, params.get("spending_controls")),
        "status": params.get("status", "active"),
        "type": params.get("type", "individual"),
    }
    cardholder["requirements"]["past_due"] = _past_due(cardholder)
    call.world.add(cardholder)
    call.world.emit("issuing_cardholder.created", cardholder)
    # Nobody's request causes the review, so it knows nothing of this one.
    asyncio.get_running_loop().call_soon(_review, call.world, cardholder["id"], context=Context())
    return cardholder


async def retrieve(call: Call) -> dict[str, Any]:
    return call.world.get(KIND, call.path["cardholder"])


async def update(call: Call) -> dict[str, Any]:
    world, params = call.world, call.params
    cardholder = world.get(KIND, call.path["cardholder"])
    before = dict(cardholder)
    if "billing" in params:
        cardholder["billing"] = {"address": _address(params["billing"]["address"])}
    if "company" in params:
        cardholder["company"] = _company(params["company"])
    if "individual" in params:
        cardholder["individual"] = _individual(cardholder["individual"], params["individual"])
    if "phone_number" in params:
        cardholder["phone_number"] = _dialled(params["phone_number"])
    for name in ("email", "preferred_locales", "status"):
        if name in params:
            cardholder[name] = params[name]
    if "spending_controls" in params:
        cardholder["spending_controls"] = cardholder_controls(
            cardholder["spending_controls"], params["spending_controls"]
        )
    cardholder["metadata"] = merged(cardholder["metadata"], params.get("metadata"))
    cardholder["requirements"] = _reviewed(cardholder)
    world.save(cardholder)
    previous = {name: before[name] for name in before if before[name] != cardholder[name]}
    if previous:
        world.emit("issuing_cardholder.updated", cardholder, previous)
    return cardholder


async def list_(call: Call) -> dict[str, Any]:
    return list_page(call, KIND)


async def finish_reviews(world: World) -> None:
    """End the reviews that an earlier process did not."""
    for cardholder in list(world.find(KIND)):
        _review(world, cardholder["id"])


def _review(world: World, cardholder_id: str) -> None:
    """End the review: from here the cardholder's cards can be used, or it is said what lacks."""
    cardholder = world.store.get(KIND, cardholder_id)
    if cardholder is None or cardholder["requirements"]["disabled_reason"] != "under_review":
        return
    before = cardholder["requirements"]
    cardholder["requirements"] = _reviewed(cardholder)
    world.save(cardholder)
    world.emit("issuing_cardholder.updated", cardholder, {"requirements": before})


def _reviewed(cardholder: dict[str, Any]) -> dict[str, Any]:
    past_due = _past_due(cardholder)
    reason = "requirements.past_due" if past_due else None
    return {"disabled_reason": reason, "past_due": past_due}


def _past_due(cardholder: dict[str, Any]) -> list[str]:
    """What is still asked of an individual; a company is asked for nothing here.

    https://docs.stripe.com/issuing/other/choose-cardholder: people accept the issuer's terms.
    """
    if cardholder["type"] != "individual":
        return []
    individual = cardholder["individual"] or {}
    terms = (individual.get("card_issuing") or {}).get("user_terms_acceptance") or {}
    missing = [
        f"individual.{name}" for name in ("first_name", "last_name") if not individual.get(name)
    ]
    return missing + [f"{TERMS}.{name}" for name in ("date", "ip") if not terms.get(name)]


def _check_name(name: str) -> None:
    if len(name) > LONGEST_NAME:
        raise StripeError(
            f"Invalid name: must be at most {LONGEST_NAME} characters.",
            param="name",
        )
    if ALLOWED_NAME.match(name) is None:
        raise StripeError(
            "The cardholder's name contains invalid characters: no digits and no special "
            "characters are allowed.",
            param="name",
        )


def _check_letters(field: str, name: str) -> None:
    """Refuse what a person's name cannot have: digits, signs and letters that are not Latin."""
    for one in name:
        is_latin = one.isalpha() and unicodedata.name(one, "").startswith("LATIN ")
        if not is_latin and one not in IN_NAMES:
            raise StripeError(
                f"The cardholder's {field} contains invalid characters: no digits, no special "
                "characters but periods, commas, hyphens, spaces and apostrophes, and no "
                "non-latin letters are allowed.",
                param=f"individual[{field}]",
            )


def _address(given: dict[str, Any]) -> dict[str, Any]:
    names = ("city", "country", "line1", "line2", "postal_code", "state")
    return {name: given.get(name) or None for name in names}


def _company(given: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if given is None else {"tax_id_provided": bool(given.get("tax_id"))}


def _individual(kept: dict[str, Any] | None, given: dict[str, Any] | None) -> dict[str, Any] | None:
    if given is None:
        return kept
    kept = kept or {
        "card_issuing": None,
        "dob": None,
        "first_name": None,
        "last_name": None,
        "verification": {"document": {"back": None, "front": None}},
    }
    changed = dict(kept)
    for name in ("first_name", "last_name", "dob"):
        if name in given:
            changed[name] = given[name] or None
    for name in ("first_name", "last_name"):
        _check_letters(name, changed[name] or "")
    terms = (given.get("card_issuing") or {}).get("user_terms_acceptance")
    if terms:
        accepted = {name: terms.get(name) or None for name in ("date", "ip", "user_agent")}
        changed["card_issuing"] = {"user_terms_acceptance": accepted}
    document = (given.get("verification") or {}).get("document")
    if document:
        pages = {name: document.get(name) for name in ("back", "front")}
        changed["verification"] = {"document": pages}
    return changed


def _dialled(number: str | None) -> str | None:
    return None if number is None else NOT_DIALLED.sub("", number)


ROUTES: Sequence[Route] = (
    Route("POST", "/v1/issuing/cardholders", create, params_of.CardholderCreateParams),
    Route("GET", "/v1/issuing/cardholders", list_, params_of.CardholderListParams, KIND),
    Route("GET", TEMPLATE, retrieve),
    Route("POST", TEMPLATE, update, params_of.CardholderUpdateParams),
)

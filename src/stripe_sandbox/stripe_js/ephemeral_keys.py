"""Ephemeral keys: what a browser needs, for a quarter of an hour, to show one issued card.

A nonce made in the browser is exchanged for a key by the server, and only both together open the
card: https://docs.stripe.com/issuing/elements and https://docs.stripe.com/api/ephemeral_keys. The
refusals of a nonce are published nowhere: their words here are modelled on Stripe's other ones.
"""

import hmac
import re
from collections.abc import Sequence
from typing import Any

from stripe import params as params_of

from stripe_sandbox.errors import StripeError, no_such
from stripe_sandbox.ids import random_text
from stripe_sandbox.issuing.cards import KIND as CARD
from stripe_sandbox.routing import Call, Route
from stripe_sandbox.world import Object, World

KEY = "sandbox.ephemeral_key"
NONCE = "sandbox.ephemeral_key_nonce"
# How long a nonce can be exchanged is not documented; a key lives this long.
LIFE_SECONDS = 15 * 60
SECRET_LENGTH = 48
OLDEST_VERSION = "2020-03-02"
VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")
NOT_SIMULATED = ("customer", "verification_session")


def make_nonce(world: World, card_id: str) -> str:
    """What `stripe.createEphemeralKeyNonce` gives the page."""
    card = world.get(CARD, card_id, param="issuing_card")
    nonce = {
        "id": world.new_id("ephkn_priv"),
        "object": NONCE,
        "expires": world.now() + LIFE_SECONDS,
        "issuing_card": card["id"],
        "used": False,
    }
    return str(world.add(nonce)["id"])


async def create(call: Call) -> dict[str, Any]:
    """Exchange a nonce for a key. Only this answer carries the secret."""
    world, params = call.world, call.params
    _check_version(call.stripe_version)
    for name in NOT_SIMULATED:
        if name in params:
            raise StripeError(f"The sandbox does not simulate `{name}`.", param=name)
    for name in ("issuing_card", "nonce"):
        if name not in params:
            raise StripeError(
                f"Missing required param: {name}.", code="parameter_missing", param=name
            )
    card = world.get(CARD, params["issuing_card"], param="issuing_card")
    nonce = _usable_nonce(world, params["nonce"], card["id"])
    world.save(nonce | {"used": True})
    key = {
        # What is looked up is the secret.
        "id": f"ek_test_{random_text(SECRET_LENGTH)}",
        "object": KEY,
        "created": world.now(),
        "expires": world.now() + LIFE_SECONDS,
        "issuing_card": card["id"],
        "key_id": world.new_id("ephkey"),
        "nonce": nonce["id"],
    }
    world.add(key)
    return _shown(key) | {"secret": key["id"]}


async def delete(call: Call) -> dict[str, Any]:
    """End a key before its time."""
    world, key_id = call.world, call.path["key"]
    key = next(world.find(KEY, key_id=key_id), None)
    if key is None or key["expires"] <= world.now():
        raise no_such("ephemeral_key", key_id)
    world.store.remove(KEY, key["id"])
    return _shown(key)


def card_opened_by(world: World, secret: str, nonce: str, card_id: str) -> Object:
    """The card that a key and its nonce open, or Stripe's refusal."""
    key = world.store.get(KEY, secret)
    if key is None:
        raise StripeError(f"Invalid API Key provided: {secret[:8]}****", status=401)
    if key["expires"] <= world.now():
        raise StripeError(
            f"Expired API Key provided: {secret[:8]}****", status=401, code="api_key_expired"
        )
    if not hmac.compare_digest(key["nonce"].encode(), nonce.encode()):
        raise StripeError(
            "The nonce provided is not the one this ephemeral key was created with.",
            status=403,
            param="nonce",
        )
    if key["issuing_card"] != card_id:
        raise StripeError(
            "The provided ephemeral key does not have access to this issuing card.",
            status=403,
            param="issuing_card",
        )
    return world.get(CARD, card_id, param="issuing_card")


async def forget_expired(world: World) -> None:
    """Drop what opens nothing any more."""
    for kind in (KEY, NONCE):
        for one in list(world.find(kind)):
            if one["expires"] <= world.now():
                world.store.remove(kind, one["id"])


def _usable_nonce(world: World, given: str, card_id: str) -> Object:
    nonce: Object | None = world.store.get(NONCE, given)
    if nonce is None or nonce["expires"] <= world.now():
        wrong = f"No such ephemeral key nonce: '{given}'; it may have expired"
    elif nonce["used"]:
        wrong = "The ephemeral key nonce has already been used. A nonce can only be used once"
    elif nonce["issuing_card"] != card_id:
        wrong = "The ephemeral key nonce was created for another issuing card"
    else:
        return nonce
    raise StripeError(f"{wrong}.", param="nonce")


def _check_version(version: str | None) -> None:
    """The answer's shape is for the browser's script, so the account's default does not do."""
    if version is None:
        raise StripeError(
            "You must specify an API version, in the `Stripe-Version` header, to create an "
            "ephemeral key."
        )
    if not VERSION.fullmatch(version):
        raise StripeError(f"Invalid Stripe API version: {version}")
    if version < OLDEST_VERSION:
        raise StripeError(
            f"An ephemeral key with a nonce needs API version {OLDEST_VERSION} or later; this "
            f"request has {version}."
        )


def _shown(key: Object) -> dict[str, Any]:
    return {
        "id": key["key_id"],
        "object": "ephemeral_key",
        "created": key["created"],
        "expires": key["expires"],
        "livemode": False,
    }


ROUTES: Sequence[Route] = (
    Route("POST", "/v1/ephemeral_keys", create, params_of.EphemeralKeyCreateParams),
    Route("DELETE", "/v1/ephemeral_keys/{key}", delete),
)

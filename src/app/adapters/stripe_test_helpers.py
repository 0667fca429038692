"""The merchant's side of a purchase in a test, played by Stripe's own helpers.

They exist with test keys only. Source:
https://docs.stripe.com/issuing/testing#create-an-authorization
"""

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, get_args, get_type_hints

import msgspec
import stripe
from stripe.params.test_helpers.issuing import AuthorizationCreateParamsMerchantData

from app.adapters.merchant_errors import MerchantRefused, StripeUnclear
from app.adapters.sandbox_controls import SandboxControls
from app.domain.issuing.story_next import MerchantStep

AUTHORIZATIONS = "/v1/test_helpers/issuing/authorizations"
TRANSACTIONS = "/v1/test_helpers/issuing/transactions"
_CATEGORY = get_type_hints(AuthorizationCreateParamsMerchantData)["category"]
CATEGORIES: Sequence[str] = get_args(get_args(_CATEGORY)[0])
"""Stripe's words for kinds of merchants: https://docs.stripe.com/issuing/categories."""


_AMOUNTS = {
    MerchantStep.CAPTURE: "capture_amount",
    MerchantStep.INCREMENT: "increment_amount",
    MerchantStep.REVERSE: "reverse_amount",
    MerchantStep.FINALIZE: "final_amount",
    MerchantStep.REFUND: "refund_amount",
}
# What Stripe itself has no helper for, at the offline Stripe's own addresses.
_CONTROLS = {
    MerchantStep.FORCE: "issuing/authorizations/{}/force_capture",
    MerchantStep.TAKE_BACK: "issuing/transactions/{}/reverse_refund",
}


class Unasked(StrEnum):
    """What a merchant does with a card without asking first."""

    CAPTURE = "create_force_capture"
    REFUND = "create_unlinked_refund"


class Payment(msgspec.Struct, frozen=True):
    """A card used at a merchant. Amounts in minor units; two with one key are one."""

    key: str
    stripe_card_id: str
    amount_minor: int
    currency: str
    merchant_name: str
    merchant_category: str
    merchant_country: str


class StripeTestHelpers:
    """Uses cards and finishes purchases. Raises MerchantRefused and StripeUnclear."""

    def __init__(self, client: stripe.StripeClient, sandbox_url: str | None = None) -> None:
        self.client = client
        self.controls = SandboxControls(sandbox_url) if sandbox_url else None

    async def pay(self, payment: Payment) -> str:
        """Use a card, which asks our webhook meanwhile; give Stripe's id of the authorization."""
        return await self._use_card(AUTHORIZATIONS, payment)

    async def unasked(self, what: Unasked, payment: Payment) -> str:
        """Take money, or give some, without an authorization; give the transaction's id."""
        return await self._use_card(f"{TRANSACTIONS}/{what}", payment)

    async def finish(
        self,
        step: MerchantStep,
        stripe_id: str,
        amount_minor: int | None,
        key: str,
        *,
        closes: bool = True,
    ) -> str:
        """Take a further step on an authorization, or on a transaction; give what came of it.

        Without an amount it is about all of it; EXPIRE takes none. A capture that does not close
        the authorization leaves the rest to be captured later.
        """
        if step in _CONTROLS:
            if self.controls is None:
                raise MerchantRefused("Stripe has no test helper for this: use the offline Stripe.")
            return await self.controls.do(_CONTROLS[step].format(stripe_id), amount_minor)
        more: dict[str, Any] = {} if closes else {"close_authorization": False}
        if amount_minor is not None:
            more[_AMOUNTS[step]] = amount_minor
        base = TRANSACTIONS if step is MerchantStep.REFUND else AUTHORIZATIONS
        done = await self._post(f"{base}/{stripe_id}/{step}", key, **more)
        return str(done["id"])

    async def _use_card(self, path: str, payment: Payment) -> str:
        merchant = {
            "name": payment.merchant_name,
            "category": payment.merchant_category,
            "country": payment.merchant_country,
            "network_id": network_id_of(payment.merchant_name),
        }
        made = await self._post(
            path,
            payment.key,
            card=payment.stripe_card_id,
            amount=payment.amount_minor,
            currency=payment.currency,
            merchant_data=merchant,
        )
        return str(made["id"])

    async def _post(self, path: str, key: str, **params: Any) -> dict[str, Any]:
        try:
            response = await self.client.raw_request_async(
                "post", path, idempotency_key=key, **params
            )
        except (
            stripe.InvalidRequestError,
            stripe.IdempotencyError,
            stripe.CardError,
            stripe.PermissionError,
            stripe.AuthenticationError,
            stripe.RateLimitError,
        ) as error:
            raise MerchantRefused(f"Stripe refused this: {_said(error)}") from error
        except stripe.StripeError as error:
            raise StripeUnclear(
                "Stripe gave no clear answer, so this may have been done or not. "
                "Sending the same again does not do it twice."
            ) from error
        return dict(response.data)


def network_id_of(merchant_name: str) -> str:
    """Give a played merchant the ten digits it is known by: those of its name, always the same.

    Stripe's helpers else call all merchants alike, and a card for one of them pays at any other.
    """
    digest = hashlib.sha256(merchant_name.strip().casefold().encode()).digest()
    return f"{int.from_bytes(digest[:8]) % 10**10:010}"


def _said(error: stripe.StripeError) -> str:
    """Give Stripe's message as one sentence, and not the list of all allowed values with it."""
    message = " ".join((error.user_message or type(error).__name__).split())
    longest = 240
    return message if len(message) <= longest else f"{message[:longest]}…"

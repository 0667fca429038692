"""The merchant's side of a purchase in a test, played by Stripe's own helpers.

They exist with test keys only. Source:
https://docs.stripe.com/issuing/testing#create-an-authorization
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, get_args, get_type_hints

import msgspec
import stripe
from stripe.params.test_helpers.issuing import AuthorizationCreateParamsMerchantData

from app.errors import AppError

AUTHORIZATIONS = "/v1/test_helpers/issuing/authorizations"
_CATEGORY = get_type_hints(AuthorizationCreateParamsMerchantData)["category"]
CATEGORIES: Sequence[str] = get_args(get_args(_CATEGORY)[0])
"""Stripe's words for kinds of merchants: https://docs.stripe.com/issuing/categories."""


class MerchantRefused(AppError, status=422):
    """Stripe did not do it, and says why."""


class StripeUnclear(AppError, status=503):
    """No answer, or one that proves neither that it was done nor that it was not."""


class Step(StrEnum):
    """What a merchant does to an authorization after it was approved."""

    CAPTURE = "capture"
    INCREMENT = "increment"
    REVERSE = "reverse"
    EXPIRE = "expire"


_AMOUNTS = {
    Step.CAPTURE: "capture_amount",
    Step.INCREMENT: "increment_amount",
    Step.REVERSE: "reverse_amount",
}


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

    def __init__(self, client: stripe.StripeClient) -> None:
        self.client = client

    async def pay(self, payment: Payment) -> str:
        """Use a card, which asks our webhook meanwhile; give Stripe's id of the authorization."""
        merchant = {
            "name": payment.merchant_name,
            "category": payment.merchant_category,
            "country": payment.merchant_country,
        }
        made = await self._post(
            AUTHORIZATIONS,
            payment.key,
            card=payment.stripe_card_id,
            amount=payment.amount_minor,
            currency=payment.currency,
            merchant_data=merchant,
        )
        return str(made["id"])

    async def finish(
        self, step: Step, stripe_authorization_id: str, amount_minor: int | None, key: str
    ) -> None:
        """Take a further step. Without an amount it is about all of it; EXPIRE takes none."""
        amounts = {} if amount_minor is None else {_AMOUNTS[step]: amount_minor}
        await self._post(f"{AUTHORIZATIONS}/{stripe_authorization_id}/{step}", key, **amounts)

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


def _said(error: stripe.StripeError) -> str:
    """Give Stripe's message as one sentence, and not the list of all allowed values with it."""
    message = " ".join((error.user_message or type(error).__name__).split())
    longest = 240
    return message if len(message) <= longest else f"{message[:longest]}…"

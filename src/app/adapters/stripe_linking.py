"""SetupIntents at Stripe, in the shape that linking a card asks for."""

from typing import Any

import msgspec
import stripe

from app.adapters.stripe_issuing import StripeCardNetwork
from app.adapters.stripe_people import StripePeople
from app.domain.funding.linking import SetupFacts, SetupStatus
from app.domain.funding.sources import SavedCard

SETUPS = "/v1/setup_intents"
_STATUSES = {
    "succeeded": SetupStatus.SUCCEEDED,
    "processing": SetupStatus.PROCESSING,
    "canceled": SetupStatus.CANCELED,
}


class Setup(msgspec.Struct):
    """The fields of a SetupIntent that we read."""

    id: str
    status: str
    client_secret: str
    payment_method: str | None = None


class StripeLinking:
    """A `LinkingAtStripe`."""

    def __init__(self, client: stripe.StripeClient, network: StripeCardNetwork) -> None:
        self.client = client
        self.people = StripePeople(client, network)

    async def saved_card(self, stripe_payment_method_id: str) -> SavedCard:
        return await self.people.saved_card(stripe_payment_method_id)

    async def begin_setup(
        self, key: str, stripe_customer_id: str, payment_method: str | None
    ) -> SetupFacts:
        """Ask for a card that may be charged when its holder is not there.

        Source: https://docs.stripe.com/payments/save-and-reuse
        """
        params: dict[str, Any] = {
            "customer": stripe_customer_id,
            "usage": "off_session",
            "allowed_payment_method_types": ["card"],
        }
        if payment_method is not None:
            params["payment_method"] = payment_method
        response = await self.client.raw_request_async(
            "post", SETUPS, idempotency_key=key, **params
        )
        return _facts(response.data)

    async def setup(self, stripe_setup_intent_id: str) -> SetupFacts:
        response = await self.client.raw_request_async("get", f"{SETUPS}/{stripe_setup_intent_id}")
        return _facts(response.data)

    async def end_setup(self, stripe_setup_intent_id: str) -> None:
        """Cancel a SetupIntent; one that has ended meanwhile stays as it is."""
        try:
            await self.client.raw_request_async("post", f"{SETUPS}/{stripe_setup_intent_id}/cancel")
        except stripe.InvalidRequestError:
            facts = await self.setup(stripe_setup_intent_id)
            if facts.status in (SetupStatus.OPEN, SetupStatus.PROCESSING):
                raise

    async def detach(self, stripe_payment_method_id: str) -> None:
        """Have Stripe forget a saved card; one that is forgotten already stays so."""
        path = f"/v1/payment_methods/{stripe_payment_method_id}/detach"
        try:
            await self.client.raw_request_async("post", path)
        except stripe.InvalidRequestError:
            saved = await self.saved_card(stripe_payment_method_id)
            if saved.stripe_customer_id is not None:
                raise


def _facts(data: Any) -> SetupFacts:
    told = msgspec.convert(data, Setup)
    status = _STATUSES.get(told.status, SetupStatus.OPEN)
    return SetupFacts(told.id, status, told.client_secret, told.payment_method)

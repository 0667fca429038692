"""Payments that customers confirm in the browser, at Stripe."""

from typing import Any

import msgspec
import stripe

from app.adapters.stripe_charging import INTENTS, statement_suffix
from app.adapters.stripe_intents import ON_SESSION, facts_of, read_intent
from app.domain.funding.charges import ChargeOrder
from app.domain.issuing.paying_debts import PaymentFacts


class _Secret(msgspec.Struct):
    client_secret: str


class StripePaying:
    """A `PayingAtStripe`."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self.client = client

    async def begin_payment(self, order: ChargeOrder) -> PaymentFacts:
        """Make a PaymentIntent that only its customer's browser confirms.

        Source: https://docs.stripe.com/js/payment_intents/confirm_card_payment
        """
        params: dict[str, Any] = {
            "amount": order.amount_minor,
            "currency": order.currency.value,
            "customer": order.stripe_customer_id,
            "payment_method": order.stripe_payment_method_id,
            "allowed_payment_method_types": ["card"],
            "capture_method": "automatic",
            "statement_descriptor_suffix": statement_suffix(order.merchant_name),
            "metadata": {
                "authorization": order.authorization,
                "request": order.request,
                "attempt": str(order.attempt),
                ON_SESSION: "yes",
            },
        }
        response = await self.client.raw_request_async(
            "post", INTENTS, idempotency_key=order.key, **params
        )
        return _facts(response.data)

    async def payment(self, stripe_payment_intent_id: str) -> PaymentFacts:
        path = f"{INTENTS}/{stripe_payment_intent_id}"
        return _facts((await self.client.raw_request_async("get", path)).data)


def _facts(data: Any) -> PaymentFacts:
    told = facts_of(read_intent(data))
    return PaymentFacts(told.id, msgspec.convert(data, _Secret).client_secret, told.state)

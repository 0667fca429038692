"""A customer with a saved card, and charges to it, through Stripe's own client."""

from dataclasses import dataclass
from typing import Any

import pytest
import stripe

from tests.sandbox.serving import Running


@dataclass
class Payer:
    """A customer and the card they saved."""

    sandbox: Running
    customer: str
    method: str

    async def charge(self, amount: int = 2149, **changes: Any) -> stripe.PaymentIntent:
        """What the product does: charge the saved card without its holder, as a hold."""
        params: Any = {
            "amount": amount,
            "currency": "usd",
            "customer": self.customer,
            "payment_method": self.method,
            "allowed_payment_method_types": ["card"],
            "capture_method": "manual",
            "confirm": True,
            "off_session": True,
            **changes,
        }
        given = {name: value for name, value in params.items() if value is not None}
        return await self.sandbox.stripe.v1.payment_intents.create_async(given)  # type: ignore[arg-type]  # any parameters, also wrong ones

    async def behaves_like(self, token: str | None) -> None:
        response = await self.sandbox.control.post(
            f"/_sandbox/payment_methods/{self.method}/behaves_like", json={"token": token}
        )
        response.raise_for_status()

    async def refusal(self, **changes: Any) -> stripe.ErrorObject:
        """The error of a charge that is refused."""
        with pytest.raises(stripe.StripeError) as refused:
            await self.charge(**changes)
        assert refused.value.error is not None
        return refused.value.error

    async def charge_of(self, intent: stripe.PaymentIntent) -> stripe.Charge:
        assert isinstance(intent.latest_charge, str)
        return await self.sandbox.stripe.v1.charges.retrieve_async(intent.latest_charge)


def intent_of(error: stripe.ErrorObject | None) -> stripe.PaymentIntent:
    """The intent that an error carries."""
    assert error is not None
    assert error.payment_intent is not None
    return error.payment_intent


async def payer(sandbox: Running, card: str = "pm_card_visa") -> Payer:
    """A new customer who has set up a card for charges made without them."""
    customer = await sandbox.stripe.v1.customers.create_async({"name": "Ada Lovelace"})
    setup = await set_up(sandbox, customer.id, card)
    assert isinstance(setup.payment_method, str)
    return Payer(sandbox, customer.id, setup.payment_method)


async def set_up(sandbox: Running, customer: str, token: str) -> stripe.SetupIntent:
    return await sandbox.stripe.v1.setup_intents.create_async(
        {
            "customer": customer,
            "payment_method": token,
            "confirm": True,
            "allowed_payment_method_types": ["card"],
            "usage": "off_session",
        }
    )


async def happened(sandbox: Running, object_id: str) -> list[str]:
    """The types of the events of an object, in the order they happened."""
    events = await sandbox.stripe.v1.events.list_async({"limit": 100})
    return [event.type for event in reversed(events.data) if event.data.object["id"] == object_id]

"""Customers and their saved cards at Stripe, in the shape the domain asks for."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import stripe

from app.adapters.stripe_issuing import StripeCardNetwork
from app.domain.funding.sources import SavedCard
from app.domain.identity.models import Customer
from app.domain.issuing.card_network import CardholderOrder

SERVER_ERRORS = 500


class CardFace(msgspec.Struct):
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    funding: str
    fingerprint: str | None = None
    country: str | None = None


class PaymentMethod(msgspec.Struct):
    """The fields of a PaymentMethod that we read."""

    id: str
    card: CardFace
    customer: str | None = None


class StripePeople:
    """A `PeopleAtStripe` and a `SavedCards`."""

    def __init__(self, client: stripe.StripeClient, network: StripeCardNetwork) -> None:
        self.client = client
        self.network = network

    async def create_customer(self, customer: Customer) -> str:
        async def with_key(key: str) -> str:
            response = await self.client.raw_request_async(
                "post",
                "/v1/customers",
                idempotency_key=key,
                email=customer.email,
                name=customer.name,
                metadata={"customer": str(customer.id)},
            )
            return str(response.data["id"])

        async def made_before() -> str | None:
            for known in await self._with_email("/v1/customers", customer.email):
                if (known.get("metadata") or {}).get("customer") == str(customer.id):
                    return str(known["id"])
            return None

        return await _once(f"customer:{customer.id}", with_key, made_before)

    async def create_cardholder(self, customer: Customer) -> str:
        async def with_key(key: str) -> str:
            return await self._cardholder(customer, key)

        async def made_before() -> str | None:
            for known in await self._with_email("/v1/issuing/cardholders", customer.email):
                person = known.get("individual") or {}
                names = person.get("first_name"), person.get("last_name")
                if names == (customer.first_name, customer.last_name):
                    return str(known["id"])
            return None

        return await _once(f"cardholder:{customer.id}", with_key, made_before)

    async def change_email(self, customer: Customer) -> None:
        """Give both identities of a customer the address that they have now."""
        places = {
            "/v1/customers": customer.stripe_customer_id,
            "/v1/issuing/cardholders": customer.stripe_cardholder_id,
        }
        for path, name in places.items():
            if name is not None:
                await self.client.raw_request_async("post", f"{path}/{name}", email=customer.email)

    async def _with_email(self, path: str, email: str) -> list[dict[str, Any]]:
        response = await self.client.raw_request_async("get", path, email=email, limit=100)
        return list(response.data["data"])

    async def _cardholder(self, customer: Customer, key: str) -> str:
        return await self.network.create_cardholder(
            CardholderOrder(
                key=key,
                first_name=customer.first_name,
                last_name=customer.last_name,
                email=customer.email,
                phone=customer.phone,
                birth_date=customer.birth_date,
                address_line1=customer.address_line1,
                address_line2=customer.address_line2,
                city=customer.city,
                region=customer.region,
                postal_code=customer.postal_code,
                country=customer.country,
                terms_accepted_at=customer.terms_accepted_at,
                terms_accepted_ip=customer.terms_accepted_ip,
            )
        )

    async def saved_card(self, stripe_payment_method_id: str) -> SavedCard:
        response = await self.client.raw_request_async(
            "get", f"/v1/payment_methods/{stripe_payment_method_id}"
        )
        method = msgspec.convert(response.data, PaymentMethod)
        face = method.card
        return SavedCard(
            id=method.id,
            stripe_customer_id=method.customer,
            brand=face.brand,
            last4=face.last4,
            exp_month=face.exp_month,
            exp_year=face.exp_year,
            funding=face.funding,
            fingerprint=face.fingerprint or method.id,
            country=face.country,
        )


async def _once(
    key: str,
    with_key: Callable[[str], Awaitable[str]],
    made_before: Callable[[], Awaitable[str | None]],
) -> str:
    """Make something at Stripe once, also where an earlier try ended in Stripe's own error.

    Stripe keeps such an error as the answer to its key, so the same key would never get another
    one: then what the try may have made is looked for, and else made with a key of this second.
    Source: https://docs.stripe.com/api/idempotent_requests
    """
    try:
        return await with_key(key)
    except stripe.APIError as error:
        if (error.http_status or 0) < SERVER_ERRORS:
            raise
    return await made_before() or await with_key(f"{key}:{int(time.time())}")

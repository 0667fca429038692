"""Customers and their saved cards at Stripe, in the shape the domain asks for."""

import msgspec
import stripe

from app.adapters.stripe_issuing import StripeCardNetwork
from app.domain.funding.sources import SavedCard
from app.domain.identity.models import Customer
from app.domain.issuing.card_network import CardholderOrder


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
        response = await self.client.raw_request_async(
            "post",
            "/v1/customers",
            idempotency_key=f"customer:{customer.id}",
            email=customer.email,
            name=customer.name,
            metadata={"customer": str(customer.id)},
        )
        return str(response.data["id"])

    async def create_cardholder(self, customer: Customer) -> str:
        return await self.network.create_cardholder(
            CardholderOrder(
                key=f"cardholder:{customer.id}",
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

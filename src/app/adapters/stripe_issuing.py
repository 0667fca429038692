"""Stripe Issuing, in the shape the issuing domain asks for."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import stripe

from app.domain.issuing.card_network import (
    AuthorizationFacts,
    CardholderOrder,
    CardOrder,
    IssuedCard,
    RequestFacts,
    TransactionFacts,
)
from app.domain.issuing.states import AuthorizationState, TransactionKind

AUTHORIZATIONS = "/v1/issuing/authorizations"
_NO_SUCH_THING = 404


class Reference(msgspec.Struct):
    id: str


class Merchant(msgspec.Struct):
    category: str = ""
    name: str | None = None
    country: str | None = None
    city: str | None = None
    network_id: str | None = None


class Transaction(msgspec.Struct):
    """The fields of an issuing.transaction that we read."""

    id: str
    type: str
    amount: int
    currency: str
    created: int
    card: str | Reference
    merchant_data: Merchant
    authorization: str | Reference | None = None


class PastRequest(msgspec.Struct):
    approved: bool
    reason: str
    amount: int
    created: int


class StripeAuthorization(msgspec.Struct):
    """The fields of an issuing.authorization that we read."""

    id: str
    status: str
    approved: bool
    amount: int
    currency: str
    created: int
    card: Reference
    merchant_data: Merchant
    request_history: list[PastRequest]
    transactions: list[Transaction]


class StripeCardNetwork:
    """A `CardNetwork`."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self.client = client

    async def authorization(self, stripe_authorization_id: str) -> AuthorizationFacts | None:
        try:
            response = await self.client.raw_request_async(
                "get", f"{AUTHORIZATIONS}/{stripe_authorization_id}"
            )
        except stripe.InvalidRequestError as error:
            if error.http_status == _NO_SUCH_THING:
                return None
            raise
        return authorization_facts(msgspec.convert(response.data, StripeAuthorization))

    async def create_cardholder(self, order: CardholderOrder) -> str:
        response = await self.client.raw_request_async(
            "post", "/v1/issuing/cardholders", idempotency_key=order.key, **_cardholder(order)
        )
        return str(response.data["id"])

    async def create_card(self, order: CardOrder) -> IssuedCard:
        limits = [
            {"amount": order.daily_limit_minor, "interval": "daily"},
            {"amount": order.monthly_limit_minor, "interval": "monthly"},
        ]
        if order.purchase_limit_minor is not None:
            limits.append({"amount": order.purchase_limit_minor, "interval": "per_authorization"})
        response = await self.client.raw_request_async(
            "post",
            "/v1/issuing/cards",
            idempotency_key=order.key,
            cardholder=order.cardholder,
            currency=order.currency,
            type="virtual",
            status="active",
            spending_controls={"spending_limits": limits},
        )
        return msgspec.convert(response.data, IssuedCard)


def authorization_facts(told: StripeAuthorization) -> AuthorizationFacts:
    """Read Stripe's object into ours; requests and transactions in the order they happened."""
    merchant = told.merchant_data
    requests = sorted(told.request_history, key=lambda request: request.created)
    transactions = sorted(told.transactions, key=lambda transaction: transaction.created)
    return AuthorizationFacts(
        id=told.id,
        card=told.card.id,
        state=AuthorizationState(told.status),
        approved=told.approved,
        amount_minor=told.amount,
        currency=told.currency,
        occurred_at=_moment(told.created),
        merchant_name=_text(merchant.name) or "Unknown merchant",
        merchant_category=merchant.category,
        merchant_country=_text(merchant.country),
        merchant_city=_text(merchant.city),
        merchant_network_id=_text(merchant.network_id),
        requests=[RequestFacts(r.approved, r.reason, r.amount) for r in requests],
        transactions=[transaction_facts(transaction) for transaction in transactions],
    )


def read_transaction(data: dict[str, Any]) -> Transaction:
    return msgspec.convert(data, Transaction)


def transaction_facts(told: Transaction) -> TransactionFacts:
    return TransactionFacts(
        id=told.id,
        kind=TransactionKind(told.type),
        amount_minor=told.amount,
        currency=told.currency,
        occurred_at=_moment(told.created),
        merchant_name=_text(told.merchant_data.name) or "Unknown merchant",
        card=_id(told.card),
        authorization=_id(told.authorization) if told.authorization else None,
    )


def _id(reference: str | Reference) -> str:
    return reference if isinstance(reference, str) else reference.id


def _text(text: str | None) -> str | None:
    """Drop what a page or a database text cannot hold from somebody else's text."""
    if text is None:
        return None
    return "".join(c for c in text[:200] if c.isprintable()).strip() or None


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _cardholder(order: CardholderOrder) -> dict[str, Any]:
    address = {
        "line1": order.address_line1,
        "line2": order.address_line2,
        "city": order.city,
        "state": order.region,
        "postal_code": order.postal_code,
        "country": order.country,
    }
    born = order.birth_date
    accepted = {"date": int(order.terms_accepted_at.timestamp()), "ip": order.terms_accepted_ip}
    return {
        "type": "individual",
        "name": f"{order.first_name} {order.last_name}"[:24],
        "email": order.email,
        "phone_number": order.phone,
        "billing": {"address": {k: v for k, v in address.items() if v is not None}},
        "individual": {
            "first_name": order.first_name,
            "last_name": order.last_name,
            "dob": {"day": born.day, "month": born.month, "year": born.year},
            "card_issuing": {"user_terms_acceptance": accepted},
        },
    }

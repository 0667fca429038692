"""What the issuing domain asks of Stripe Issuing, and the shape of what comes back."""

from datetime import date, datetime
from typing import Protocol

import msgspec

from app.domain.issuing.states import AuthorizationState, TransactionKind


class RequestFacts(msgspec.Struct, frozen=True):
    """Stripe's word on one request, from the authorization's request_history."""

    approved: bool
    reason: str
    amount_minor: int


class TransactionFacts(msgspec.Struct, frozen=True):
    """A capture (negative) or refund (positive) as Stripe signs it, in minor units."""

    id: str
    kind: TransactionKind
    amount_minor: int
    currency: str
    occurred_at: datetime
    merchant_name: str
    card: str
    authorization: str | None


class AuthorizationFacts(msgspec.Struct, frozen=True):
    """An authorization as Stripe has it now. Requests and transactions oldest first."""

    id: str
    card: str
    state: AuthorizationState
    approved: bool
    amount_minor: int
    currency: str
    occurred_at: datetime
    merchant_name: str
    merchant_category: str
    merchant_country: str | None
    merchant_city: str | None
    merchant_network_id: str | None
    requests: list[RequestFacts]
    transactions: list[TransactionFacts]


class CardholderOrder(msgspec.Struct, frozen=True):
    """The person Stripe issues cards to: real data, as the law wants it."""

    key: str
    first_name: str
    last_name: str
    email: str
    phone: str
    birth_date: date
    address_line1: str
    address_line2: str | None
    city: str
    region: str | None
    postal_code: str
    country: str
    terms_accepted_at: datetime
    terms_accepted_ip: str


class CardOrder(msgspec.Struct, frozen=True):
    """A virtual card with the limits that Stripe enforces as the second wall, in minor units."""

    key: str
    cardholder: str
    currency: str
    daily_limit_minor: int
    monthly_limit_minor: int
    purchase_limit_minor: int | None


class IssuedCard(msgspec.Struct, frozen=True):
    id: str
    last4: str
    exp_month: int
    exp_year: int
    status: str


class CardNetwork(Protocol):
    """Stripe Issuing. Calls may raise; the job that made them is tried again."""

    async def authorization(self, stripe_authorization_id: str) -> AuthorizationFacts | None:
        """Give an authorization as it is now; None when Stripe has none of this id."""

    async def create_cardholder(self, order: CardholderOrder) -> str: ...

    async def create_card(self, order: CardOrder) -> IssuedCard: ...

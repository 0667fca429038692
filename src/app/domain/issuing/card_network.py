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


class Movement(msgspec.Struct, frozen=True):
    """A hold (negative) or release (positive) on the Issuing balance, in minor units."""

    id: str
    amount_minor: int
    occurred_at: datetime


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
    merchant_category: str = ""
    merchant_country: str | None = None
    merchant_city: str | None = None
    merchant_network_id: str | None = None


class AuthorizationFacts(msgspec.Struct, frozen=True):
    """An authorization as Stripe has it now. Requests and transactions oldest first.

    `forced`: a capture that had no authorization stands for it; the id is the transaction's.
    """

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
    movements: list[Movement] = []
    forced: bool = False


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
    active: bool = True
    # Stripe's id of the card whose place it takes, and why, in Stripe's words.
    replacement_for: str | None = None
    replacement_reason: str | None = None


class CardWish(msgspec.Struct, frozen=True):
    """How a card shall be at Stripe: its status in Stripe's words, its limits in minor units.

    `lost`: it is canceled because it is lost or stolen.
    """

    status: str
    daily_limit_minor: int
    monthly_limit_minor: int
    purchase_limit_minor: int | None
    lost: bool = False


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

    async def transaction(self, stripe_transaction_id: str) -> TransactionFacts | None:
        """Give a card transaction as it is now; None when Stripe has none of this id."""

    async def create_cardholder(self, order: CardholderOrder) -> str: ...

    async def create_card(self, order: CardOrder) -> IssuedCard: ...


class CardsAtStripe(CardNetwork, Protocol):
    """What keeping Stripe's cards as ours are asks of it."""

    async def change_card(self, key: str, stripe_card_id: str, wish: CardWish) -> None:
        """Bring a card to how it shall be. The same key again changes nothing."""

    async def change_cardholder(self, key: str, stripe_cardholder_id: str, *, active: bool) -> None:
        """Let all cards of a person buy, or none. The same key again changes nothing."""

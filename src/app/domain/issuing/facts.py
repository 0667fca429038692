"""All that a decision may look at, and nothing else. Amounts in minor units."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from app.domain.funding.pricing import Price
from app.domain.identity.states import CustomerState
from app.domain.issuing.states import CardState
from app.money import Currency

PROBE_MINOR = 100
"""Up to one dollar is a check of the card: it uses up no single-use card and locks none."""


class MerchantFacts(msgspec.Struct, frozen=True):
    """A merchant a card is bound to: the network's id of it, and its name."""

    network_id: str | None
    name: str


class CardFacts(msgspec.Struct, frozen=True):
    """A card's state and controls."""

    id: UUID
    state: CardState
    currency: Currency
    daily_limit_minor: int
    monthly_limit_minor: int
    purchase_limit_minor: int | None
    allowed_categories: list[str]
    blocked_categories: list[str]
    allowed_countries: list[str]
    blocked_countries: list[str]
    merchant_lock: str | None
    lock_to_first_merchant: bool
    single_use: bool
    active_until: datetime | None


class CustomerFacts(msgspec.Struct, frozen=True):
    id: UUID
    state: CustomerState
    exposure_limit_minor: int
    stripe_customer_id: str | None
    # Since when a debt of more than a trifle is open.
    in_debt_since: datetime | None = None


class SourceFacts(msgspec.Struct, frozen=True):
    """A linked card that may pay, in the order it is tried."""

    id: UUID
    stripe_payment_method_id: str
    brand: str
    last4: str
    funding: str
    country: str | None


class Scope(StrEnum):
    """Whose purchases are counted together."""

    CARD = "card"
    CUSTOMER = "customer"


class WindowUsage(msgspec.Struct, frozen=True):
    """What came before within so many minutes, this request and other tries of ours apart."""

    scope: Scope
    minutes: int
    purchases: int
    amount_minor: int
    # Declined, save for what was our own fault or the answer to earlier declines.
    declines: int
    # Requests for at most a probe's amount, however they ended.
    probes: int


class Usage(msgspec.Struct, frozen=True):
    """What other requests use of the limits, reservations included."""

    card_day_minor: int
    card_month_minor: int
    customer_open_minor: int
    # Approved purchases of more than a probe with this card, on other authorizations.
    card_purchases: int
    # Where the first of them was, for a card that stays where it was first used.
    first_merchant: MerchantFacts | None
    # When the customer's first approved purchase was asked for.
    first_purchase_at: datetime | None
    windows: list[WindowUsage]


class Purchase(msgspec.Struct, frozen=True):
    """What the merchant asks for. The amount is what comes on top of anything approved before."""

    amount_minor: int
    currency: str
    merchant_name: str
    merchant_category: str
    merchant_country: str | None
    merchant_network_id: str | None
    # The network's own estimate of fraud, from 0 to 99.
    risk_score: int | None
    # Whether less may be approved than was asked for, and how little at least.
    controllable: bool
    least_minor: int


class Facts(msgspec.Struct, frozen=True):
    """All a decision may look at."""

    at: datetime
    purchase: Purchase
    card: CardFacts | None
    customer: CustomerFacts | None
    sources: list[SourceFacts]
    price: Price | None
    usage: Usage
    # On the same authorization, before this request: approved.
    approved_before_minor: int
    own_descriptor: str
    # How long a debt may be open before it stops the customer's cards.
    debt_allowed_days: float = 3
    # A person has said that this purchase may pass the checks that can be passed once.
    allowed_once: bool = False

    @property
    def hold_minor(self) -> int:
        assert self.price is not None
        return self.price.hold_for(self.approved_before_minor, self.purchase.amount_minor)

    def window(self, scope: Scope, minutes: int) -> WindowUsage | None:
        """Give what was counted in a window; None for one that nobody counted."""
        found = (w for w in self.usage.windows if w.scope == scope and w.minutes == minutes)
        return next(found, None)

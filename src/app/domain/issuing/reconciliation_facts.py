"""What a reconciliation compares: our records and books on one side, Stripe's on the other.

All amounts are in minor units, signed as Stripe signs them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from app.domain.funding.balance import BalanceFacts
from app.domain.funding.charges import IntentFacts, RefundFacts
from app.domain.funding.states import ChargeState, RefundState
from app.domain.issuing.card_network import AuthorizationFacts, TransactionFacts
from app.domain.issuing.clearing import Uncleared
from app.domain.issuing.proving import Compared
from app.domain.issuing.states import AuthorizationState, TransactionKind


class Kind(StrEnum):
    """How something differs. The value is what people read."""

    MISSING_HERE = "missing here"
    MISSING_AT_STRIPE = "missing at Stripe"
    AMOUNT = "amount differs"
    STATE = "state differs"
    CURRENCY = "currency differs"
    UNMATCHED = "unmatched balance transaction"
    NO_MOVEMENT = "journal without its movement"
    BALANCE = "balance differs"
    NOT_CLEARED = "clearing not zero"
    REFUND = "refund differs"
    FEE = "fee differs"
    DUPLICATE = "duplicate charge"
    APPROVED_UNCHARGED = "approved without a charge"
    DECLINED_CHARGED = "declined with a charge"


class Difference(msgspec.Struct, frozen=True):
    """One thing that is not the same here and at Stripe.

    `name` is Stripe's id of it, a journal's reference, or an account. `since`: when the thing is
    from, by the business clock.
    """

    kind: Kind
    what: str
    name: str
    ours_minor: int | None = None
    theirs_minor: int | None = None
    currency: str = "usd"
    since: datetime | None = None
    note: str = ""


class OurPurchase(msgspec.Struct, frozen=True):
    id: UUID
    state: AuthorizationState
    amount_minor: int
    currency: str
    occurred_at: datetime


class OurTransaction(msgspec.Struct, frozen=True):
    kind: TransactionKind
    amount_minor: int
    currency: str
    occurred_at: datetime


class OurCharge(msgspec.Struct, frozen=True):
    state: ChargeState
    amount_minor: int
    captured_minor: int
    refunded_minor: int
    fee_minor: int | None
    stripe_charge_id: str | None
    created_at: datetime


class OurRefund(msgspec.Struct, frozen=True):
    state: RefundState
    amount_minor: int
    created_at: datetime


class OurMovement(msgspec.Struct, frozen=True):
    """A balance transaction as we have stored it."""

    net_minor: int
    currency: str
    occurred_at: datetime
    journal_reference: str | None


class OurJournal(msgspec.Struct, frozen=True):
    """What a journal did to our two balances at Stripe: debits less credits."""

    reference: str
    rule: str
    occurred_at: datetime
    currency: str
    payments_minor: int
    issuing_minor: int
    issuing_held_minor: int

    @property
    def moved_minor(self) -> int:
        return self.payments_minor + self.issuing_minor + self.issuing_held_minor


class Theirs(msgspec.Struct, frozen=True):
    """What Stripe has, by its ids."""

    purchases: Mapping[str, AuthorizationFacts]
    transactions: Mapping[str, TransactionFacts]
    intents: Mapping[str, IntentFacts]
    refunds: Mapping[str, RefundFacts]
    movements: Mapping[str, BalanceFacts]


class Ours(msgspec.Struct, frozen=True):
    """What we have, by Stripe's ids; journals by their references."""

    purchases: Mapping[str, OurPurchase]
    transactions: Mapping[str, OurTransaction]
    charges: Mapping[str, OurCharge]
    refunds: Mapping[str, OurRefund]
    movements: Mapping[str, OurMovement]
    journals: Mapping[str, OurJournal]
    # Journals whose movement we have stored, be it from before what is compared.
    matched: frozenset[str]
    uncleared: Sequence[Uncleared]


class Sides(msgspec.Struct, frozen=True):
    """Both sides since a moment, read one after the other, and the balances at one cut."""

    since: datetime
    ours: Ours
    theirs: Theirs
    balances: Compared

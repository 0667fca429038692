"""Our money at Stripe: what Stripe says it is, and what moved it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

import msgspec

from app.domain.ledger.accounts import Account
from app.domain.ledger.journals import Journal, Posting, Whose, journal

PAYMENTS, ISSUING = "payments", "issuing"
FEES = frozenset({"stripe_fee", "stripe_fx_fee", "tax_fee", "network_cost"})
PAYOUTS = frozenset({"payout", "payout_cancel", "payout_failure"})
"""Source of the types: https://docs.stripe.com/reports/balance-transaction-types"""


class BalanceFacts(msgspec.Struct, frozen=True):
    """A balance transaction as Stripe booked it; amounts in minor units, signed as Stripe does."""

    id: str
    balance_type: str
    type: str
    amount_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    source: str | None
    occurred_at: datetime
    available_at: datetime


class StripeBalances(msgspec.Struct, frozen=True):
    """What Stripe says we have now, in minor units of one currency."""

    payments_available_minor: int
    payments_pending_minor: int
    issuing_minor: int

    @property
    def payments_minor(self) -> int:
        return self.payments_available_minor + self.payments_pending_minor


class BalanceFeed(Protocol):
    """Stripe's record of our money."""

    async def transactions_since(self, moment: datetime) -> list[BalanceFacts]:
        """List what was booked since a moment, oldest first."""

    async def balances(self, currency: str) -> StripeBalances: ...


def own_journals(told: BalanceFacts) -> Iterator[Journal]:
    """Give the journals of what belongs to no purchase: our own money on its way, Stripe's fees.

    The first float of an account has no top-up behind it: it is what the owners paid in. Nothing
    here tells when a payout is at the bank, so it is there at once, until it comes back.
    """
    name, at, whose = told.id, told.occurred_at, Whose(currency=told.currency)
    amount = abs(told.net_minor)
    if told.type == "topup" and told.net_minor > 0:
        if told.source is None:
            paid_in = [Posting(Account.BANK, Account.CAPITAL, amount)]
            yield from journal(name, "capital_paid_in", at, whose, paid_in)
        sent = [Posting(Account.IN_TRANSIT, Account.BANK, amount)]
        yield from journal(told.source or name, "top_up_sent", at, whose, sent)
        came = [Posting(_account(told), Account.IN_TRANSIT, amount)]
        yield from journal(name, "top_up_arrived", at, whose, came)
    elif told.type == "topup_reversal" and told.net_minor < 0:
        gone = [Posting(Account.BANK, _account(told), amount)]
        yield from journal(name, "top_up_came_back", at, whose, gone)
    elif told.type in PAYOUTS and told.net_minor < 0:
        gone = [Posting(Account.BANK, _account(told), amount)]
        yield from journal(name, "payout_sent", at, whose, gone)
    elif told.type in PAYOUTS:
        back = [Posting(_account(told), Account.BANK, amount)]
        yield from journal(name, "payout_came_back", at, whose, back)
    elif told.type in FEES and told.net_minor < 0:
        paid = [Posting(Account.ISSUING_FEES, _account(told), amount)]
        yield from journal(name, "stripe_fee", at, whose, paid)
    elif told.type in FEES:
        back = [Posting(_account(told), Account.ISSUING_FEES, amount)]
        yield from journal(name, "stripe_fee_returned", at, whose, back)


def references(told: BalanceFacts) -> list[str]:
    """Give the references a balance transaction can have in our books, beside those of purchases.

    An object of a purchase names its journals after itself.
    """
    rules = {
        "topup": ("top_up_arrived",),
        "topup_reversal": ("top_up_came_back",),
        **dict.fromkeys(PAYOUTS, ("payout_sent", "payout_came_back")),
        **dict.fromkeys(FEES, ("stripe_fee", "stripe_fee_returned")),
        "issuing_authorization_hold": ("network_hold_placed",),
        "issuing_authorization_release": ("network_hold_released",),
    }
    names = [f"{told.id}:{rule}" for rule in rules.get(told.type, ())]
    source_rules = {
        "issuing_transaction": (
            *("merchant_captured", "merchant_refunded"),
            *("merchant_took_refund_back", "unmatched_refund_came"),
            "unmatched_refund_taken_back",
        ),
        "refund": ("refund_paid",),
        "payment_refund": ("refund_paid",),
        "refund_failure": ("refund_came_back",),
    }
    return names + [f"{told.source}:{rule}" for rule in source_rules.get(told.type, ())]


def _account(told: BalanceFacts) -> Account:
    issuing = told.balance_type == ISSUING
    return Account.ISSUING_BALANCE if issuing else Account.PAYMENTS_BALANCE

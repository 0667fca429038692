"""What a purchase adds up to at each of its journals. Pure: from the books, not from our rows."""

from collections.abc import Mapping

import msgspec

from app.domain.issuing.story_words import postings_of
from app.domain.ledger.accounts import Account
from app.domain.ledger.journals import Layer
from app.domain.ledger.models import JournalEntry

FLOAT = Account.ISSUING_BALANCE
PAYMENTS = Account.PAYMENTS_BALANCE
TITLES: Mapping[str, str] = {
    "authorized": "authorized",
    "held": "network holds",
    "captured": "captured",
    "refunded": "refunded",
    "charged": "net charged",
    "earned": "net fee earned",
    "owed": "owed",
}


class Totals(msgspec.Struct, frozen=True):
    """Running totals in minor units.

    `authorized`: approved requests. `held`: what of it the network holds still. `captured` and
    `refunded`: by merchants. `charged`: to linked cards, less what went back to them. `earned`:
    our fee, less what was returned. `owed`: by the customer.
    """

    authorized: int = 0
    held: int = 0
    captured: int = 0
    refunded: int = 0
    charged: int = 0
    earned: int = 0
    owed: int = 0

    def approve(self, amount_minor: int) -> "Totals":
        return msgspec.structs.replace(self, authorized=self.authorized + amount_minor)

    def post(self, entry: JournalEntry) -> "Totals":
        """Add a journal's postings."""
        totals = msgspec.structs.asdict(self)
        for debit, credit, amount, layer in postings_of(entry):
            if layer == Layer.HELD:
                totals["held"] += amount * ((credit == FLOAT) - (debit == FLOAT))
            else:
                for name, sign in _moves(entry.rule, Account(debit), Account(credit)):
                    totals[name] += sign * amount
        return Totals(**totals)

    @property
    def in_words(self) -> list[tuple[str, int]]:
        return [(title, getattr(self, name)) for name, title in TITLES.items()]


def _moves(rule: str, debit: Account, credit: Account) -> list[tuple[str, int]]:
    """Give which totals a posting moves, and whether up or down."""
    moves = []
    for account, sign in ((debit, 1), (credit, -1)):
        if account is Account.RECEIVABLE:
            moves.append(("owed", sign))
        if account in (Account.FEE_REVENUE, Account.FEE_RETURNED):
            moves.append(("earned", -sign))
        if account is PAYMENTS and {debit, credit} != {PAYMENTS, Account.PROCESSING_FEES}:
            moves.append(("charged", sign))
    match rule:
        case "merchant_captured":
            moves.append(("captured", 1))
        case "merchant_refunded" | "unmatched_refund_assigned":
            moves.append(("refunded", 1))
        case "merchant_took_refund_back" | "unmatched_taking_assigned":
            moves.append(("refunded", -1))
    return moves

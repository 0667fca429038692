"""Where it went what merchants gave back of a purchase: from the books, one after the other. Pure.

It goes on to the linked card, unless the customer had it from us before, or had not paid it.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from app.domain.funding.refund_models import Refund
from app.domain.funding.states import RefundPurpose
from app.domain.issuing.story_words import postings_of
from app.domain.ledger.accounts import Account
from app.domain.ledger.models import JournalEntry
from app.money import readable

GIVEN_BACK = frozenset({"merchant_refunded", "unmatched_refund_assigned"})
"""The rules of what merchants give back."""
SET_OFF: Mapping[str, str] = {
    "had": "is set against what you had from us before",
    "owed": "is set against what you owed",
    "outside": "goes back to the bank account that you had paid us from",
}


class Went(msgspec.Struct):
    """What became of an amount that a merchant gave back, in minor units.

    `uses`: what of it was set against something (SET_OFF), or is "passed" on to a linked card.
    `fee_minor`: what of our fee went to a linked card with it.
    """

    amount_minor: int
    uses: dict[str, int] = {}
    fee_minor: int = 0

    @property
    def left_minor(self) -> int:
        """What nothing has become of yet."""
        return self.amount_minor - sum(self.uses.values())

    @property
    def onward_minor(self) -> int:
        """What goes on to a linked card, or has gone there."""
        return self.left_minor + self.uses.get("passed", 0)

    @property
    def words(self) -> str:
        """Tell the customer."""
        told = [
            f"{self._of(self.uses[use])} {SET_OFF[use]}." for use in SET_OFF if use in self.uses
        ]
        fee = f"${readable(self.fee_minor)} of our fee" if self.fee_minor else ""
        if not told:
            told = ["It goes on to your linked card."]
        elif self.onward_minor:
            told.append(f"The rest goes on to your linked card{fee and f', with {fee}'}.")
        elif fee:
            told.append(f"{fee} goes on to your linked card.")
        return " ".join(told)

    def use(self, use: str, most_minor: int) -> int:
        """Note what became of a part of what is left; give how much that is."""
        minor = min(self.left_minor, most_minor)
        if minor > 0:
            self.uses[use] = self.uses.get(use, 0) + minor
        return minor

    def _of(self, minor: int) -> str:
        return "It" if minor == self.amount_minor else f"${readable(minor)} of it"


def where_it_went(journals: Iterable[JournalEntry], refunds: Iterable[Refund]) -> dict[str, Went]:
    """Follow what merchants gave back, by Stripe's id of the transaction; the oldest is used first.

    `journals` and `refunds`: a purchase's, the journals in the order in which they were recorded.
    """
    merchants = RefundPurpose.MERCHANT_REFUND
    passed_on = {one.stripe_refund_id for one in refunds if one.purpose is merchants}
    found: dict[str, Went] = {}
    latest = None
    for entry in journals:
        subject = entry.reference.partition(":")[0]
        if entry.rule in GIVEN_BACK:
            found[subject] = latest = Went(sum(entry.amounts))
        elif latest is not None and (entry.rule != "refund_owed" or subject in passed_on):
            for use, minor in _uses(entry):
                if use == "fee":
                    latest.fee_minor += minor
                else:
                    _spread(found.values(), use, minor)
    return found


def _spread(found: Iterable[Went], use: str, total_minor: int) -> None:
    for went in found:
        total_minor -= went.use(use, total_minor)


def _uses(entry: JournalEntry) -> Iterator[tuple[str, int]]:
    for debit, credit, amount, _ in postings_of(entry):
        match entry.rule:
            case "goodwill_covered" if debit == Account.CUSTOMER_FUNDS:
                yield "had", amount
            case "receivable_lowered":
                yield "outside" if credit == Account.REFUNDS_PAYABLE else "owed", amount
            case "refund_owed" if debit == Account.CUSTOMER_FUNDS:
                yield "passed", amount
            case "refund_owed" if debit == Account.FEE_RETURNED:
                yield "fee", amount

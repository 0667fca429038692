"""Where a purchase stands: what merchants took, what its customer paid, what is owed. Pure.

All amounts are in minor units. A charge's amount has two parts: the merchant's, called principal,
and our fee.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from app.domain.funding.pricing import Price, RefundFeePolicy
from app.domain.funding.states import (
    ChargeState,
    ReceivableState,
    RefundPurpose,
)
from app.domain.issuing.states import AuthorizationState

STANDING = (ReceivableState.OPEN, ReceivableState.WRITTEN_OFF, ReceivableState.PAID_OUTSIDE)
"""Debts that stand for a part of a capture, in the order in which merchants' refunds lower them."""


class PaidCharge(msgspec.Struct, frozen=True):
    """A charge that holds or has taken money. `lapses`: its hold must be taken now or is lost.

    `regains`: it takes again what was passed on before a merchant took its refund back.
    `returned_elsewhere_minor`: what went back to the card at Stripe and is no refund of ours.
    """

    id: UUID
    state: ChargeState
    amount_minor: int
    principal_minor: int
    captured_minor: int = 0
    captured_principal_minor: int = 0
    lapses: bool = False
    regains: bool = False
    returned_elsewhere_minor: int = 0


class GivenBack(msgspec.Struct, frozen=True):
    """A refund of ours; a failed one counts too, because we owe it still.

    What was withdrawn of it does not count. `owed_…`: what the bank sent back and nobody has had.
    """

    charge_id: UUID
    purpose: RefundPurpose
    principal_minor: int
    deferred_fee_minor: int = 0
    returned_fee_minor: int = 0
    # Our record of it, and what merchants' refunds cover of it by now; of one of our own only.
    id: UUID | None = None
    covered_minor: int = 0
    owed_principal_minor: int = 0
    owed_fee_minor: int = 0

    @property
    def amount_minor(self) -> int:
        return self.principal_minor + self.deferred_fee_minor + self.returned_fee_minor


class Debt(msgspec.Struct, frozen=True):
    """A receivable. `due`: it is time to try to collect it. `refund_reversed`: see PaidCharge.

    `paid_outside_minor`: what the customer paid of it to our bank account.
    """

    id: UUID
    state: ReceivableState
    amount_minor: int
    lowered_minor: int = 0
    refund_reversed: bool = False
    due: bool = False
    paid_outside_minor: int = 0

    @property
    def outstanding_minor(self) -> int:
        return self.amount_minor - self.lowered_minor


class Position(msgspec.Struct, frozen=True):
    """A purchase with all that pays for it. Charges oldest first; no canceled or declined ones."""

    state: AuthorizationState
    captured_minor: int
    refunded_minor: int
    price: Price
    policy: RefundFeePolicy = RefundFeePolicy.PROPORTIONAL
    charges: Sequence[PaidCharge] = ()
    refunds: Sequence[GivenBack] = ()
    debts: Sequence[Debt] = ()

    @property
    def held(self) -> list[PaidCharge]:
        return [charge for charge in self.charges if charge.state is ChargeState.HELD]

    @property
    def funded_minor(self) -> int:
        """What the customer has paid for merchants, refunds of merchants apart."""
        paid = sum(c.captured_principal_minor for c in self.charges if not c.regains)
        return paid - sum(r.principal_minor for r in self._refunds(RefundPurpose.UNEARNED))

    @property
    def fee_paid_minor(self) -> int:
        """What the customer has paid as our fee, what went back with refunds of merchants apart."""
        paid = sum(
            c.captured_minor - c.captured_principal_minor for c in self.charges if not c.regains
        )
        return paid - sum(r.deferred_fee_minor for r in self._refunds(RefundPurpose.UNEARNED))

    @property
    def earned_minor(self) -> int:
        """Our fee on what merchants took, as far as it is paid."""
        return min(self.price.fee(self.captured_minor), self.fee_paid_minor)

    @property
    def due_minor(self) -> int:
        """What merchants took and is neither paid nor owed; below zero when more was paid."""
        owed = sum(_covered(debt) for debt in self.debts if not debt.refund_reversed)
        return self.captured_minor - self.funded_minor - owed

    @property
    def fee_due_minor(self) -> int:
        """Our fee on all that merchants took, less what is paid of it.

        What was paid to our bank account, or given up as lost, has no fee that is asked for.
        """
        due = self.price.fee(self.captured_minor) - self.fee_paid_minor
        asked = self.price.fee(self.captured_minor - self._without_fee_minor) - self.fee_paid_minor
        return max(asked, 0) if due > 0 else due

    @property
    def _without_fee_minor(self) -> int:
        lost = ReceivableState.WRITTEN_OFF
        return sum(
            debt.paid_outside_minor + (debt.outstanding_minor if debt.state is lost else 0)
            for debt in self.debts
            if not debt.refund_reversed
        )

    @property
    def given_back_minor(self) -> int:
        """What merchants gave back of what they took."""
        return max(min(self.refunded_minor, self.captured_minor), 0)

    @property
    def to_pass_on_minor(self) -> int:
        """What of it belongs to the customer: not what it spared the customer of paying."""
        spared = sum(debt.lowered_minor for debt in self.debts if not debt.refund_reversed)
        return min(self.given_back_minor - spared, self.funded_minor)

    @property
    def passed_on_minor(self) -> int:
        """What of it the customer has had, less what was taken or is owed again."""
        passed = sum(r.principal_minor for r in self._refunds(RefundPurpose.MERCHANT_REFUND))
        regained = sum(c.captured_principal_minor for c in self.charges if c.regains)
        owed = sum(
            debt.outstanding_minor
            for debt in self.debts
            if debt.refund_reversed and debt.state in STANDING
        )
        return passed - regained - owed

    @property
    def failed_refunds(self) -> list[GivenBack]:
        """What of it the bank sent back, and the customer is owed still."""
        passed = self._refunds(RefundPurpose.MERCHANT_REFUND)
        return [one for one in passed if one.owed_principal_minor + one.owed_fee_minor > 0]

    @property
    def goodwill(self) -> list[GivenBack]:
        """What staff gave on their own: a merchant's refund covers it before it is passed on."""
        return self._refunds(RefundPurpose.GOODWILL)

    @property
    def covered_minor(self) -> int:
        """What of merchants' refunds we kept, because the customer had it from us before."""
        return sum(refund.covered_minor for refund in self.goodwill)

    @property
    def goodwill_most_minor(self) -> tuple[int, int]:
        """Give what staff may still give back: of the merchant's part, and of our fee.

        Together no more than the charges hold: a debt that no card has paid is not among it.
        """
        given = sum(refund.principal_minor for refund in self.goodwill) - self.covered_minor
        fee_given = sum(refund.returned_fee_minor for refund in self.goodwill)
        principal = min(self.funded_minor, self.captured_minor) - self.passed_on_minor
        principal -= self.covered_minor + given
        fee = max(self.earned_minor - self.fee_passed_on_minor - fee_given, 0)
        room = sum(self.refundable(charge) for charge in self.charges)
        return max(min(principal, room - fee), 0), min(fee, room)

    @property
    def fee_passed_on_minor(self) -> int:
        passed = sum(r.returned_fee_minor for r in self._refunds(RefundPurpose.MERCHANT_REFUND))
        regained = sum(
            c.captured_minor - c.captured_principal_minor for c in self.charges if c.regains
        )
        return passed - regained

    @property
    def fee_to_pass_on_minor(self) -> int:
        """What of our earned fee goes back with what merchants gave back, by the price's policy."""
        return self.policy.returned(self.earned_minor, self.to_pass_on_minor, self.funded_minor)

    def refundable(self, charge: PaidCharge) -> int:
        """Give what of a charge has not gone back yet."""
        back = sum(r.amount_minor for r in self.refunds if r.charge_id == charge.id)
        return charge.captured_minor - charge.returned_elsewhere_minor - back

    def principal_of(self, take_minor: int) -> int:
        """Give the merchant's part of what is taken now of a hold, so that the fee on it fits."""
        due = max(self.due_minor, 0)
        if take_minor >= due + max(self.fee_due_minor, 0):
            return min(due, take_minor)
        return self.price.principal_within(self.funded_minor, take_minor)

    def _refunds(self, purpose: RefundPurpose) -> list[GivenBack]:
        return [refund for refund in self.refunds if refund.purpose is purpose]


def _covered(debt: Debt) -> int:
    """Give what of a capture a debt stands for; what was collected is paid by its charge."""
    return debt.amount_minor if debt.state in STANDING else debt.lowered_minor

"""What a purchase costs its customer, and what of it is on their own card by now. Pure.

All amounts are minor units of the customer's currency.
"""

import msgspec

from app.domain.funding.states import (
    ChargeState,
    ReceivableState,
    RefundPurpose,
)
from app.domain.issuing.lines import Line
from app.domain.issuing.story import Story


class Bill(msgspec.Struct, frozen=True):
    """A purchase's sum: the merchant's part with our fee, and where each cent of it is.

    `charged_minor`: taken from linked cards, less what was too much; merchants' refunds apart.
    `set_off_minor`: not charged, because the merchant gave it back first. `given_up_minor`: nobody
    has to pay it any more. `from_us_minor`: what we gave back on our own.
    """

    fee_minor: int
    total_minor: int
    charged_minor: int
    held_minor: int
    set_off_minor: int = 0
    given_up_minor: int = 0
    outside_minor: int = 0
    from_us_minor: int = 0

    @property
    def is_charged(self) -> bool:
        """Whether all of it is on the customer's own card, and nothing else."""
        return self.charged_minor == self.total_minor

    @property
    def is_held(self) -> bool:
        return self.held_minor == self.total_minor and not self.charged_minor


def bill_of(line: Line, story: Story) -> Bill:
    """Add a purchase up."""
    charges = [funded.charge for funded in story.charges]
    taken = [one for one in charges if one.captured_minor and not one.undone]
    too_much = [one for one in story.refunds if one.purpose is RefundPurpose.UNEARNED]
    held = sum(one.amount_minor for one in charges if one.state is ChargeState.HELD)
    closed = [debt for debt in story.debts if debt.state is ReceivableState.WRITTEN_OFF]
    ours = [one for one in story.refunds if one.purpose is RefundPurpose.GOODWILL]
    return Bill(
        fee_minor=line.fee_minor if line.total_minor else 0,
        total_minor=line.total_minor,
        charged_minor=sum(one.captured_minor for one in taken)
        - sum(one.amount_minor for one in too_much),
        held_minor=held,
        set_off_minor=sum(debt.lowered_minor for debt in story.debts),
        given_up_minor=sum(debt.outstanding_minor for debt in closed),
        outside_minor=sum(debt.paid_outside_minor or 0 for debt in story.debts),
        from_us_minor=sum(one.amount_minor for one in ours),
    )

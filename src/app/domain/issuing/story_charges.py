"""What was true of a charge at each moment: asked, held, captured, released, declined. Pure.

A charge's row has only how it stands today. What it was before is in the books, which post every
move of it when it is seen, and in `answered_at`, when what had been asked was answered.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from app.domain.funding.models import Charge
from app.domain.funding.states import ChargePurpose, ChargeState
from app.domain.issuing.story import FundedCharge
from app.domain.issuing.story_words import postings_of
from app.domain.ledger.accounts import Account
from app.domain.ledger.journals import Layer
from app.domain.ledger.models import JournalEntry
from app.money import readable

MOVES = (
    "linked_card_held",
    "linked_card_charged",
    "linked_card_captured",
    "linked_card_released",
)
"""The rules that post a charge's moves, in the order in which a charge makes them."""
WHY_CHARGED = {
    ChargePurpose.DIFFERENCE: "what merchants took beyond it",
    ChargePurpose.REFUND_REVERSED: "a refund that its merchant took back",
    ChargePurpose.COLLECTION: "to collect a debt",
}
ENDED = {
    ChargeState.DECLINED: "declined",
    ChargeState.CANCELED: "canceled, nothing was taken",
    ChargeState.HELD: "held",
    ChargeState.CAPTURED: "captured",
    # What was given back later had been captured before.
    ChargeState.REFUNDED: "captured",
}


class ChargeStep(msgspec.Struct, frozen=True):
    """What was true of a charge since a moment, in words.

    `at`: when our database saw it. `when`: by the business's clock, where the books tell.
    """

    at: datetime
    what: str
    when: datetime | None = None


def charge_steps(funded: FundedCharge, journals: Sequence[JournalEntry]) -> Iterator[ChargeStep]:
    """Give the steps of a charge, oldest first. `journals`: those of its purchase."""
    charge = funded.charge
    on = f"{readable(charge.amount_minor)} on {_card(funded)}"
    first = f"{on}, {WHY_CHARGED.get(charge.purpose) or f'attempt {charge.attempt}'}"
    moves = _moves_of(charge, journals)
    if moves and moves[0].recorded_at <= charge.created_at:
        # It was written down together with what came of it, as a decision does.
        yield ChargeStep(charge.created_at, f"{first}: {_moved(charge, moves[0])}")
        moves = moves[1:]
    elif not moves and _was_answered(charge) and not _answered_later(charge):
        yield ChargeStep(charge.created_at, f"{first}: {_ended(charge)}")
        return
    else:
        yield ChargeStep(charge.created_at, f"{first}: asked, no answer yet")
        if not moves and charge.answered_at is not None:
            yield ChargeStep(charge.answered_at, f"{on}: {_ended(charge)}")
    for entry in moves:
        yield ChargeStep(entry.recorded_at, f"{on}: {_moved(charge, entry)}", entry.occurred_at)


def _moves_of(charge: Charge, journals: Sequence[JournalEntry]) -> list[JournalEntry]:
    names = {f"{charge.stripe_payment_intent_id}:{rule}" for rule in MOVES}
    found = [entry for entry in journals if entry.reference in names]
    return sorted(found, key=lambda entry: (entry.recorded_at, MOVES.index(entry.rule)))


def _moved(charge: Charge, entry: JournalEntry) -> str:
    """Say what a journal did to a charge."""
    match entry.rule:
        case "linked_card_held":
            return "held"
        case "linked_card_charged":
            return "charged"
        case "linked_card_released":
            return "the hold is released"
    taken = sum(
        amount
        for debit, _, amount, layer in postings_of(entry)
        if debit == Account.PAYMENTS_BALANCE and layer == Layer.POSTED
    )
    if taken == charge.amount_minor:
        return "captured"
    return f"{readable(taken)} of it captured, the rest released"


def _ended(charge: Charge) -> str:
    bank = f", the bank: {charge.decline_code.replace('_', ' ')}" if charge.decline_code else ""
    return f"{ENDED[charge.state]}{bank}"


def _was_answered(charge: Charge) -> bool:
    return charge.state is not ChargeState.UNKNOWN


def _answered_later(charge: Charge) -> bool:
    return charge.answered_at is not None and charge.answered_at > charge.created_at


def _card(funded: FundedCharge) -> str:
    source = funded.source
    return f"{source.brand} ···· {source.last4}" if source else "a linked card"

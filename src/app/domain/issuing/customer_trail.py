"""What happened to a purchase, step by step, in the words of the customer who pays for it. Pure.

Asked, held, captured, charged, refunded: each with its time by the business's clock and its cents.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from app.domain.funding.models import FundingSource
from app.domain.funding.refund_models import Receivable
from app.domain.funding.states import ChargePurpose, ChargeState, FundingMode, ReceivableState
from app.domain.issuing.explanations import EXPLANATIONS, told_to_customer
from app.domain.issuing.given_back import GIVEN_BACK, where_it_went
from app.domain.issuing.merchant_names import tidy_name
from app.domain.issuing.models import AuthorizationRequest
from app.domain.issuing.owing import TOO_MUCH, Due, Dues
from app.domain.issuing.standing import TAKE_BEFORE_LAPSE
from app.domain.issuing.states import RequestState
from app.domain.issuing.story import FundedCharge, Story
from app.domain.issuing.story_words import postings_of
from app.domain.ledger.accounts import Account
from app.domain.ledger.journals import Layer
from app.domain.ledger.models import JournalEntry
from app.money import readable


class Kind(StrEnum):
    """What a step was. Of two in the same second, the one that is named first here comes first."""

    ASKED = "asked"
    DECLINED = "declined"
    REFUSED = "refused"
    HELD = "held"
    CAPTURED = "captured"
    CHARGED = "charged"
    RELEASED = "released"
    GIVEN_BACK = "given back"
    REFUNDED = "refunded"
    OWED = "owed"


ORDER = tuple(Kind)
CLOSED: Mapping[ReceivableState, str] = {
    ReceivableState.COLLECTED: "It was paid later.",
    ReceivableState.RECOVERED: "It was paid later.",
    ReceivableState.SETTLED: "What the merchant gave back has settled it.",
    ReceivableState.WRITTEN_OFF: "It was given up, and you need not pay it.",
    ReceivableState.PAID_OUTSIDE: "You paid it to our bank account.",
}
"""What became of a debt that is not open any more."""


class Happened(msgspec.Struct, frozen=True):
    """One step. `amount_minor`: what it was about, where it was about an amount."""

    at: datetime
    kind: Kind
    title: str
    words: str = ""
    amount_minor: int | None = None


def trail_of(story: Story, dues: Dues) -> list[Happened]:
    """Give the steps of a purchase, the first one first. `dues`: what of it is open."""
    found = [*_asked(story), *_refused(story), *_moved(story), *_refunded(story)]
    found += [*_sent_back(story), *_owed(story, dues)]
    return sorted(found, key=lambda one: (_second(one.at), ORDER.index(one.kind)))


def _second(at: datetime) -> datetime:
    """Stripe tells times by the second, and we by less."""
    return at.replace(microsecond=0)


def _asked(story: Story) -> Iterator[Happened]:
    merchant = tidy_name(story.purchase.merchant_name)
    for request in story.requests:
        minor = request.amount_minor
        title = f"{merchant} asked" if request.ordinal == 0 else f"{merchant} asked for more"
        words = "It asked whether the card is good, and for no money." if minor == 0 else ""
        yield Happened(request.requested_at, Kind.ASKED, title, words, minor or None)
        if _was_declined(request) and request.reason is not None:
            told = EXPLANATIONS[request.reason].customer
            at = request.decided_at or request.requested_at
            yield Happened(at, Kind.DECLINED, "Declined", told, None)


def _was_declined(request: AuthorizationRequest) -> bool:
    if request.stripe_approved is not None:
        return not request.stripe_approved
    return request.state is RequestState.DECLINED


def _came_of_no(story: Story, funded: FundedCharge | None) -> bool:
    """Tell a hold that was found after a decline: the bank's answer had not reached us."""
    declined = {request.id for request in story.requests if _was_declined(request)}
    return funded is not None and funded.charge.request_id in declined


def _refused(story: Story) -> Iterator[Happened]:
    """Tell of linked cards that were tried and did not pay."""
    for funded in story.charges:
        charge, card = funded.charge, _named(funded.source)
        if charge.state is ChargeState.DECLINED:
            words = f"{told_to_customer(charge.decline_code)} Nothing was taken from it."
            yield Happened(charge.created_at, Kind.REFUSED, f"{card} refused", words)
        elif charge.on_session and charge.state is ChargeState.UNKNOWN:
            words = "Nothing is taken until your bank and you have said yes."
            yield Happened(charge.created_at, Kind.REFUSED, f"{card} waits for you", words)
        elif charge.on_session and charge.state is ChargeState.CANCELED:
            title, words = f"Not paid with {card}", "Nothing was taken, and it stayed open."
            yield Happened(charge.created_at, Kind.REFUSED, title, words)
        elif charge.state is ChargeState.UNKNOWN:
            words = "We are finding out. If anything was held, it is released."
            title = f"{card} gave no clear answer"
            yield Happened(charge.created_at, Kind.REFUSED, title, words)


def _moved(story: Story) -> Iterator[Happened]:
    """Tell what moved, from the books."""
    sources = {one.charge.stripe_payment_intent_id: one for one in story.charges}
    merchant = tidy_name(story.purchase.merchant_name)
    went = where_it_went(story.journals, story.refunds)
    for entry in story.journals:
        at, funded = entry.occurred_at, sources.get(entry.reference.partition(":")[0])
        match entry.rule:
            case "linked_card_held":
                parts = _parts(entry, Layer.HELD)
                words = f"{parts} Nothing is taken yet."
                if _came_of_no(story, funded):
                    words = "The purchase was declined: nothing is taken, and it is let go of."
                yield Happened(at, Kind.HELD, f"Held on {_card(funded)}", words, _sum(entry))
            case "linked_card_captured" | "linked_card_charged":
                why = _why(funded) or _why_early(story, entry, funded)
                yield Happened(
                    at,
                    Kind.CHARGED,
                    f"Charged to {_card(funded)}",
                    _parts(entry, Layer.POSTED) + why,
                    _sum(entry, Layer.POSTED),
                )
            case "linked_card_released":
                words = "The hold is over, and nothing was taken. Your bank may show it for a day."
                title = f"Released on {_card(funded)}"
                yield Happened(at, Kind.RELEASED, title, words, _sum(entry))
            case "merchant_captured":
                yield Happened(at, Kind.CAPTURED, f"{merchant} took the money", "", _sum(entry))
            case rule if rule in GIVEN_BACK:
                words = went[entry.reference.partition(":")[0]].words
                yield Happened(at, Kind.GIVEN_BACK, f"{merchant} gave back", words, _sum(entry))
            case "merchant_took_refund_back" | "unmatched_taking_assigned":
                title = f"{merchant} took its refund back"
                yield Happened(at, Kind.CAPTURED, title, "", _sum(entry))


def _sent_back(story: Story) -> Iterator[Happened]:
    """Tell what the bank sent back, and what became of it."""
    for entry in story.journals:
        at = entry.occurred_at
        match entry.rule:
            case "refund_came_back":
                words = _what_became(story, entry)
                yield Happened(at, Kind.REFUSED, "Your bank sent the refund back", words)
            case "refund_withdrawn":
                words = "It is taken from what your bank sent back, which you never had."
                yield Happened(at, Kind.RELEASED, "You are not charged again", words, _sum(entry))
            case "refund_paid_outside" | "receivable_paid_back":
                words = "It came from our bank account."
                yield Happened(at, Kind.REFUNDED, "Paid to you another way", words, _sum(entry))


def _what_became(story: Story, entry: JournalEntry) -> str:
    """Say what became of a refund that the bank sent back."""
    name = entry.reference.partition(":")[0]
    refund = next((one for one in story.refunds if one.stripe_refund_id == name), None)
    if refund is None or refund.to_pay_minor == refund.amount_minor:
        return "We are looking for another way to pay it to you."
    if refund.to_pay_minor:
        left = f"${readable(refund.to_pay_minor)}"
        return f"The merchant took the rest back: we look for another way to pay you {left}."
    if refund.paid_outside_minor:
        return "We have paid it to you another way."
    return "The merchant took it back before it could be paid to you."


def _refunded(story: Story) -> Iterator[Happened]:
    """Tell what goes back; what goes to several charges is one refund to a customer.

    Until the merchant gives something back again, it all belongs together.
    """
    given = [_second(one.occurred_at) for one in story.journals if one.rule in GIVEN_BACK]
    together: dict[int, list[JournalEntry]] = defaultdict(list)
    for entry in story.journals:
        if entry.rule == "refund_owed":
            before = sum(at <= entry.occurred_at for at in given)
            together[before].append(entry)
    for entries in together.values():
        at = max(entry.occurred_at for entry in entries)
        fee = sum(map(_fee_given_back, entries))
        part = f"${readable(fee)} of it is our fee." if fee else "Our fee is not part of it."
        words = f"{part} Banks take up to ten days to show it."
        title = "Refunded to your linked card"
        yield Happened(at, Kind.REFUNDED, title, words, sum(map(_sum, entries)))


def _owed(story: Story, dues: Dues) -> Iterator[Happened]:
    open_ones = {due.debt.id: due for due in dues.each}
    for debt in story.debts:
        due = open_ones.get(debt.id)
        title = "Not paid yet" if due else "Not paid at first"
        words = _how_open(due) if due else _how_closed(debt)
        minor = due.amount_minor if due else debt.amount_minor
        yield Happened(debt.opened_at, Kind.OWED, title, words, minor)


def _how_closed(debt: Receivable) -> str:
    """Say what became of it; one that was given up can have been settled like any other."""
    is_settled = debt.state is ReceivableState.RECOVERED and debt.outstanding_minor == 0
    return CLOSED[ReceivableState.SETTLED if is_settled else debt.state]


def _how_open(due: Due) -> str:
    if due.is_too_much:
        return TOO_MUCH
    if due.step is None:
        return "It is too little to charge, and stops none of your cards."
    parts = f"{due.parts}. " if due.parts else ""
    if due.debt.next_attempt_at is None:
        return f"{parts}None of your linked cards paid it. Pay it, or link another card."
    again = f"We try again by ourselves on {due.debt.next_attempt_at:%-d %B}."
    return f"{parts}None of your linked cards paid it. {again}"


def _card(funded: FundedCharge | None) -> str:
    return _named(funded.source if funded else None)


def _named(source: FundingSource | None) -> str:
    if source is None:
        return "your linked card"
    return f"{source.brand.replace('_', ' ').title()} •••• {source.last4}"


def _why(funded: FundedCharge | None) -> str:
    match funded.charge.purpose if funded else None:
        case ChargePurpose.DIFFERENCE:
            return " The merchant took more than was held."
        case ChargePurpose.REFUND_REVERSED:
            return " The merchant took its refund back."
        case ChargePurpose.COLLECTION:
            return " It had not been paid before."
        case _:
            return ""


def _why_early(story: Story, entry: JournalEntry, funded: FundedCharge | None) -> str:
    """Say why a hold was taken before the merchant took anything, where it was."""
    charge = funded.charge if funded else None
    if charge is None or charge.mode is not FundingMode.HOLD or charge.capture_before is None:
        return ""
    captures = (one for one in story.journals if one.rule == "merchant_captured")
    if any(_second(one.occurred_at) <= _second(entry.occurred_at) for one in captures):
        return ""
    if entry.occurred_at < charge.capture_before - TAKE_BEFORE_LAPSE:
        return ""
    return " Your bank's hold was about to end. What the merchant does not take comes back."


def _parts(entry: JournalEntry, layer: Layer) -> str:
    fee = sum(
        amount
        for debit, credit, amount, where in postings_of(entry)
        if where == layer and credit == Account.DEFERRED_FEE and debit == Account.PAYMENTS_BALANCE
    )
    principal = _sum(entry, layer) - fee
    return f"${readable(principal)} for the merchant and ${readable(fee)} our fee."


def _fee_given_back(entry: JournalEntry) -> int:
    given = (Account.DEFERRED_FEE, Account.FEE_RETURNED)
    return sum(amount for debit, _, amount, _ in postings_of(entry) if debit in given)


def _sum(entry: JournalEntry, layer: Layer | None = None) -> int:
    """Add up a journal's amounts; of a layer, only what came to our balance at Stripe."""
    return sum(
        amount
        for debit, _, amount, where in postings_of(entry)
        if layer is None or (where == layer and debit == Account.PAYMENTS_BALANCE)
    )

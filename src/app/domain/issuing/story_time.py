"""Everything that happened to a purchase in one line of time, with what it added up to. Pure.

Each row says what was true at its moment; what became of it later has a row of its own.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from app.domain.funding.refund_models import Receivable, Refund
from app.domain.funding.states import RefundPurpose, RefundState
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.models import AuthorizationRequest, CardTransaction
from app.domain.issuing.states import RequestState, TransactionKind
from app.domain.issuing.story import FundedCharge, Story
from app.domain.issuing.story_charges import charge_steps
from app.domain.issuing.story_totals import Totals
from app.domain.issuing.story_words import RULES, posting_lines, rule_in_words
from app.domain.ledger.models import JournalEntry
from app.money import readable

SAME_TIME = timedelta(seconds=30)
KINDS = ("question", "answer", "charge", "merchant", "refund", "debt", "journal", "webhook")
"""What comes first when two things were seen in the same moment."""
ORDER = {rule: place for place, rule in enumerate(RULES)}


class Moment(msgspec.Struct, frozen=True):
    """Something that happened, when our database saw it, and which row tells of it.

    `happened`: when it was by the business's clock, where that was another time. `lines`: a
    journal's postings in words. `totals`: what all adds up to after it, where it changed that.
    """

    at: datetime
    kind: str
    what: str
    record: str | None = None
    key: str = ""
    happened: datetime | None = None
    lines: Sequence[str] = ()
    totals: Totals | None = None


def moments(story: Story) -> list[Moment]:
    """Give the moments of a purchase, oldest first, each with the running totals after it."""
    found: list[tuple[Moment, JournalEntry | AuthorizationRequest | None]] = []
    for request in story.requests:
        found += [(m, request if m.kind == "answer" else None) for m in _request(request)]
    for funded in story.charges:
        found += [(moment, None) for moment in _charge(funded, story.journals)]
    found += [(_moved(one), None) for one in story.transactions]
    found += [(_refund(one), None) for one in story.refunds]
    found += [(_debt(one), None) for one in story.debts]
    found += [(_journal(one), one) for one in story.journals]
    found.sort(key=lambda one: _place(*one))
    totals, told = Totals(), []
    for moment, source in found:
        after = _added(totals, source)
        told.append(moment if after == totals else msgspec.structs.replace(moment, totals=after))
        totals = after
    return told


def totals_of(told: Sequence[Moment]) -> Totals:
    """Give what it all adds up to at the end."""
    changed = [moment.totals for moment in told if moment.totals is not None]
    return changed[-1] if changed else Totals()


def _place(moment: Moment, source: object) -> tuple[datetime, int, int]:
    known = KINDS.index(moment.kind) if moment.kind in KINDS else len(KINDS)
    rule = ORDER.get(source.rule, len(ORDER)) if isinstance(source, JournalEntry) else 0
    return (moment.at, known, rule)


def _added(totals: Totals, source: JournalEntry | AuthorizationRequest | None) -> Totals:
    if isinstance(source, JournalEntry):
        return totals.post(source)
    if source is None or source.state is not RequestState.APPROVED:
        return totals
    if source.stripe_approved is False:
        return totals
    minor = source.approved_minor
    return totals.approve(source.amount_minor if minor is None else minor)


def _happened(at: datetime, when: datetime) -> datetime | None:
    """Give when it was, unless that is when it was seen."""
    return when if abs(at - when) > SAME_TIME else None


def _request(request: AuthorizationRequest) -> Iterator[Moment]:
    key, at = str(request.id), request.created_at
    asked = f"request {request.ordinal + 1}: {readable(request.amount_minor)} asked"
    told = asked if request.stripe_event_id else f"{asked}, decided by Stripe without us"
    when = _happened(at, request.requested_at)
    yield Moment(at, "question", told, "requests", key, when)
    if request.verified_at is not None:
        word = "approved" if request.stripe_approved else "declined"
        said = f"Stripe says {word} ({request.stripe_reason or 'no word on it'})"
        yield Moment(request.verified_at, "certain", said, "requests", key)
    if request.state is RequestState.DECIDING:
        return
    why = f": {EXPLANATIONS[request.reason].short}" if request.reason else ""
    took = request.step_ms.get("total")
    time = f" after {took:.0f} ms" if took is not None else ""
    minor = request.approved_minor
    part = f" for {readable(minor)}" if minor not in (None, request.amount_minor) else ""
    answer = f"request {request.ordinal + 1} {request.state.value}{part}{time}{why}"
    # The linked card was asked in between.
    answered = at + timedelta(milliseconds=took or 0)
    yield Moment(answered, "answer", answer, "requests", key)


def _charge(funded: FundedCharge, journals: Sequence[JournalEntry]) -> Iterator[Moment]:
    key = str(funded.charge.id)
    for step in charge_steps(funded, journals):
        when = _happened(step.at, step.when) if step.when else None
        yield Moment(step.at, "charge", step.what, "charges", key, when)


def _moved(one: CardTransaction) -> Moment:
    amount = readable(abs(one.amount_minor))
    if one.kind is TransactionKind.CAPTURE:
        told = f"{one.merchant_name} took {amount}, our fee {readable(one.fee_minor)}"
    elif one.amount_minor < 0:
        told = f"{one.merchant_name} took its refund of {amount} back"
    else:
        told = f"{one.merchant_name} gave back {amount}"
    told += f" · {one.stripe_transaction_id}"
    when = _happened(one.created_at, one.occurred_at)
    return Moment(one.created_at, "merchant", told, "transactions", str(one.id), when)


def _refund(refund: Refund) -> Moment:
    """Tell of the asking; the books tell when it was booked, and when it came back."""
    fee = refund.deferred_fee_minor + refund.returned_fee_minor
    why = "more was taken than it cost"
    if refund.purpose is RefundPurpose.MERCHANT_REFUND:
        why = "the merchant gave it back"
    elif refund.purpose is RefundPurpose.GOODWILL:
        why = "staff gave it, at our cost"
    part = f", {readable(fee)} of it our fee" if fee else ""
    told = f"we ask to give back {readable(refund.amount_minor)}{part}: {why}"
    if refund.state is RefundState.FAILED:
        told += f"; it failed later ({(refund.failure_reason or 'no reason').replace('_', ' ')})"
    return Moment(refund.created_at, "refund", told, "refunds", str(refund.id))


def _debt(debt: Receivable) -> Moment:
    """Tell of its opening; the books tell when it was lowered, paid or given up."""
    told = f"the customer owes {readable(debt.amount_minor)}"
    when = _happened(debt.created_at, debt.opened_at)
    return Moment(debt.created_at, "debt", told, "receivables", str(debt.id), when)


def _journal(entry: JournalEntry) -> Moment:
    return Moment(
        entry.recorded_at,
        "journal",
        rule_in_words(entry.rule),
        "journals",
        entry.reference,
        _happened(entry.recorded_at, entry.occurred_at),
        posting_lines(entry),
    )

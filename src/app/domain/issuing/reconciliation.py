"""Compare our records with the objects at Stripe: what is on one side only, or differs. Pure."""

from collections import defaultdict
from collections.abc import Iterator

from app.domain.funding.charges import IntentFacts
from app.domain.funding.states import LIVE_CHARGES, ChargeState
from app.domain.issuing.card_network import AuthorizationFacts
from app.domain.issuing.extra_charges import EXTRA
from app.domain.issuing.reconciliation_books import books_differences
from app.domain.issuing.reconciliation_facts import (
    Difference,
    Kind,
    OurCharge,
    OurPurchase,
    OurRefund,
    Ours,
    OurTransaction,
    Sides,
    Theirs,
)
from app.domain.issuing.states import AuthorizationState


def compare(sides: Sides) -> list[Difference]:
    """Give every difference between the two sides, by kind and name."""
    ours, theirs = sides.ours, sides.theirs
    found = [
        *_purchases(ours, theirs),
        *_transactions(ours, theirs),
        *_charges(ours, theirs),
        *_refunds(ours, theirs),
        *_unfunded(theirs),
        *books_differences(sides),
    ]
    order = list(Kind)
    return sorted(found, key=lambda one: (order.index(one.kind), one.name, one.note))


def _purchases(ours: Ours, theirs: Theirs) -> Iterator[Difference]:
    for name in ours.purchases.keys() | theirs.purchases.keys():
        our, their = ours.purchases.get(name), theirs.purchases.get(name)
        if our is None:
            assert their is not None
            yield Difference(
                *(Kind.MISSING_HERE, "authorization", name, None, their.amount_minor),
                *(their.currency, their.occurred_at),
            )
        elif their is None:
            yield Difference(
                *(Kind.MISSING_AT_STRIPE, "authorization", name, our.amount_minor, None),
                *(our.currency, our.occurred_at),
            )
        else:
            yield from _purchase(name, our, their)


def _purchase(name: str, our: OurPurchase, their: AuthorizationFacts) -> Iterator[Difference]:
    amounts = (our.amount_minor, their.amount_minor)
    more = (their.currency, their.occurred_at)
    if our.currency != their.currency:
        note = f"{our.currency} here, {their.currency} at Stripe"
        yield Difference(Kind.CURRENCY, "authorization", name, *amounts, *more, note)
    if our.state is not their.state:
        note = f"{our.state} here, {their.state} at Stripe"
        yield Difference(Kind.STATE, "authorization", name, *amounts, *more, note)
    if our.amount_minor != their.amount_minor:
        yield Difference(Kind.AMOUNT, "authorization", name, *amounts, *more)


def _transactions(ours: Ours, theirs: Theirs) -> Iterator[Difference]:
    for name in ours.transactions.keys() | theirs.transactions.keys():
        our, their = ours.transactions.get(name), theirs.transactions.get(name)
        if our is None:
            assert their is not None
            yield Difference(
                *(Kind.MISSING_HERE, their.kind.value, name, None, their.amount_minor),
                *(their.currency, their.occurred_at),
            )
        elif their is None:
            yield Difference(
                *(Kind.MISSING_AT_STRIPE, our.kind.value, name, our.amount_minor, None),
                *(our.currency, our.occurred_at),
            )
        else:
            yield from _transaction(name, our, their.amount_minor, their.currency)


def _transaction(
    name: str, our: OurTransaction, amount_minor: int, currency: str
) -> Iterator[Difference]:
    amounts = (our.amount_minor, amount_minor)
    if our.currency != currency:
        note = f"{our.currency} here, {currency} at Stripe"
        kind = Kind.CURRENCY
        yield Difference(kind, our.kind.value, name, *amounts, currency, our.occurred_at, note)
    if our.amount_minor != amount_minor:
        kind = Kind.AMOUNT
        yield Difference(kind, our.kind.value, name, *amounts, currency, our.occurred_at)


def _charges(ours: Ours, theirs: Theirs) -> Iterator[Difference]:
    explained = {one.name for one in _unfunded(theirs)}
    for name in ours.charges.keys() | theirs.intents.keys():
        our, their = ours.charges.get(name), theirs.intents.get(name)
        if our is None:
            assert their is not None
            # Nothing came of one that was declined; and one that is twice is said to be that.
            if their.state is not ChargeState.DECLINED and name not in explained:
                yield Difference(
                    *(Kind.MISSING_HERE, "charge", name, None, their.amount_minor),
                    since=their.created_at,
                    note=f"for {their.authorization}",
                )
        elif their is None:
            yield Difference(
                *(Kind.MISSING_AT_STRIPE, "charge", name, our.amount_minor, None),
                since=our.created_at,
            )
        else:
            yield from _charge(name, our, their)


def _charge(name: str, our: OurCharge, their: IntentFacts) -> Iterator[Difference]:
    since = their.created_at
    if our.state is not their.state:
        amounts, note = (our.amount_minor, their.amount_minor), f"{our.state} here, {their.state}"
        yield Difference(
            Kind.STATE, "charge", name, *amounts, since=since, note=f"{note} at Stripe"
        )
    if our.amount_minor != their.amount_minor:
        amounts = (our.amount_minor, their.amount_minor)
        yield Difference(Kind.AMOUNT, "charge", name, *amounts, since=since)
    if our.captured_minor != their.captured_minor:
        amounts = (our.captured_minor, their.captured_minor)
        yield Difference(Kind.AMOUNT, "charge", name, *amounts, since=since, note="what was taken")
    if our.refunded_minor != their.refunded_minor:
        amounts = (our.refunded_minor, their.refunded_minor)
        yield Difference(Kind.REFUND, "charge", name, *amounts, since=since)
    fee = their.fee.fee_minor if their.fee else None
    if our.fee_minor != fee:
        yield Difference(Kind.FEE, "charge", name, our.fee_minor, fee, since=since)


def _refunds(ours: Ours, theirs: Theirs) -> Iterator[Difference]:
    for name in ours.refunds.keys() | theirs.refunds.keys():
        our, their = ours.refunds.get(name), theirs.refunds.get(name)
        if our is None:
            assert their is not None
            yield Difference(
                *(Kind.MISSING_HERE, "our refund", name, None, their.amount_minor),
                since=their.created_at,
            )
        elif their is None:
            yield Difference(
                *(Kind.MISSING_AT_STRIPE, "our refund", name, our.amount_minor, None),
                since=our.created_at,
            )
        else:
            yield from _refund(name, our, their.amount_minor, their.state.value)


def _refund(name: str, our: OurRefund, amount_minor: int, state: str) -> Iterator[Difference]:
    notes = []
    if our.state != state:
        notes.append(f"{our.state} here, {state} at Stripe")
    if our.amount_minor != amount_minor:
        notes.append("the amount")
    if notes:
        amounts = (our.amount_minor, amount_minor)
        note = "; ".join(notes)
        yield Difference(Kind.REFUND, "our refund", name, *amounts, since=our.created_at, note=note)


def _unfunded(theirs: Theirs) -> Iterator[Difference]:
    """Hold Stripe's word on each request against its charges: one where approved, else none."""
    live: dict[tuple[str | None, str | None], list[IntentFacts]] = defaultdict(list)
    for intent in theirs.intents.values():
        if intent.request != EXTRA and intent.state in LIVE_CHARGES:
            live[intent.authorization, intent.request].append(intent)
    for name, told in theirs.purchases.items():
        for ordinal, request in enumerate(told.requests):
            charges = live.pop((name, str(ordinal)), [])
            charges.sort(key=lambda one: (one.created_at, one.attempt))
            if request.approved:
                yield from _twice(name, charges)
                pending = told.state is AuthorizationState.PENDING
                if pending and not charges and request.amount_minor > 0:
                    yield _unpaid(told, ordinal, request.amount_minor)
            else:
                for one in charges:
                    yield Difference(
                        *(Kind.DECLINED_CHARGED, "charge", one.id, 0, one.amount_minor),
                        since=one.created_at,
                        note=f"for {name}",
                    )


def _unpaid(told: AuthorizationFacts, ordinal: int, amount_minor: int) -> Difference:
    return Difference(
        Kind.APPROVED_UNCHARGED,
        "authorization",
        told.id,
        ours_minor=0,
        theirs_minor=amount_minor,
        currency=told.currency,
        since=told.occurred_at,
        note=f"request {ordinal + 1}",
    )


def _twice(name: str, charges: list[IntentFacts]) -> Iterator[Difference]:
    for one in charges[1:]:
        yield Difference(
            *(Kind.DUPLICATE, "charge", one.id, 0, one.amount_minor),
            since=one.created_at,
            note=f"for {name}, beside {charges[0].id}",
        )

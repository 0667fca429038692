"""Compare the books with what moved our money at Stripe, one by one and in total. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec

from app.domain.funding.balance import FEES, BalanceFacts, references
from app.domain.issuing.clearing import Uncleared
from app.domain.issuing.proving import Compared
from app.domain.issuing.reconciliation_facts import Difference, Kind, OurJournal, Ours, Sides
from app.domain.ledger.accounts import Account
from app.money import readable

CHARGES = frozenset({"charge", "payment"})
HOLDS = frozenset({"issuing_authorization_hold", "issuing_authorization_release"})
TAKEN_RULES = ("linked_card_captured", "linked_card_charged")
# What these do to a linked card moves nothing at Stripe yet.
ONLY_PROMISED = frozenset({"linked_card_held", "linked_card_released"})


class Expected(msgspec.Struct, frozen=True):
    """What a balance transaction must be in the books: one of these journals, and its amount."""

    references: tuple[str, ...]
    moved_minor: int
    is_fee: bool = False


def books_differences(sides: Sides) -> Iterator[Difference]:
    """Give what is in the books and did not move, or moved and is not in the books."""
    ours, theirs = sides.ours, sides.theirs
    intents = {charge.stripe_charge_id: name for name, charge in ours.charges.items()} | {
        intent.stripe_charge_id: name for name, intent in theirs.intents.items()
    }
    explained: set[str] = set()
    for told in theirs.movements.values():
        for expected in _expected(told, intents):
            explained.update(expected.references)
            yield from _movement(told, expected, ours.journals)
    yield from _gone(sides)
    yield from _unexplained(ours, explained | ours.matched, sides.since)
    yield from _balances(sides.balances)
    yield from map(_not_cleared, ours.uncleared)


def _expected(told: BalanceFacts, intents: Mapping[str | None, str]) -> Iterator[Expected]:
    if told.type in CHARGES:
        intent = intents.get(told.source)
        yield Expected(tuple(f"{intent}:{rule}" for rule in TAKEN_RULES), told.amount_minor)
        if told.fee_minor:
            yield Expected((f"{told.id}:processing_fee",), -told.fee_minor, is_fee=True)
    elif told.net_minor:
        yield Expected(tuple(references(told)), told.net_minor, is_fee=told.type in FEES)


def _movement(
    told: BalanceFacts, expected: Expected, journals: Mapping[str, OurJournal]
) -> Iterator[Difference]:
    entry = next((journals[name] for name in expected.references if name in journals), None)
    moved, more = expected.moved_minor, (told.currency, told.occurred_at)
    if entry is None:
        if expected.is_fee and told.type in CHARGES:
            yield Difference(Kind.FEE, "balance transaction", told.id, None, -moved, *more)
        else:
            note = told.type.replace("_", " ")
            kind = Kind.UNMATCHED
            yield Difference(kind, "balance transaction", told.id, None, moved, *more, note)
        return
    if entry.currency != told.currency:
        note = f"{entry.currency} here, {told.currency} at Stripe"
        amounts = (entry.moved_minor, moved)
        yield Difference(Kind.CURRENCY, "journal", entry.reference, *amounts, *more, note)
    if entry.moved_minor != moved:
        kind = Kind.FEE if expected.is_fee else Kind.AMOUNT
        amounts = (entry.moved_minor, moved)
        yield Difference(kind, "journal", entry.reference, *amounts, *more, f"moved by {told.id}")


def _gone(sides: Sides) -> Iterator[Difference]:
    """Find what we have stored of Stripe's record and Stripe has not, or has otherwise."""
    theirs = sides.theirs.movements
    for name, our in sides.ours.movements.items():
        more = (our.currency, our.occurred_at)
        if name not in theirs:
            kind, what = Kind.MISSING_AT_STRIPE, "balance transaction"
            yield Difference(kind, what, name, our.net_minor, None, *more)
        elif our.net_minor != theirs[name].net_minor:
            amounts = (our.net_minor, theirs[name].net_minor)
            yield Difference(Kind.AMOUNT, "balance transaction", name, *amounts, *more)


def _unexplained(ours: Ours, explained: set[str], since: datetime) -> Iterator[Difference]:
    for entry in ours.journals.values():
        if entry.occurred_at < since:
            continue
        promised = entry.rule in ONLY_PROMISED
        moves = entry.payments_minor or entry.issuing_minor or entry.issuing_held_minor
        if moves and not promised and entry.reference not in explained:
            yield Difference(
                *(Kind.NO_MOVEMENT, "journal", entry.reference, entry.moved_minor, None),
                *(entry.currency, entry.occurred_at, entry.rule.replace("_", " ")),
            )


def _balances(found: Compared) -> Iterator[Difference]:
    pairs = (
        (Account.PAYMENTS_BALANCE, found.ours.payments_minor, found.theirs.payments_minor),
        (Account.ISSUING_BALANCE, found.ours.issuing_minor, found.theirs.issuing_minor),
    )
    for account, ours, theirs in pairs:
        if ours != theirs:
            note = f"{readable(ours - theirs)} more here" if ours > theirs else ""
            note = note or f"{readable(theirs - ours)} more at Stripe"
            yield Difference(Kind.BALANCE, "account", account.value, ours, theirs, note=note)


def _not_cleared(one: Uncleared) -> Difference:
    name = one.stripe_authorization_id or str(one.purchase_id)
    return Difference(
        *(Kind.NOT_CLEARED, "purchase", name, one.net_minor, 0),
        *(one.currency, one.amiss_since, f"{one.account} {one.layer}"),
    )

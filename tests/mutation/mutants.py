"""Wrong versions of every posting rule, and whether anything in the books would show it. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from app.domain.ledger.accounts import CLEARING, Account
from app.domain.ledger.journals import Journal, Layer, Posting
from tests.mutation.histories import History, Key


class Leg(msgspec.Struct, frozen=True):
    """One of the postings a rule makes."""

    rule: str
    debit: Account
    credit: Account
    layer: Layer


class Mutant(msgspec.Struct, frozen=True):
    """A leg made wrong. `postings` gives what a posting of the leg becomes."""

    leg: Leg
    what: str
    debit: Account
    credit: Account
    layer: Layer
    more_minor: int = 0
    dropped: bool = False

    def postings(self, amount_minor: int) -> list[Posting]:
        amount = amount_minor + self.more_minor
        return [] if self.dropped else [Posting(self.debit, self.credit, amount, self.layer)]


class Judged(msgspec.Struct, frozen=True):
    """What shows a mutant: what is always true, or only a golden written by hand; or nothing."""

    mutant: Mutant
    by_invariants: bool
    by_goldens: bool

    @property
    def survives(self) -> bool:
        return not (self.by_invariants or self.by_goldens)


def legs_of(journals: Iterable[Journal]) -> list[Leg]:
    found = {
        Leg(one.rule, posting.debit, posting.credit, posting.layer): None
        for one in journals
        for posting in one.postings
    }
    return list(found)


def mutants_of(leg: Leg) -> Iterator[Mutant]:
    """Drop it, turn it round, move it to the other layer, put it on every other account."""
    debit, credit, layer = leg.debit, leg.credit, leg.layer
    other = Layer.HELD if layer is Layer.POSTED else Layer.POSTED
    yield Mutant(leg, "dropped", debit, credit, layer, dropped=True)
    yield Mutant(leg, "debit and credit exchanged", credit, debit, layer)
    yield Mutant(leg, f"moved to {other}", debit, credit, other)
    yield Mutant(leg, "a cent more", debit, credit, layer, 1)
    yield Mutant(leg, "a cent less", debit, credit, layer, -1)
    for account in Account:
        if account not in (debit, credit):
            yield Mutant(leg, f"debits {account}", account, credit, layer)
            yield Mutant(leg, f"credits {account}", debit, account, layer)


class Judge:
    """Holds the books of recorded histories, as they are or with one leg wrong, to what must be."""

    def __init__(self, histories: Sequence[History]) -> None:
        self.histories = histories
        self.sums = [_sums(history) for history in histories]
        self.where: defaultdict[Leg, list[tuple[int, str | None, str, int, bool]]]
        self.where = defaultdict(list)
        for number, history in enumerate(histories):
            for one in history.journals:
                closed = str(one.purchase_id) in history.closed
                owner = history.owner(one)
                for posting in one.postings:
                    leg = Leg(one.rule, posting.debit, posting.credit, posting.layer)
                    at = (number, owner, one.currency, posting.amount_minor, closed)
                    self.where[leg].append(at)

    def problems(self) -> list[str]:
        """Say what is wrong before anything is mutated: then no mutant can be judged."""
        return [
            f"{history.name}: {problem}"
            for history, sums in zip(self.histories, self.sums, strict=True)
            for problem in [
                *history.broken(sums),
                *history.uncleared(),
                *history.unlike_goldens(sums),
                *history.unlike_the_books(),
            ]
        ]

    def judge(self, mutant: Mutant) -> Judged:
        changes: defaultdict[int, Counter[Key]] = defaultdict(Counter)
        uncleared = False
        for number, owner, currency, amount, closed in self.where[mutant.leg]:
            change = Counter[Key]()
            _add(change, owner, currency, [_turned(mutant.leg, amount)])
            _add(change, owner, currency, mutant.postings(amount))
            changes[number].update(change)
            # Each purchase clears by itself, so that two wrong ones cannot hide each other.
            uncleared |= closed and any(
                net and account in CLEARING for (_, account, _, _), net in change.items()
            )
        wrong = [(self.histories[n], _with(self.sums[n], more)) for n, more in changes.items()]
        return Judged(
            mutant,
            by_invariants=uncleared or any(next(h.broken(sums), None) for h, sums in wrong),
            by_goldens=any(next(h.unlike_goldens(sums), None) for h, sums in wrong),
        )


def _turned(leg: Leg, amount_minor: int) -> Posting:
    """Give what takes a posting of the leg out of the sums again."""
    return Posting(leg.credit, leg.debit, amount_minor, leg.layer)


def _sums(history: History) -> Counter[Key]:
    sums = Counter[Key]()
    for one in history.journals:
        _add(sums, history.owner(one), one.currency, one.postings)
    return sums


def _add(sums: Counter[Key], owner: str | None, currency: str, postings: Iterable[Posting]) -> None:
    for posting in postings:
        sums[owner, posting.debit, posting.layer, currency] += posting.amount_minor
        sums[owner, posting.credit, posting.layer, currency] -= posting.amount_minor


def _with(sums: Mapping[Key, int], more: Mapping[Key, int]) -> Counter[Key]:
    changed = Counter(dict(sums))
    changed.update(more)
    return changed

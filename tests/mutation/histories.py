"""Recorded histories beside the goldens that were written by hand for them."""

import importlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType

from app.domain.ledger.accounts import CLEARING, Account
from app.domain.ledger.journals import Journal, Layer
from tests.mutation.facts import HOLDS, Recording, journals_of

Key = tuple[str | None, Account, Layer, str]
"""Whose it is (a scenario, or nobody), an account, a layer, a currency."""
Accounts = Mapping[str, int]
NOBODY = "of no purchase"
OTHER = " eur"
"""The whole trial balances are of dollars."""


class History:
    """The journals of one product's histories, and what is known to be true of them."""

    def __init__(
        self, facts: Recording, goldens: Mapping[str | None, Accounts], whole: Accounts
    ) -> None:
        self.facts = facts
        self.name = f"{facts.module.rsplit('.')[-1]} ({facts.mode})"
        self.journals = list(journals_of(facts))
        self.goldens = goldens
        self.whole = whole
        self.closed = frozenset(facts.closed)
        self._scenario = {
            purchase: scenario for scenario, names in facts.played.items() for purchase in names
        }

    def owner(self, journal: Journal) -> str | None:
        """Give the scenario that a journal's purchase was made in; None for nobody's."""
        return self._scenario.get(str(journal.purchase_id)) if journal.purchase_id else None

    def broken(self, sums: Mapping[Key, int]) -> Iterator[str]:
        """Say where our books and Stripe's differ, in whole: what is true of every history."""
        in_all = Counter[tuple[Account, Layer]]()
        for (_, account, layer, currency), net in sums.items():
            if currency == "usd":
                in_all[account, layer] += net
        ours = {
            "payments": in_all[Account.PAYMENTS_BALANCE, Layer.POSTED],
            "issuing": in_all[Account.ISSUING_BALANCE, Layer.POSTED]
            + in_all[Account.ISSUING_BALANCE, Layer.HELD],
            "held at the network": in_all[Account.ISSUING_BALANCE, Layer.HELD],
        }
        theirs = {
            "payments": self.facts.payments_minor,
            "issuing": self.facts.issuing_minor,
            "held at the network": sum(
                row["net_minor"] for row in self.facts.movements if row["type"] in HOLDS
            ),
        }
        if ours != theirs:
            yield f"{ours} in the books, {theirs} at Stripe"

    def uncleared(self) -> Iterator[str]:
        """Say which purchases are over and not cleared."""
        left: defaultdict[str, Counter[tuple[Account, Layer]]] = defaultdict(Counter)
        for one in self.journals:
            for posting in one.postings:
                left[str(one.purchase_id)][posting.debit, posting.layer] += posting.amount_minor
                left[str(one.purchase_id)][posting.credit, posting.layer] -= posting.amount_minor
        for purchase in self.closed:
            for (account, layer), net in left[purchase].items():
                if net and account in CLEARING:
                    yield f"{purchase} is over, and {account} {layer} is {net}"

    def unlike_goldens(self, sums: Mapping[Key, int]) -> Iterator[str]:
        """Say what differs from what was written by hand."""
        found: defaultdict[str | None, Counter[str]] = defaultdict(Counter)
        for (scenario, account, layer, currency), net in sums.items():
            found[scenario][_name(account, layer, currency)] += net
        for scenario, golden in self.goldens.items():
            mine = {name: net for name, net in found[scenario].items() if net}
            if mine != golden:
                yield f"{scenario or NOBODY}: {mine} and not {dict(golden)}"
        in_all = Counter[str]()
        for accounts in found.values():
            in_all.update(accounts)
        dollars = {name: net for name, net in in_all.items() if net and not name.endswith(OTHER)}
        if dollars != self.whole:
            yield f"trial balance: {dollars} and not {dict(self.whole)}"

    def unlike_the_books(self) -> Iterator[str]:
        """Say where the rules make other journals of the rows now than were posted then."""
        sums = Counter[tuple[str | None, str, str, str]]()
        for one in self.journals:
            purchase = str(one.purchase_id) if one.purchase_id else None
            for leg in one.postings:
                sums[purchase, leg.debit, leg.layer, one.currency] += leg.amount_minor
                sums[purchase, leg.credit, leg.layer, one.currency] -= leg.amount_minor
        if not self.facts.nets:
            return
        posted: dict[tuple[str | None, str, str, str], int] = {
            (purchase, account, layer, currency): net
            for purchase, account, layer, currency, net in self.facts.nets
        }
        made = {key: net for key, net in sums.items() if net}
        for key in made.keys() | posted.keys():
            if made.get(key, 0) != posted.get(key, 0):
                yield f"{key}: {made.get(key, 0)}, and {posted.get(key, 0)} when it was recorded"


def _name(account: Account, layer: Layer, currency: str) -> str:
    """Name an account as the goldens do."""
    name = account.value if layer is Layer.POSTED else f"{account.value} {layer.value}"
    return name if currency == "usd" else f"{name} {currency}"


def with_goldens(recordings: Sequence[Recording]) -> list[History]:
    """Put each recording beside the goldens of its module."""
    return [_with_goldens(facts, importlib.import_module(facts.module)) for facts in recordings]


def _with_goldens(facts: Recording, module: ModuleType) -> History:
    goldens: dict[str | None, Accounts]
    goldens = {one.name: one.golden(facts.mode).accounts for one in module.SCENARIOS}
    assert goldens.keys() == facts.played.keys(), f"{facts.module}: record it again"
    whole = module.WHOLE.charge if facts.mode == "charge" else module.WHOLE.hold
    return History(facts, goldens | {None: module.WHOLE.nobody}, whole)

"""What was recorded of histories, and the journals that the rules of the books make of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from app.domain.funding.balance import BalanceFacts, own_journals
from app.domain.funding.models import Charge
from app.domain.funding.postings import (
    charge_journals,
    lowered_journal,
    opened_journal,
    paid_back_journal,
    paid_outside_journal,
    refund_journals,
    refund_paid_outside_journal,
    withdrawn_journal,
    written_off_journal,
)
from app.domain.funding.refund_models import Receivable, Refund
from app.domain.funding.states import (
    ChargePurpose,
    ChargeState,
    FundingMode,
    ReceivableState,
    RefundState,
)
from app.domain.issuing.card_network import Movement
from app.domain.issuing.models import CardTransaction
from app.domain.issuing.postings import earned_journal, movement_journals, transaction_journals
from app.domain.issuing.states import TransactionKind
from app.domain.ledger.accounts import Account
from app.domain.ledger.journals import Journal, Whose

RECORDED = Path(__file__).with_name("recorded.json")
HOLDS = ("issuing_authorization_hold", "issuing_authorization_release")
LOST = (ReceivableState.WRITTEN_OFF, ReceivableState.RECOVERED)
AT = datetime.fromisoformat("2026-11-24T12:00:00+00:00")

Row = dict[str, Any]
Model = TypeVar("Model", Charge, Refund, Receivable, CardTransaction)
Net = tuple[str | None, str, str, str, int]
"""A purchase or nobody, an account, a layer, a currency, and debits less credits."""


class Recording(msgspec.Struct):
    """One product's histories: its rows, what Stripe says it has, what is in its books."""

    module: str
    mode: str
    # The purchases that each scenario made, by our ids.
    played: dict[str, list[str]]
    closed: list[str]
    charges: list[Row]
    refunds: list[Row]
    receivables: list[Row]
    transactions: list[Row]
    movements: list[Row]
    payments_minor: int
    issuing_minor: int
    nets: list[Net] = []


KINDS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("id", "customer_id", "purchase_id", "receivable_id"), UUID),
    **dict.fromkeys(("authorization_id",), UUID),
    **dict.fromkeys(("occurred_at", "opened_at", "available_at"), datetime.fromisoformat),
    "purpose": ChargePurpose,
    "mode": FundingMode,
    "kind": TransactionKind,
}
STATES: Mapping[type, Callable[[str], Any]] = {
    Charge: ChargeState,
    Refund: RefundState,
    Receivable: ReceivableState,
}


def recorded() -> list[Recording]:
    return msgspec.json.decode(RECORDED.read_bytes(), type=list[Recording])


def journals_of(facts: Recording) -> Iterator[Journal]:
    """Ask every rule for its journals about the recorded rows."""
    debts = {row["id"]: row for row in facts.receivables}
    for row in facts.charges:
        debt = debts.get(row["receivable_id"])
        pays = Account.CUSTOMER_FUNDS
        if debt is not None:
            pays = Account.BAD_DEBT if debt["state"] in LOST else Account.RECEIVABLE
        yield from charge_journals(_made(Charge, row), AT, pays=pays)
    for row in facts.refunds:
        yield from _of_refund(_made(Refund, row))
    for debt in debts.values():
        yield from _of_debt(debt)
    for row in facts.transactions:
        moved = _made(CardTransaction, row)
        yield from transaction_journals(moved)
        yield from earned_journal(moved, moved.earned_minor)
    yield from _of_balances(facts.movements)


def _of_refund(refund: Refund) -> Iterator[Journal]:
    yield from refund_journals(refund, AT)
    principal, fee = refund.withdrawn_principal_minor, refund.withdrawn_fee_minor
    yield from withdrawn_journal(refund, principal, fee, AT)
    yield from refund_paid_outside_journal(refund, AT)


def _of_debt(row: Row) -> Iterator[Journal]:
    """Play a debt's life again: set off, written off or paid outside, and set off after that."""
    row = dict(row)
    lost, outside = row.pop("written_off_minor", None), row.pop("paid_outside_minor", None)
    back = row.pop("paid_back_minor", 0)
    lowered, left = row.pop("lowered_minor"), lost or outside
    before = lowered if left is None else row["amount_minor"] - left
    debt = _made(Receivable, row | {"lowered_minor": before, "state": ReceivableState.OPEN})
    yield from opened_journal(debt)
    yield from lowered_journal(debt, before, AT)
    if lost is not None:
        yield from written_off_journal(debt, AT)
        debt.state = ReceivableState.WRITTEN_OFF
    if outside is not None:
        yield from paid_outside_journal(debt, AT)
        debt.state = ReceivableState.PAID_OUTSIDE
    debt.lowered_minor = lowered
    yield from lowered_journal(debt, lowered - before, AT)
    debt.paid_back_minor = back
    yield from paid_back_journal(debt, back, AT)


def _of_balances(rows: Sequence[Row]) -> Iterator[Journal]:
    for row in rows:
        told = _read(row, without="id")
        whose = Whose(told.pop("purchase_id"), told.pop("customer_id"), told["currency"])
        facts = BalanceFacts(**told)
        if facts.type in HOLDS:
            moved = Movement(facts.id, facts.net_minor, facts.occurred_at)
            yield from movement_journals([moved], whose)
        else:
            yield from own_journals(facts)


def _made(model: type[Model], row: Row) -> Model:
    given = _read(row)
    if "state" in given:
        given["state"] = STATES[model](given["state"])
    return model(**given)


def _read(row: Row, without: str = "") -> Row:
    """Give the columns as their own kinds; those that are missing stay so."""
    return {
        name: KINDS[name](value)
        if value is not None and name in KINDS.keys() - {without}
        else value
        for name, value in row.items()
    }

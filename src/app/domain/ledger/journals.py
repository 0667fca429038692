"""A journal: what one fact did to the accounts, as postings that cannot be unbalanced. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from app.domain.ledger.accounts import Account


class Layer(StrEnum):
    """POSTED: money that moved. HELD: money that is promised, and is taken or released later."""

    POSTED = "posted"
    HELD = "held"


class Posting(msgspec.Struct, frozen=True):
    """An amount from the account it credits to the account it debits, in minor units."""

    debit: Account
    credit: Account
    amount_minor: int
    layer: Layer = Layer.POSTED


class Journal(msgspec.Struct, frozen=True):
    """The postings of one fact. The reference names the object that moved the money, and the rule.

    The same reference is always the same journal, so that a fact that is seen twice posts once.
    """

    reference: str
    rule: str
    occurred_at: datetime
    postings: tuple[Posting, ...]
    purchase_id: UUID | None = None
    customer_id: UUID | None = None
    currency: str = "usd"


class Whose(msgspec.Struct, frozen=True):
    """The purchase and the customer a journal belongs to, and its currency."""

    purchase_id: UUID | None = None
    customer_id: UUID | None = None
    currency: str = "usd"


def journal(
    subject: str, rule: str, at: datetime, whose: Whose, postings: Iterable[Posting]
) -> Iterator[Journal]:
    """Give the journal of a rule about a subject, without its zero legs; none when nothing moved.

    `subject` is the id of the object that moved the money. Raises ValueError for an amount below
    zero or a posting from an account to itself: those are mistakes in a rule.
    """
    moved = tuple(posting for posting in postings if posting.amount_minor)
    for posting in moved:
        if posting.amount_minor < 0 or posting.debit is posting.credit:
            raise ValueError(f"{rule} of {subject}: {posting}")
    if moved:
        reference = f"{subject}:{rule}"
        yield Journal(
            reference, rule, at, moved, whose.purchase_id, whose.customer_id, whose.currency
        )


def held(debit: Account, credit: Account, amount_minor: int) -> Posting:
    return Posting(debit, credit, amount_minor, Layer.HELD)

"""Filters of the books by rule, account and trait, each so that an index of the journals is of use.

Nearly every purchase has the same seven journals, which touch the same six accounts. Whatever else
there is among millions of them is in an index of its own, which the seven cost nothing.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Select, Text, and_, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased
from starlette.datastructures import QueryParams

from app.admin.views.entry_table import CREDITS, DEBITS, LedgerEntry
from app.admin.views.filters import Choice, UnreadableFilter
from app.domain.funding.models import Charge, FundingSource
from app.domain.funding.states import LIVE_CHARGES, ChargeState
from app.domain.issuing.models import Authorization
from app.domain.issuing.profit_days import ASKED, NOBODY, SIZES
from app.domain.issuing.story_words import RULES, account_in_words
from app.domain.ledger.accounts import NAMES
from app.domain.ledger.models import (
    EVERYDAY_ACCOUNTS,
    EVERYDAY_RULES,
    OTHER_ACCOUNTS,
    OTHER_RULES,
    TOUCHED,
    JournalEntry,
)

ACCOUNTS: dict[str, tuple[str, Sequence[Any]]] = {
    account.value: (account_in_words(account.value), (account.value,)) for account in NAMES
}
RULE_CHOICES: dict[str, tuple[str, Sequence[Any]]] = {
    rule: (told, (rule,)) for rule, told in RULES.items()
}

CATEGORY = (
    select(Authorization.merchant_category)
    .where(Authorization.id == LedgerEntry.purchase_id)
    .scalar_subquery()
)
FUNDING = (
    select(FundingSource.funding)
    .join(Charge, Charge.funding_source_id == FundingSource.id)
    .where(
        Charge.purchase_id == LedgerEntry.purchase_id,
        Charge.state.in_([*LIVE_CHARGES, ChargeState.REFUNDED, ChargeState.CANCELED]),
    )
    .order_by((Charge.captured_minor > 0).desc(), Charge.id)
    .limit(1)
    .scalar_subquery()
)
"""The kind of the card that paid, as profit is broken down by it."""
COUNTRY = (
    select(Authorization.merchant_country)
    .where(Authorization.id == LedgerEntry.purchase_id)
    .scalar_subquery()
)
_ASKED: Any = literal_column(ASKED.format(row="entry.purchase_id"))


class Trait(msgspec.Struct, frozen=True):
    """What profit is broken down by: the rows of one key, NOBODY's among them."""

    field: str
    title: str
    column: Any
    template: str = "lists/whose.html"

    @property
    def fields(self) -> tuple[str]:
        return (self.field,)

    def narrow(self, rows: Select[Any], given: QueryParams, _: ZoneInfo, /) -> Select[Any]:
        wanted = given.get(self.field, "")
        if not wanted:
            return rows
        if wanted == NOBODY:
            return rows.where(self.column.is_(None))
        return rows.where(self.column == wanted)


class OfSize(msgspec.Struct, frozen=True):
    """The postings of purchases of one size, named by its least amount in minor units."""

    field: str = "size"
    title: str = "Size"
    template: str = "lists/whose.html"

    @property
    def fields(self) -> tuple[str]:
        return (self.field,)

    def narrow(self, rows: Select[Any], given: QueryParams, _: ZoneInfo, /) -> Select[Any]:
        wanted = given.get(self.field, "")
        if not wanted:
            return rows
        if wanted == NOBODY:
            return rows.where(or_(_ASKED.is_(None), _ASKED < 0))
        if wanted not in map(str, SIZES):
            raise UnreadableFilter(f"{self.title}: “{wanted[:30]}” is not one of the sizes.")
        place = SIZES.index(int(wanted))
        most = SIZES[place + 1] if place + 1 < len(SIZES) else None
        return rows.where(func.int8range(SIZES[place], most).op("@>")(_ASKED))


class OfCustomer(msgspec.Struct, frozen=True):
    """The journals, or their postings, of one customer or of nobody.

    They are found by the customer's purchases; the few without a purchase have an index.
    """

    table: Any
    field: str = "customer"
    title: str = "Customer"
    template: str = "lists/whose.html"

    @property
    def fields(self) -> tuple[str]:
        return (self.field,)

    def narrow(self, rows: Select[Any], given: QueryParams, _: ZoneInfo, /) -> Select[Any]:
        wanted = given.get(self.field, "")
        if not wanted:
            return rows
        if wanted == NOBODY:
            return rows.where(self.table.customer_id.is_(None))
        try:
            customer = UUID(wanted)
        except ValueError:
            raise UnreadableFilter(f"{self.title}: the address holds no id.") from None
        journal = aliased(JournalEntry)
        of_purchases = (
            select(journal.reference)
            .join(Authorization, Authorization.id == journal.purchase_id)
            .where(Authorization.customer_id == customer)
        )
        others = select(journal.reference).where(
            journal.purchase_id.is_(None), journal.customer_id == customer
        )
        return rows.where(
            self.table.reference.in_(of_purchases.union_all(others)),
            self.table.customer_id == customer,
        )


def rules_of(column: Any) -> Choice:
    """Give the filter by a journal's rule, of the journals or of their postings."""
    others: Any = literal_column(OTHER_RULES)
    rare = {rule: others for rule in RULES if rule not in EVERYDAY_RULES}
    return Choice("rule", "What happened", column, RULE_CHOICES, rare)


def _touching(code: str) -> Any:
    """Give what is true of every journal that has a posting of an account."""
    if code in EVERYDAY_ACCOUNTS:
        return or_(DEBITS.contains([code]), CREDITS.contains([code]))
    touched: Any = literal_column(TOUCHED, ARRAY(Text))
    return and_(literal_column(OTHER_ACCOUNTS), touched.contains([code]))


OF_ACCOUNT = Choice(
    "account",
    "Account",
    LedgerEntry.account,
    ACCOUNTS,
    {code: _touching(code) for code in ACCOUNTS},
)

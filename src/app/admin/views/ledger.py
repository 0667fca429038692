"""The books as lists: journals, and the postings of an account."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from markupsafe import Markup
from sqladmin.pagination import Pagination
from sqlalchemy import Select, func, literal_column, select, text
from starlette.datastructures import QueryParams
from starlette.requests import Request

from app.admin.views.cells import Text, badge, identifier, link
from app.admin.views.entry_table import LedgerEntry
from app.admin.views.filters import Choice, DateRange, UnreadableFilter, Whose
from app.admin.views.listing import COUNTED, LONGEST_QUERY, ReadOnlyList, at, choices
from app.admin.views.searching import Search
from app.admin.wording import amount
from app.domain.funding.models import Charge, FundingSource
from app.domain.funding.states import LIVE_CHARGES, ChargeState
from app.domain.issuing.models import Authorization
from app.domain.issuing.profit_days import NOBODY
from app.domain.issuing.profit_days import SIZE as SIZED
from app.domain.issuing.story_words import (
    RULES,
    account_in_words,
    postings_of,
    rule_in_words,
)
from app.domain.ledger.accounts import NAMES
from app.domain.ledger.journals import Layer
from app.domain.ledger.models import JournalEntry

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
SIZE: Any = literal_column(
    f"(SELECT sized.least FROM (SELECT) AS one {SIZED.format(row='entry.purchase_id')})"  # noqa: S608
)


class Trait(msgspec.Struct, frozen=True):
    """What profit is broken down by: the rows of one key, NOBODY's among them."""

    field: str
    title: str
    column: Any
    read: Callable[[str], Any] = str
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
        try:
            return rows.where(self.column == self.read(wanted))
        except ValueError:
            raise UnreadableFilter(f"{self.title}: the address holds no id.") from None


class Totals(msgspec.Struct, frozen=True):
    """What the entries of a list add up to in a currency, in minor units."""

    currency: str
    debit_minor: int
    credit_minor: int

    @property
    def net_minor(self) -> int:
        return self.debit_minor - self.credit_minor


def rule(row: Any, _: str, __: Request) -> Text:
    return rule_in_words(row.rule)


def journal_link(row: Any, _: str, __: Request) -> Text:
    return link(journal_href(row.reference), row.reference)


def journal_href(reference: str) -> str:
    return f"/admin/journals/details/{reference}"


def account_link(row: Any, field: str, _: Request) -> Text:
    code = getattr(row, field)
    return link(f"/admin/entries/list?account={code}", account_in_words(code))


def postings_in_short(row: Any, _: str, __: Request) -> Text:
    told = [
        f"{amount(minor, row.currency)}: {credit} → {debit}"
        for debit, credit, minor, _ in postings_of(row)
    ]
    more = f" and {len(told) - 1} more" if len(told) > 1 else ""
    return f"{told[0]}{more}"


def postings(row: Any, _: str, __: Request) -> Text:
    """Write a journal's postings as a table, each account a link to its postings."""
    head = Markup("<tr><th>Debit</th><th>Credit</th><th>Layer</th><th class='num'>Amount</th></tr>")
    lines = [
        Markup("<tr><td>{}</td><td>{}</td><td>{}</td><td class='num'>{}</td></tr>").format(
            link(f"/admin/entries/list?account={debit}", account_in_words(debit)),
            link(f"/admin/entries/list?account={credit}", account_in_words(credit)),
            badge(layer),
            amount(minor, row.currency),
        )
        for debit, credit, minor, layer in postings_of(row)
    ]
    return Markup("<table class='rows'>{}{}</table>").format(head, Markup("").join(lines))


@at("journals")
class JournalList(ReadOnlyList, model=JournalEntry):
    name, name_plural = "Journal", "Journals"
    note = "What each fact did to the accounts. Nothing here can be changed or taken away."
    column_list = ["occurred_at", "rule", "postings", "purchase_id", "customer_id", "reference"]
    column_details_list = [
        *("reference", "rule", "occurred_at", "postings", "purchase_id", "customer_id"),
        *("currency", "recorded_at", "transaction_id"),
    ]
    column_labels = {
        "rule": "What happened",
        "recorded_at": "Written down",
        "transaction_id": "Database transaction",
    }
    column_sortable_list = ["occurred_at"]
    column_default_sort = ("occurred_at", True)
    cells = {"rule": rule, "postings": postings_in_short, "reference": identifier}
    record_cells = {"postings": postings}
    filters = (
        Whose("purchase", "Purchase", JournalEntry.purchase_id),
        Whose("customer", "Customer", JournalEntry.customer_id),
        Choice("rule", "What happened", JournalEntry.rule, RULE_CHOICES),
        DateRange("time", "Time", JournalEntry.occurred_at),
    )
    search = Search(
        "whole reference, Stripe id, rule",
        texts=(JournalEntry.reference,),
        customer=JournalEntry.customer_id,
        purchase=JournalEntry.purchase_id,
    )

    def row_href(self, row: Any) -> str:
        return journal_href(row.reference)

    def heading(self, row: Any) -> str:
        told = rule_in_words(row.rule)
        return f"{told[0].upper()}{told[1:]}"

    def related(self, row: Any) -> list[tuple[str, str]]:
        if row.purchase_id is None:
            return []
        return [
            ("The purchase", f"/admin/purchase/{row.purchase_id}"),
            ("Its journals", f"/admin/journals/list?purchase={row.purchase_id}"),
        ]


@at("entries")
class EntryList(ReadOnlyList, model=LedgerEntry):
    name, name_plural = "Posting", "Postings of an account"
    note = "Every amount that an account was debited or credited, and the account it came from."
    list_template = "lists/entries.html"
    can_view_details = False  # A posting is a part of its journal.
    column_list = [
        *("occurred_at", "account", "debit_minor", "credit_minor", "layer", "rule"),
        *("purchase_id", "other", "reference"),
    ]
    column_labels = {"other": "Other account", "rule": "What happened", "reference": "Journal"}
    column_sortable_list = ["occurred_at"]
    column_default_sort = ("occurred_at", True)
    cells = {
        "account": lambda row, _, __: row.account,
        "other": account_link,
        "layer": lambda row, _, __: badge(row.layer),
        "rule": rule,
        "reference": journal_link,
        "debit_minor": lambda row, _, __: amount(row.debit_minor or None, row.currency),
        "credit_minor": lambda row, _, __: amount(row.credit_minor or None, row.currency),
    }
    filters = (
        Choice("account", "Account", LedgerEntry.account, ACCOUNTS),
        Choice("layer", "Layer", LedgerEntry.layer, choices(Layer)),
        Whose("purchase", "Purchase", LedgerEntry.purchase_id),
        Trait("customer", "Customer", LedgerEntry.customer_id, UUID),
        Trait("category", "Category", CATEGORY),
        Trait("funding", "Kind of linked card", FUNDING),
        Trait("country", "Merchant's country", COUNTRY),
        Trait("size", "Size", SIZE),
        Choice("rule", "What happened", LedgerEntry.rule, RULE_CHOICES),
        DateRange("time", "Time", LedgerEntry.occurred_at),
    )

    def row_href(self, row: Any) -> str:
        return journal_href(row.reference)

    def sort_query(self, stmt: Select[Any], request: Request) -> Select[Any]:
        ordered: Select[Any] = super().sort_query(stmt, request)
        return ordered.order_by(LedgerEntry.place, LedgerEntry.side.desc())

    def account_name(self, request: Request) -> str:
        """Name the account that the address chooses."""
        code = request.query_params.get("account", "")
        return account_in_words(code) if code in ACCOUNTS else self.name_plural

    async def _read(
        self, request: Request, statement: Select[Any], page: int, size: int
    ) -> Pagination:
        """Read the page, and what all pages add up to."""
        entries = statement.order_by(None).limit(COUNTED + 1).subquery()
        sums = (
            select(
                entries.c.currency,
                func.sum(entries.c.debit_minor),
                func.sum(entries.c.credit_minor),
                func.count(),
            )
            .group_by(entries.c.currency)
            .order_by(entries.c.currency)
        )
        async with self.session_maker() as session:
            await session.execute(text(f"SET LOCAL statement_timeout = '{LONGEST_QUERY}'"))
            found = (await session.execute(sums)).all()
            few = sum(row[3] for row in found) <= COUNTED
            request.state.totals = [
                Totals(row[0], int(row[1]), int(row[2])) for row in found if few
            ]
        return await super()._read(request, statement, page, size)

"""The books as lists: journals, and the postings of an account."""

from collections.abc import Sequence
from typing import Any

import msgspec
from markupsafe import Markup
from sqlalchemy import Select
from starlette.requests import Request

from app.admin.views.cells import Text, badge, identifier, link
from app.admin.views.entry_table import LedgerEntry
from app.admin.views.filters import Choice, DateRange, Whose
from app.admin.views.ledger_filters import (
    ACCOUNTS,
    CATEGORY,
    COUNTRY,
    FUNDING,
    OF_ACCOUNT,
    OfCustomer,
    OfSize,
    Trait,
    rules_of,
)
from app.admin.views.listing import ReadOnlyList, at, choices
from app.admin.views.searching import Search
from app.admin.wording import amount
from app.domain.issuing.story_words import (
    RULES,
    account_in_words,
    postings_of,
    rule_in_words,
)
from app.domain.ledger.journals import Layer
from app.domain.ledger.models import JournalEntry

COUNTED_BY_TRAIT = 500
"""Up to how many postings are counted where the purchase of each has to be looked at."""


def references(term: str) -> list[str]:
    """Give the journals that a term may name: by its reference, or by what moved the money."""
    return [term, *(f"{term}:{rule}" for rule in RULES)]


def rules_called(term: str) -> list[str]:
    """Give the rules whose name or meaning has a term in it."""
    part = term.lower()
    return [rule for rule, told in RULES.items() if part in rule or part in told.lower()]


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
    """Write a journal's reference as far as there is room; its page has all of it."""
    return Markup('<a class="reference" href="{}" title="{}">{}</a>').format(
        journal_href(row.reference), row.reference, row.reference
    )


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
        OfCustomer(JournalEntry),
        rules_of(JournalEntry.rule),
        DateRange("time", "Time", JournalEntry.occurred_at),
    )
    search = Search(
        "whole reference, Stripe id, rule",
        keys=((JournalEntry.reference, references), (JournalEntry.rule, rules_called)),
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


TRAITS = ("category", "funding", "country", "size")


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
    summed = ("debit_minor", "credit_minor")
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
        OF_ACCOUNT,
        Choice("layer", "Layer", LedgerEntry.layer, choices(Layer)),
        Whose("purchase", "Purchase", LedgerEntry.purchase_id),
        OfCustomer(LedgerEntry),
        Trait("category", "Category", CATEGORY),
        Trait("funding", "Kind of linked card", FUNDING),
        Trait("country", "Merchant's country", COUNTRY),
        OfSize(),
        rules_of(LedgerEntry.rule),
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

    def counted(self, request: Request) -> int:
        """Count fewer where each posting's purchase has to be looked at."""
        by_trait = any(request.query_params.get(field) for field in TRAITS)
        return COUNTED_BY_TRAIT if by_trait else super().counted(request)

    def _tell_sums(self, request: Request, added: Sequence[Any], count: int) -> None:
        few = count <= request.state.counted
        request.state.totals = [Totals(row[0], int(row[2]), int(row[3])) for row in added if few]

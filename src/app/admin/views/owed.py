"""Lists of what goes back to customers, what they owe, and what moved our money at Stripe."""

from datetime import date
from typing import Any

from starlette.requests import Request

from app.admin.views.cells import Text, identifier, link
from app.admin.views.filters import AmountRange, Choice, DateRange, Presence, Whose
from app.admin.views.ledger import journal_href
from app.admin.views.listing import ReadOnlyList, at, choices
from app.admin.views.searching import Search
from app.admin.wording import NOTHING, amount, words
from app.domain.funding.balance import ISSUING, PAYMENTS
from app.domain.funding.balance_models import BalanceTransaction
from app.domain.funding.refund_models import Receivable, Refund
from app.domain.funding.states import ReceivableState, RefundPurpose, RefundState
from app.domain.issuing.story_words import rule_in_words


def journal_of(row: Any, field: str, _: Request) -> Text:
    """Lead to the journal that has a movement of money, or say that none has."""
    reference = getattr(row, field)
    if reference is None:
        return "none: a difference"
    return link(journal_href(reference), rule_in_words(reference.rpartition(":")[2]))


@at("balance-transactions")
class BalanceTransactionList(ReadOnlyList, model=BalanceTransaction):
    name, name_plural = "Balance transaction", "Balance transactions"
    note = "What moved our money at Stripe, as Stripe booked it, and the journal that has it."
    column_list = [
        *("occurred_at", "balance_type", "type", "amount_minor", "fee_minor", "net_minor"),
        *("source", "journal_reference"),
    ]
    column_details_list = [
        *column_list,
        *("available_at", "currency", "stripe_balance_transaction_id", "created_at"),
    ]
    column_labels = {
        "balance_type": "Balance",
        "type": "Kind",
        "source": "Came from",
        "journal_reference": "Journal",
        "created_at": "Seen by us",
    }
    summed = ("amount_minor", "fee_minor", "net_minor")
    column_sortable_list = ["occurred_at"]
    column_default_sort = ("occurred_at", True)
    cells = {
        "type": lambda row, _, __: words(row.type),
        "source": identifier,
        "stripe_balance_transaction_id": identifier,
        "journal_reference": journal_of,
    }
    filters = (
        Presence(
            "matched",
            "In our books",
            BalanceTransaction.journal_reference,
            {"yes": ("matched", True), "no": ("unmatched", False)},
        ),
        Choice(
            "balance",
            "Balance",
            BalanceTransaction.balance_type,
            {kind: (kind, (kind,)) for kind in (PAYMENTS, ISSUING)},
        ),
        AmountRange("amount", "Amount", BalanceTransaction.amount_minor),
        DateRange("time", "Time", BalanceTransaction.occurred_at),
    )
    search = Search(
        "kind, Stripe id of it or what it came from",
        ids=(BalanceTransaction.stripe_balance_transaction_id, BalanceTransaction.source),
        names=(BalanceTransaction.type,),
        amount=BalanceTransaction.amount_minor,
    )

    def heading(self, row: Any) -> str:
        return f"{words(row.type).capitalize()} of {amount(row.amount_minor)}"


@at("refunds")
class RefundList(ReadOnlyList, model=Refund):
    name, name_plural = "Refund", "Refunds"
    note = "What we give back to linked cards. A fee goes back with it by the price's policy."
    column_list = [
        *("created_at", "customer_id", "purchase_id", "purpose", "amount_minor"),
        *("principal_minor", "fee_back_minor", "state", "failure_reason"),
    ]
    column_details_list = [
        *("created_at", "customer_id", "purchase_id", "charge_id", "purpose", "amount_minor"),
        *("principal_minor", "deferred_fee_minor", "returned_fee_minor", "state"),
        *("withdrawn_principal_minor", "withdrawn_fee_minor", "paid_outside_minor"),
        *("failure_reason", "stripe_refund_id", "stripe_balance_transaction_id"),
    ]
    column_labels = {
        "created_at": "Time",
        "purpose": "Why",
        "principal_minor": "Merchant's part",
        "fee_back_minor": "Our fee",
        "deferred_fee_minor": "Fee not earned yet",
        "returned_fee_minor": "Earned fee returned",
        "charge_id": "Charge",
        "withdrawn_principal_minor": "Taken back by merchants",
        "withdrawn_fee_minor": "Our fee with it",
        "paid_outside_minor": "Paid from our bank account",
    }
    summed = ("amount_minor", "principal_minor")
    column_sortable_list = ["created_at"]
    column_default_sort = ("created_at", True)
    cells = {
        "fee_back_minor": lambda row, _, __: amount(
            row.deferred_fee_minor + row.returned_fee_minor, row.currency
        ),
        "charge_id": lambda row, _, __: link(f"/admin/charges/details/{row.charge_id}", "charge"),
        "stripe_refund_id": identifier,
        "stripe_balance_transaction_id": identifier,
    }
    filters = (
        Whose("customer", "Customer", Refund.customer_id),
        Whose("purchase", "Purchase", Refund.purchase_id),
        Choice("state", "State", Refund.state, choices(RefundState)),
        Choice("purpose", "Why", Refund.purpose, choices(RefundPurpose)),
        AmountRange("amount", "Amount", Refund.amount_minor),
        DateRange("time", "Time", Refund.created_at),
    )
    search = Search(
        "merchant, amount, customer, Stripe id",
        ids=(Refund.stripe_refund_id, Refund.stripe_balance_transaction_id),
        amount=Refund.amount_minor,
        customer=Refund.customer_id,
        purchase=Refund.purchase_id,
    )

    def related(self, row: Any) -> list[tuple[str, str]]:
        return [("The purchase", f"/admin/purchase/{row.purchase_id}")]


def age(row: Any, _: str, request: Request) -> Text:
    """Say how many whole days a debt has been open, or was."""
    until = row.closed_at or request.state.parts.clock.now()
    days = max((until - row.opened_at).days, 0)
    return f"{days}\N{NO-BREAK SPACE}day{'' if days == 1 else 's'}"


def outstanding(row: Any, _: str, __: Request) -> Text:
    """Write what is still owed; what was paid or given up is not."""
    owed = row.state is ReceivableState.OPEN
    return amount(row.outstanding_minor, row.currency) if owed else NOTHING


@at("receivables")
class ReceivableList(ReadOnlyList, model=Receivable):
    name, name_plural = "Receivable", "Receivables"
    note = "What customers owe: a merchant took it and no linked card paid it."
    column_list = [
        *("opened_at", "customer_id", "purchase_id", "amount_minor", "outstanding_minor"),
        *("state", "age", "attempts", "next_attempt_at", "decline_code"),
    ]
    column_details_list = [
        *("opened_at", "customer_id", "purchase_id", "amount_minor", "lowered_minor"),
        *("paid_outside_minor", "paid_back_minor", "outstanding_minor", "refund_reversed", "state"),
        *("age", "attempts"),
        *("next_attempt_at", "decline_code", "advice_code", "closed_at"),
    ]
    column_labels = {
        "opened_at": "Opened",
        "lowered_minor": "Given back by merchants",
        "paid_outside_minor": "Paid to our bank account",
        "paid_back_minor": "Paid back from there",
        "refund_reversed": "A merchant took its refund back",
        "attempts": "Tries",
        "next_attempt_at": "Tried again",
        "decline_code": "Bank's word",
        "advice_code": "Bank's advice",
        "closed_at": "Closed",
    }
    summed = ("amount_minor", "lowered_minor")
    column_sortable_list = ["opened_at"]
    column_default_sort = ("opened_at", True)
    cells = {"age": age, "outstanding_minor": outstanding}
    filters = (
        Whose("customer", "Customer", Receivable.customer_id),
        Whose("purchase", "Purchase", Receivable.purchase_id),
        Choice("state", "State", Receivable.state, choices(ReceivableState)),
        AmountRange("amount", "Amount", Receivable.amount_minor),
        DateRange("opened", "Opened", Receivable.opened_at),
    )
    search = Search(
        "merchant, amount, customer",
        texts=(Receivable.decline_code,),
        amount=Receivable.amount_minor,
        customer=Receivable.customer_id,
        purchase=Receivable.purchase_id,
    )

    def related(self, row: Any) -> list[tuple[str, str]]:
        return [
            ("The purchase", f"/admin/purchase/{row.purchase_id}"),
            ("Its journals", f"/admin/journals/list?purchase={row.purchase_id}"),
        ]


def opened_between(first: date | None, last: date | None) -> str:
    """Give the address of the open debts of some days, both included."""
    query = "/admin/receivables/list?state=open"
    query += f"&opened_from={first}" if first else ""
    return query + (f"&opened_to={last}" if last else "")

"""Lists of the money: what we put on linked cards, what merchants took, and our prices."""

from typing import Any

from sqlalchemy import and_, or_

from app.admin.views.cells import identifier, short, unsigned
from app.admin.views.filters import AmountRange, Choice, DateRange, Presence, Whose
from app.admin.views.listing import ReadOnlyList, at, choices
from app.admin.views.searching import Search
from app.domain.funding.models import Charge, PricePlan
from app.domain.funding.states import ChargeState
from app.domain.issuing.models import CardTransaction
from app.domain.issuing.states import TransactionKind

HELD, LAPSES = Charge.state == ChargeState.HELD, Charge.capture_before
RARE_STATES = {
    ChargeState.HELD.value: or_(and_(HELD, LAPSES.is_not(None)), and_(HELD, LAPSES.is_(None))),
    **{
        state.value: Charge.state.not_in([ChargeState.HELD, ChargeState.CAPTURED])
        for state in ChargeState
        if state not in {ChargeState.HELD, ChargeState.CAPTURED}
    },
}
"""What the indexes of few among many charges are made for."""


@at("charges")
class ChargeList(ReadOnlyList, model=Charge):
    name, name_plural = "Charge", "Charges"
    note = "What was put on customers' linked cards, purchase by purchase."
    column_list = [
        *("created_at", "customer_id", "funding_source_id", "purchase_id", "amount_minor"),
        *("captured_minor", "refunded_minor", "state", "decline_code"),
    ]
    column_details_list = [
        *column_list,
        *("advice_code", "attempt", "capture_before", "stripe_payment_intent_id"),
        *("stripe_charge_id", "idempotency_key"),
    ]
    column_labels = {
        "decline_code": "Bank's word",
        "advice_code": "Bank's advice",
        "created_at": "Time",
    }
    summed = ("amount_minor", "captured_minor", "refunded_minor")
    column_sortable_list = ["created_at"]
    column_default_sort = ("created_at", True)
    cells = {
        "stripe_payment_intent_id": identifier,
        "stripe_charge_id": identifier,
        "idempotency_key": identifier,
    }
    filters = (
        Whose("customer", "Customer", Charge.customer_id),
        Whose("source", "Linked card", Charge.funding_source_id),
        Choice("state", "State", Charge.state, choices(ChargeState), RARE_STATES),
        AmountRange("amount", "Amount", Charge.amount_minor),
        DateRange("time", "Time", Charge.created_at),
        DateRange("lapses", "Capture before", Charge.capture_before),
    )
    search = Search(
        "merchant, amount, customer, last four digits, Stripe id",
        ids=(Charge.stripe_payment_intent_id, Charge.stripe_charge_id),
        names=(Charge.decline_code,),
        amount=Charge.amount_minor,
        customer=Charge.customer_id,
        source=Charge.funding_source_id,
        purchase=Charge.purchase_id,
    )

    def related(self, row: Any) -> list[tuple[str, str]]:
        return [("The purchase", f"/admin/purchase/{row.purchase_id}")]


@at("transactions")
class TransactionList(ReadOnlyList, model=CardTransaction):
    name, name_plural = "Card transaction", "Card transactions"
    note = "What merchants took (captures) and gave back (refunds)."
    column_list = [
        *("occurred_at", "kind", "merchant_name", "amount_minor", "fee_minor"),
        *("customer_id", "card_id", "authorization_id", "not_handled"),
    ]
    column_details_list = [*column_list, "stripe_transaction_id", "created_at"]
    column_labels = {"created_at": "Told to us"}
    summed = ("amount_minor", "fee_minor")
    column_sortable_list = ["occurred_at"]
    column_default_sort = ("occurred_at", True)
    cells = {
        "amount_minor": unsigned,
        "not_handled": short("not_handled"),
        "stripe_transaction_id": identifier,
    }
    filters = (
        Whose("customer", "Customer", CardTransaction.customer_id),
        Whose("card", "Card", CardTransaction.card_id),
        Choice("kind", "Kind", CardTransaction.kind, choices(TransactionKind)),
        Presence(
            "linked",
            "Purchase",
            CardTransaction.authorization_id,
            {"yes": ("known", True), "no": ("not matched yet", False)},
        ),
        AmountRange("amount", "Amount", CardTransaction.amount_minor),
        DateRange("time", "Time", CardTransaction.occurred_at),
    )
    search = Search(
        "merchant, amount, customer, last four digits, Stripe id",
        ids=(CardTransaction.stripe_transaction_id,),
        names=(CardTransaction.merchant_name,),
        amount=CardTransaction.amount_minor,
        customer=CardTransaction.customer_id,
        card=CardTransaction.card_id,
    )

    def heading(self, row: Any) -> str:
        return f"{row.kind.capitalize()} at {row.merchant_name}"


@at("prices")
class PriceList(ReadOnlyList, model=PricePlan):
    name, name_plural = "Price", "Prices"
    note = "What is added to a purchase, from a moment on. The latest that has begun applies."
    column_list = ["effective_from", "name", "percent_bps", "fixed_minor", "minimum_minor"]
    column_details_list = [*column_list, "created_at"]
    column_sortable_list = ["effective_from"]
    column_default_sort = ("effective_from", True)

    def heading(self, row: Any) -> str:
        return str(row.name)

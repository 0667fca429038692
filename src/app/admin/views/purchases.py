"""Lists of what our cards were used for: purchases, what was asked about them, and declines."""

from collections.abc import Sequence
from typing import Any, ClassVar

from sqlalchemy import Select
from starlette.requests import Request

from app.admin.views.cells import Text, badge, explained, identifier, link, short
from app.admin.views.filters import AmountRange, Choice, DateRange, Filter, Presence, Whose
from app.admin.views.listing import ReadOnlyList, at, choices
from app.admin.views.searching import Search
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.explanation import Decider
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.models import Authorization, AuthorizationRequest
from app.domain.issuing.states import AuthorizationState, RequestState

REASONS: dict[str, tuple[str, Sequence[Any]]] = {
    reason.value: (EXPLANATIONS[reason].short, (reason,)) for reason in DeclineReason
}
DECIDERS: dict[str, tuple[str, Sequence[Any]]] = {
    decider.name.lower(): (
        decider.value,
        tuple(r for r in DeclineReason if EXPLANATIONS[r].decided_by is decider),
    )
    for decider in Decider
}


def answer(row: Any, _: str, request: Request) -> Text:
    """Write what Stripe says became of a purchase, and why where it was refused."""
    if row.approved is None:
        return badge("asked")
    if row.approved:
        return badge("approved")
    reason = request.state.names.reasons.get(row.id)
    return badge("declined") + (f" {EXPLANATIONS[reason].short}" if reason else "")


@at("purchases")
class PurchaseList(ReadOnlyList, model=Authorization):
    name, name_plural = "Purchase", "Purchases"
    can_view_details = False  # A purchase has a page of its own.
    column_list = [
        *("occurred_at", "merchant_name", "customer_id", "card_id", "amount_minor"),
        *("approved", "state", "not_handled"),
    ]
    column_labels = {"approved": "Answer"}
    summed = ("amount_minor",)
    column_sortable_list = ["created_at"]
    column_default_sort = ("created_at", True)
    sorts = {"occurred_at": "created_at"}
    cells = {
        "merchant_name": lambda row, _, __: link(f"/admin/purchase/{row.id}", row.merchant_name),
        "approved": answer,
        "not_handled": short("not_handled"),
    }
    filters = (
        Whose("customer", "Customer", Authorization.customer_id),
        Whose("card", "Card", Authorization.card_id),
        Choice(
            "answer",
            "Answer",
            Authorization.approved,
            {"approved": ("approved", (True,)), "declined": ("declined", (False,))},
        ),
        Choice("state", "State", Authorization.state, choices(AuthorizationState)),
        Presence(
            "review",
            "To review",
            Authorization.not_handled,
            {"yes": ("to review", True), "no": ("nothing to review", False)},
        ),
        AmountRange("amount", "Amount", Authorization.amount_minor),
        DateRange("time", "Time", Authorization.occurred_at),
    )
    search = Search(
        "merchant, amount, customer, last four digits, Stripe id",
        ids=(Authorization.stripe_authorization_id,),
        names=(Authorization.merchant_name,),
        amount=Authorization.amount_minor,
        customer=Authorization.customer_id,
        card=Authorization.card_id,
    )

    def row_href(self, row: Any) -> str:
        return f"/admin/purchase/{row.id}"


@at("requests")
class RequestList(ReadOnlyList, model=AuthorizationRequest):
    name, name_plural = "Request", "Requests"
    note = "Every question Stripe asked about a purchase, and what we answered."
    column_list = [
        *("requested_at", "authorization_id", "customer_id", "card_id", "amount_minor"),
        *("fee_minor", "state", "reason", "step_total", "verified_at"),
    ]
    column_details_list = [
        *("requested_at", "authorization_id", "customer_id", "card_id", "amount_minor"),
        *("approved_before_minor", "fee_minor", "price_plan_id", "funding_mode", "state"),
        *("reason", "decided_by", "staff_text", "customer_text", "next_step"),
        *("stripe_approved", "stripe_reason", "decided_at", "step_ms", "verified_at"),
        "stripe_event_id",
    ]
    column_labels = {
        "verified_at": "Outcome certain",
        "approved_before_minor": "Approved before",
        "staff_text": "What happened",
        "customer_text": "What the customer reads",
        "step_ms": "Milliseconds by step",
        "stripe_approved": "Approved by Stripe",
    }
    summed = ("amount_minor", "fee_minor")
    column_sortable_list = ["requested_at"]
    column_default_sort = ("requested_at", True)
    cells = {"stripe_event_id": identifier}
    record_cells = {
        "staff_text": explained("staff"),
        "customer_text": explained("customer"),
        "next_step": explained("next_step"),
    }
    filters: ClassVar[Sequence[Filter]] = (
        Whose("customer", "Customer", AuthorizationRequest.customer_id),
        Whose("card", "Card", AuthorizationRequest.card_id),
        Choice("state", "State", AuthorizationRequest.state, choices(RequestState)),
        Presence(
            "certain",
            "Outcome",
            AuthorizationRequest.verified_at,
            {"yes": ("certain", True), "no": ("not certain yet", False)},
        ),
        AmountRange("amount", "Amount", AuthorizationRequest.amount_minor),
        DateRange("time", "Time", AuthorizationRequest.requested_at),
    )
    search = Search(
        "merchant, amount, customer, last four digits, Stripe id",
        ids=(AuthorizationRequest.stripe_event_id,),
        amount=AuthorizationRequest.amount_minor,
        customer=AuthorizationRequest.customer_id,
        card=AuthorizationRequest.card_id,
        purchase=AuthorizationRequest.authorization_id,
    )

    def related(self, row: Any) -> list[tuple[str, str]]:
        return [("The purchase", f"/admin/purchase/{row.authorization_id}")]


@at("declines")
class DeclineList(RequestList, model=AuthorizationRequest):
    name, name_plural = "Decline", "Declines"
    note = "Requests that were refused, why, and whose decision it was."
    column_list = [
        *("requested_at", "amount_minor", "reason", "decided_by", "authorization_id"),
        *("customer_id", "card_id", "stripe_reason", "step_total"),
    ]
    record_cells = RequestList.record_cells
    filters = (
        *(one for one in RequestList.filters if "state" not in one.fields),
        Choice("reason", "Reason", AuthorizationRequest.reason, REASONS),
        Choice("decided_by", "Whose decision", AuthorizationRequest.reason, DECIDERS),
    )

    def list_query(self, request: Request) -> Select[Any]:
        query: Select[Any] = super().list_query(request)
        return query.where(AuthorizationRequest.reason.is_not(None))

"""Lists of the rules that purchases are decided by, and of what a person has let pass once."""

from typing import Any

from starlette.requests import Request

from app.admin.views.cells import SHORT, Text, link
from app.admin.views.filters import Choice, DateRange, Whose
from app.admin.views.listing import ReadOnlyList, at, choices
from app.admin.views.searching import Search
from app.admin.wording import amount
from app.domain.issuing.control_models import Allowance, DecisionRule
from app.domain.issuing.rule_book import rule_of
from app.domain.issuing.rule_reading import KINDS
from app.domain.issuing.rule_words import condition_in_words, life_in_words
from app.domain.issuing.rules import RuleMode


def refuses(row: Any, _: str, __: Request) -> Text:
    return condition_in_words(rule_of(row).condition)


def refuses_in_short(row: Any, field: str, request: Request) -> Text:
    told = refuses(row, field, request)
    return told if len(told) <= SHORT else told[: SHORT - 1] + "…"


def life(row: Any, _: str, request: Request) -> Text:
    """Say whether a rule applies now, on the business's clock."""
    return life_in_words(rule_of(row), request.state.parts.clock.now())


@at("rules")
class RuleList(ReadOnlyList, model=DecisionRule):
    name, name_plural = "Rule", "Rules"
    note = "What purchases are refused for. The next purchase obeys a change."
    column_list = ["name", "life", "refuses", "kind", "effective_from", "effective_until"]
    column_details_list = [*column_list, "mode", "note", "condition", "created_at"]
    column_labels = {
        "life": "Now",
        "refuses": "Refuses",
        "effective_from": "From",
        "effective_until": "Until",
    }
    column_sortable_list = ["effective_from"]
    column_default_sort = ("effective_from", True)
    cells = {"refuses": refuses_in_short, "life": life}
    record_cells = {"refuses": refuses}
    filters = (
        Choice("kind", "Kind", DecisionRule.kind, {kind: (kind, (kind,)) for kind in KINDS}),
        Choice("mode", "Mode", DecisionRule.mode, choices(RuleMode)),
        DateRange("from", "From", DecisionRule.effective_from),
    )
    search = Search("name, note", texts=(DecisionRule.name, DecisionRule.note))

    def heading(self, row: Any) -> str:
        return str(row.name)

    def related(self, row: Any) -> list[tuple[str, str]]:
        return [("Its changes", f"/admin/audit/list?search={row.id}")]


@at("allowances")
class AllowanceList(ReadOnlyList, model=Allowance):
    name, name_plural = "Purchase allowed once", "Allowed once"
    note = "Declined purchases that may pass when they are tried again, within a day."
    column_list = ["created_at", "card_id", "merchant_name", "most_minor", "expires_at"]
    column_details_list = [*column_list, "merchant_network_id", "declined_request_id"]
    column_labels = {
        "most_minor": "Up to",
        "expires_at": "Until",
        "declined_request_id": "Declined request",
    }
    column_sortable_list = ["created_at"]
    column_default_sort = ("created_at", True)
    cells = {
        "most_minor": lambda row, _, __: amount(row.most_minor),
        "declined_request_id": lambda row, _, __: link(
            f"/admin/requests/details/{row.declined_request_id}", "the request"
        ),
    }
    filters = (
        Whose("card", "Card", Allowance.card_id),
        DateRange("created", "Created", Allowance.created_at),
    )
    search = Search("merchant", texts=(Allowance.merchant_name,), card=Allowance.card_id)

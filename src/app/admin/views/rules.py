"""Lists of the rules that purchases are decided by, and of what a person has let pass once."""

from datetime import timedelta
from typing import Any

from markupsafe import Markup
from starlette.requests import Request

from app.admin.views.cells import SHORT, Text, link
from app.admin.views.filters import Choice, DateRange, Whose
from app.admin.views.listing import ReadOnlyList, at, choices
from app.admin.views.names import name_of
from app.admin.views.searching import Search
from app.admin.wording import amount, words
from app.domain.issuing.control_models import Allowance, DecisionRule
from app.domain.issuing.rule_book import rule_of
from app.domain.issuing.rule_lines import report_lines
from app.domain.issuing.rule_reading import KINDS
from app.domain.issuing.rule_words import condition_in_words, life_in_words
from app.domain.issuing.rules import RuleMode
from app.domain.issuing.shadow import report_on

REPORTED = timedelta(days=7)


def refuses(row: Any, _: str, request: Request) -> Text:
    """Say what a rule refuses, with the name of the customer or the card that it is about."""
    told, about = condition_in_words(rule_of(row).condition), row.condition.get("value")
    return told.replace(about, name_of(about, request)) if about else told


def last_week(_: Any, __: str, request: Request) -> Text:
    return Markup("<br>").join(map(str.strip, report_lines(request.state.report)))


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
    column_details_list = [*column_list, "last_week", "mode", "note", "created_at"]
    column_labels = {
        "life": "Now",
        "last_week": "In the last seven days",
        "refuses": "Refuses",
        "effective_from": "From",
        "effective_until": "Until",
    }
    column_sortable_list = ["effective_from"]
    column_default_sort = ("effective_from", True)
    cells = {"refuses": refuses_in_short, "life": life, "kind": lambda row, _, __: words(row.kind)}
    record_cells = {"refuses": refuses, "last_week": last_week}
    filters = (
        Choice("kind", "Kind", DecisionRule.kind, {kind: (kind, (kind,)) for kind in KINDS}),
        Choice("mode", "Mode", DecisionRule.mode, choices(RuleMode)),
        DateRange("from", "From", DecisionRule.effective_from),
    )
    search = Search("name, note", texts=(DecisionRule.name, DecisionRule.note))

    async def get_object_for_details(self, request: Request) -> Any:
        """Give the rule, with what it said of late."""
        row = await super().get_object_for_details(request)
        if row is not None:
            since = request.state.parts.clock.now() - REPORTED
            async with self.session_maker() as session:
                request.state.report = await report_on(session, rule_of(row), since)
        return row

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

"""The list of differences between us and Stripe, as the reconciliations found them."""

from typing import Any
from urllib.parse import quote

from app.admin.views.cells import identifier
from app.admin.views.filters import Choice, DateRange
from app.admin.views.listing import ReadOnlyList, at, choices
from app.admin.views.searching import Search
from app.domain.issuing.difference_models import DifferenceState, ReconciliationDifference
from app.domain.issuing.reconciliation_facts import Kind


@at("differences")
class DifferenceList(ReadOnlyList, model=ReconciliationDifference):
    name, name_plural = "Difference", "Differences with Stripe"
    note = "What a reconciliation found that is not the same here and at Stripe; both sides of it."
    column_list = [
        *("first_seen_at", "kind", "what", "name", "ours_minor", "theirs_minor", "state"),
    ]
    column_details_list = [
        *(*column_list, "note", "since", "last_seen_at", "resolved_at", "resolution"),
    ]
    column_labels = {
        "first_seen_at": "First seen",
        "last_seen_at": "Last seen",
        "what": "Of what",
        "name": "Which",
        "ours_minor": "Here",
        "theirs_minor": "At Stripe",
        "since": "The thing is from",
        "resolution": "What it was",
    }
    column_sortable_list = ["first_seen_at"]
    column_default_sort = ("first_seen_at", True)
    cells = {"name": identifier}
    filters = (
        Choice("state", "State", ReconciliationDifference.state, choices(DifferenceState)),
        Choice(
            "kind",
            "Kind",
            ReconciliationDifference.kind,
            {kind.value: (kind.value, (kind.value,)) for kind in Kind},
        ),
        DateRange("seen", "First seen", ReconciliationDifference.first_seen_at),
    )
    search = Search("Stripe's id, journal, account", ids=(ReconciliationDifference.name,))

    def heading(self, row: Any) -> str:
        return f"{row.kind.capitalize()}: {row.what}"

    def related(self, row: Any) -> list[tuple[str, str]]:
        return [
            ("Look it up", f"/admin/search?q={quote(row.name)}"),
            ("What was done about it", f"/admin/audit/list?search={row.id}"),
        ]

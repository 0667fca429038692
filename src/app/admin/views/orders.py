"""The list of orders to Stripe: what it is to be told about cards and cardholders."""

from typing import Any

from app.admin.views.cells import short
from app.admin.views.filters import Choice, DateRange
from app.admin.views.listing import ReadOnlyList, at, choices
from app.admin.views.searching import Search
from app.admin.wording import NOTHING, words
from app.domain.issuing.mirror_models import MirrorKind, MirrorOrder


@at("orders")
class OrderList(ReadOnlyList, model=MirrorOrder):
    name, name_plural = "Order to Stripe", "Orders to Stripe"
    note = (
        "What Stripe is told about our cards and cardholders, recorded before it is told. One that"
        " is neither sent nor tried next has to be sent again by hand."
    )
    column_list = ["created_at", "kind", "sent_at", "attempts", "next_at", "failure"]
    column_details_list = [*column_list, "subject_id", "wanted"]
    column_labels = {
        "created_at": "Recorded",
        "kind": "About",
        "sent_at": "Sent",
        "next_at": "Tried next",
        "failure": "Why it failed",
        "subject_id": "Card or customer",
        "wanted": "What is wanted",
    }
    column_sortable_list = ["created_at"]
    column_default_sort = ("created_at", True)
    cells = {"failure": short("failure")}
    record_cells = {"failure": lambda row, _, __: row.failure or NOTHING}
    filters = (
        Choice("kind", "About", MirrorOrder.kind, choices(MirrorKind)),
        Choice(
            "sent",
            "Sent",
            MirrorOrder.sent_at.is_not(None),
            {"yes": ("yes", (True,)), "no": ("no", (False,))},
        ),
        DateRange("created", "Recorded", MirrorOrder.created_at),
    )
    search = Search("what failed", texts=(MirrorOrder.failure,))

    def heading(self, row: Any) -> str:
        return f"Order to Stripe about a {words(row.kind)}"

"""The list of letters: what was sent to whom, and what no server took."""

from typing import Any

from app.admin.views.cells import recipient, short
from app.admin.views.filters import Choice, DateRange
from app.admin.views.listing import ReadOnlyList, at, choices
from app.admin.views.searching import Search
from app.admin.wording import NOTHING
from app.domain.mailing.models import Mail, MailKind, MailState


@at("mails")
class MailList(ReadOnlyList, model=Mail):
    name, name_plural = "Letter", "Letters"
    note = (
        "Letters to customers, and to staff about their own sign-in. Failed ones were refused for"
        " good, or ten times over; kept ones wait for a mail server to be set."
    )
    column_list = ["created_at", "recipient", "kind", "subject", "state", "attempts", "failure"]
    # Not its text: a link in it may still open an account.
    column_details_list = [*column_list, "about", "sent_at"]
    column_labels = {"created_at": "Written", "about": "About", "failure": "What failed"}
    column_sortable_list = ["created_at"]
    column_default_sort = ("created_at", True)
    cells = {"recipient": recipient, "failure": short("failure"), "subject": short("subject")}
    record_cells = {"failure": lambda row, _, __: row.failure or NOTHING}
    filters = (
        Choice("state", "State", Mail.state, choices(MailState)),
        Choice("kind", "Kind", Mail.kind, choices(MailKind)),
        DateRange("created", "Written", Mail.created_at),
    )
    search = Search(
        "whole address, subject", address=Mail.recipient, texts=(Mail.recipient, Mail.subject)
    )

    def heading(self, row: Any) -> str:
        return str(row.subject)

"""Lists of who did what, and of what one member asks another to approve."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from starlette.requests import Request

from app.admin.approvals.kinds import KINDS
from app.admin.views.cells import Text, identifier, link
from app.admin.views.filters import Choice, DateRange, Whose
from app.admin.views.listing import ReadOnlyList, at, choices
from app.admin.views.searching import Search, whole
from app.admin.wording import NOTHING, words
from app.domain.identity.audit_models import AuditEntry
from app.domain.identity.reasons import REASONS
from app.domain.identity.staff_models import Approval
from app.domain.identity.states import ApprovalState

RECORDS = {
    "customer": "/admin/customer",
    "staff": "/admin/member",
    "approval": "/admin/approval",
    "card": "/admin/cards/details",
    "funding_source": "/admin/sources/details",
    "charge": "/admin/charges/details",
    "card_authorization": "/admin/purchase",
    "inbound_event": "/admin/events/details",
    "decision_rule": "/admin/rules/details",
}
"""Where the subject of an entry in the trail is shown."""

REASON_CHOICES: dict[str, tuple[str, Sequence[Any]]] = {
    code: (said, (code,)) for code, said in REASONS.items()
}


def who(row: Any, field: str, request: Request) -> Text:
    """Name the member of staff that a column points at."""
    key = getattr(row, field)
    name = request.state.names.staff.get(key)
    return link(f"/admin/member/{key}", name) if name else NOTHING


def actor(row: Any, field: str, request: Request) -> Text:
    """Name who acted: a member of staff, or what else it was."""
    known = row.actor_id in request.state.names.staff
    return who(row, field, request) if known else words(row.actor_kind)


def subject(row: Any, _: str, request: Request) -> Text:
    """Name what an entry is about: a person by name, anything else by its kind."""
    kind, address = words(row.subject_kind), RECORDS.get(row.subject_kind)
    if address is None:
        return kind
    names = request.state.names
    people = {**names.staff, **names.customers}
    named = row.subject_kind in {"staff", "customer"}
    name = people.get(UUID(row.subject_id)) if named else None
    return link(f"{address}/{row.subject_id}", name or kind)


def reason(row: Any, field: str, _: Request) -> Text:
    code = getattr(row, field)
    return REASONS.get(code, words(code))


@at("approvals")
class ApprovalList(ReadOnlyList, model=Approval):
    name, name_plural = "Request for approval", "Approvals"
    note = "What one member asks and another one has to approve, within 24 hours."
    column_list = [
        *("kind", "state", "note", "reason_code", "subject_id", "requested_by", "created_at"),
        *("expires_at", "decided_by"),
    ]
    column_details_list = column_list
    column_labels = {
        "created_at": "Asked",
        "kind": "What",
        "subject_id": "About",
        "reason_code": "Reason",
        "requested_by": "By",
        "decided_by": "Decided by",
        "expires_at": "Open until",
    }
    column_sortable_list = ["created_at"]
    column_default_sort = ("created_at", True)
    cells = {
        "kind": lambda row, _, __: KINDS[row.kind].title,
        "subject_id": lambda row, _, __: link(
            KINDS[row.kind].href.format(id=row.subject_id), words(row.subject_kind)
        ),
        "reason_code": reason,
        "requested_by": who,
        "decided_by": who,
    }
    filters = (
        Choice("state", "State", Approval.state, choices(ApprovalState)),
        Choice("kind", "What", Approval.kind, {k: (one.title, (k,)) for k, one in KINDS.items()}),
        Whose("by", "Asked by", Approval.requested_by),
        DateRange("asked", "Asked", Approval.created_at),
    )
    search = Search("note, id of what it is about", texts=(Approval.note, Approval.subject_id))

    def row_href(self, row: Any) -> str:
        return f"/admin/approval/{row.id}"


@at("audit")
class AuditList(ReadOnlyList, model=AuditEntry):
    name, name_plural = "Entry of the trail", "Audit"
    note = (
        "Who did what, when, from where and why; reads of personal data and refused pages too."
        " Nothing here can be changed, and a chain of hashes seals it: proxycard audit verify."
    )
    column_list = [
        *("created_at", "actor_id", "action", "subject_id", "reason_code", "reason", "address"),
    ]
    column_details_list = [*column_list, "before", "after", "request_id", "subject_kind"]
    column_labels = {
        "created_at": "Time",
        "actor_id": "Who",
        "subject_id": "What",
        "reason_code": "Reason",
        "reason": "Note",
        "request_id": "Request",
        "subject_kind": "Kind of what",
    }
    column_sortable_list = ["created_at"]
    column_default_sort = ("created_at", True)
    cells = {
        "actor_id": actor,
        "subject_id": subject,
        "reason_code": reason,
        "reason": lambda row, _, __: row.reason or NOTHING,
        "request_id": identifier,
        "subject_kind": lambda row, _, __: f"{words(row.subject_kind)} {row.subject_id}",
    }
    filters = (
        Choice(
            "by",
            "Who",
            AuditEntry.actor_kind,
            {kind: (kind, (kind,)) for kind in ("staff", "customer", "visitor", "system", "cli")},
        ),
        Choice("why", "Reason", AuditEntry.reason_code, REASON_CHOICES),
        Whose("member", "Member of staff", AuditEntry.actor_id),
        DateRange("time", "Time", AuditEntry.created_at),
    )
    search = Search(
        "action such as staff.sign_in, whole id, request",
        names=(AuditEntry.action,),
        keys=((AuditEntry.subject_id, whole), (AuditEntry.request_id, whole)),
    )

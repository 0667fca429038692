"""Lists of what the machine does: events, jobs, and the trail of what people did."""

from typing import Any

import msgspec
from sqladmin import expose
from sqlalchemy import Select
from sqlalchemy.orm import defer
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.admin.forms import check_csrf, text_field
from app.admin.permissions import RUN_AGAIN, allowed
from app.admin.views.cells import Text, block, identifier, link, short
from app.admin.views.filters import Choice, DateRange, Whose
from app.admin.views.listing import ReadOnlyList, at, choices
from app.admin.views.masking import masked
from app.admin.views.queue_tables import Job, JobEnding, JobStatus
from app.admin.views.searching import Search
from app.admin.wording import NOTHING, words
from app.domain.identity.audit import record
from app.domain.identity.models import AuditEntry
from app.errors import AppError
from app.parts import Parts
from app.webhooks.inbox import run_again
from app.webhooks.models import EventState, InboundEvent

RECORDS = {
    "customer": "/admin/customers/details",
    "staff": "/admin/staff/details",
    "card": "/admin/cards/details",
    "funding_source": "/admin/sources/details",
    "charge": "/admin/charges/details",
    "card_authorization": "/admin/purchase",
    "inbound_event": "/admin/events/details",
}
"""Where the subject of an entry in the trail is shown."""


class ReasonMissing(AppError, status=422):
    """A change by staff says why."""


def payload(row: Any, field: str, _: Request) -> Text:
    """Write what Stripe sent, with personal data hidden."""
    told = msgspec.json.encode(masked(getattr(row, field)))
    return block(msgspec.json.format(told).decode())


def actor(row: Any, _: str, request: Request) -> Text:
    if row.actor_id is None:
        return words(row.actor_kind)
    return str(request.state.names.staff.get(row.actor_id) or words(row.actor_kind))


def subject(row: Any, _: str, __: Request) -> Text:
    kind = words(row.subject_kind)
    address = RECORDS.get(row.subject_kind)
    return link(f"{address}/{row.subject_id}", kind) if address else kind


@at("events")
class EventList(ReadOnlyList, model=InboundEvent):
    name, name_plural = "Event", "Events"
    note = "What Stripe told us, and whether it has been acted on."
    column_list = [
        *("created_at", "type", "object_id", "state", "attempts", "failure", "processed_at"),
    ]
    column_details_list = [
        *("created_at", "occurred_at", "type", "object_id", "state", "attempts", "failure"),
        *("processed_at", "stripe_event_id", "payload"),
    ]
    column_labels = {"created_at": "Received", "occurred_at": "Happened", "object_id": "About"}
    column_sortable_list = ["created_at"]
    column_default_sort = ("created_at", True)
    details_template = "lists/event.html"
    cells = {
        "object_id": identifier,
        "stripe_event_id": identifier,
        "failure": short("failure"),
        "payload": payload,
    }
    record_cells = {"failure": lambda row, _, __: row.failure or NOTHING}
    filters = (
        Choice("state", "State", InboundEvent.state, choices(EventState)),
        DateRange("created", "Received", InboundEvent.created_at),
    )
    search = Search(
        "type, Stripe id of the event or what it is about",
        ids=(InboundEvent.stripe_event_id, InboundEvent.object_id),
        texts=(InboundEvent.type,),
    )

    def list_query(self, request: Request) -> Select[Any]:
        query: Select[Any] = super().list_query(request)
        return query.options(defer(InboundEvent.payload, raiseload=True))

    def heading(self, row: Any) -> str:
        return str(row.type)

    async def details_context(self, request: Request) -> dict[str, Any]:
        return {"may_run_again": allowed(request.state.staff, "events", RUN_AGAIN)}

    @expose("/run-again/{pk:uuid}", methods=["POST"])
    async def run_again(self, request: Request) -> Response:
        """Put a failed event back to be processed, with a reason, on the trail."""
        if not allowed(request.state.staff, "events", RUN_AGAIN):
            raise HTTPException(403)
        why = text_field(await check_csrf(request), "reason")
        if not why:
            raise ReasonMissing("Say why the event should run again.")
        parts: Parts = request.state.parts
        key = request.path_params["pk"]
        async with parts.sessions.begin() as session:
            event = await session.get(InboundEvent, key)
            if event is None:
                raise HTTPException(404)
            before = {"state": event.state.value, "attempts": event.attempts}
            await run_again(session, event.stripe_event_id)
            record(
                session,
                request.state.actor,
                "event.run_again",
                subject=event,
                before=before,
                after={"state": event.state.value},
                reason=why,
            )
        return RedirectResponse(f"/admin/events/details/{key}", status_code=303)


@at("jobs")
class JobList(ReadOnlyList, model=Job):
    name, name_plural = "Job", "Jobs"
    note = "Work that waits, runs, or is held after its last attempt (failed)."
    column_list = [
        *("created", "entrypoint", "about", "status", "attempts", "execute_after", "updated"),
    ]
    column_details_list = [*column_list, "priority", "dedupe_key"]
    column_labels = {"entrypoint": "Job", "created": "Queued", "execute_after": "Not before"}
    column_sortable_list = ["created"]
    column_default_sort = ("id", True)
    cells = {"about": short("about")}
    record_cells = {"about": identifier, "dedupe_key": identifier}
    filters = (
        Choice("status", "Status", Job.status, choices(JobStatus)),
        DateRange("created", "Queued", Job.created),
    )
    search = Search("job, id it is about", texts=(Job.entrypoint, Job.dedupe_key))

    def related(self, row: Any) -> list[tuple[str, str]]:
        return [("Its attempts", f"/admin/job-log/list?job={row.id}")]


def job_number(typed: str) -> int:
    """Read a job's number. Raise ValueError for anything else."""
    if len(typed) > 18:  # noqa: PLR2004  more digits than the queue's numbers can have
        raise ValueError(typed)
    return int(typed)


@at("job-log")
class JobLog(ReadOnlyList, model=JobEnding):
    name, name_plural = "Attempt at a job", "Job log"
    note = "How each attempt at a job went."
    column_list = ["created", "job_id", "entrypoint", "status", "failure"]
    column_details_list = [*column_list, "traceback"]
    column_labels = {"created": "Time", "entrypoint": "Job", "job_id": "Number"}
    column_sortable_list = ["created"]
    column_default_sort = ("created", True)
    cells = {"failure": short("failure")}
    record_cells = {"failure": identifier}
    filters = (
        Whose("job", "Job", JobEnding.job_id, job_number),
        Choice("status", "Status", JobEnding.status, choices(JobStatus)),
        DateRange("time", "Time", JobEnding.created),
    )
    search = Search("job", texts=(JobEnding.entrypoint,))


@at("audit")
class AuditList(ReadOnlyList, model=AuditEntry):
    name, name_plural = "Entry of the trail", "Audit"
    note = "Who did what, when, from where and why. Nothing here can be changed."
    column_list = ["created_at", "actor_id", "action", "subject_id", "reason", "address"]
    column_details_list = [*column_list, "before", "after", "request_id"]
    column_labels = {
        "created_at": "Time",
        "actor_id": "Who",
        "subject_id": "What",
        "request_id": "Request",
    }
    column_sortable_list = ["created_at"]
    column_default_sort = ("created_at", True)
    cells = {
        "actor_id": actor,
        "subject_id": subject,
        "reason": lambda row, _, __: row.reason or NOTHING,
        "request_id": identifier,
    }
    filters = (
        Choice(
            "by",
            "Who",
            AuditEntry.actor_kind,
            {kind: (kind, (kind,)) for kind in ("staff", "customer", "system", "cli")},
        ),
        DateRange("time", "Time", AuditEntry.created_at),
    )
    search = Search(
        "action, id of what it was about",
        texts=(AuditEntry.action, AuditEntry.subject_id, AuditEntry.request_id),
    )

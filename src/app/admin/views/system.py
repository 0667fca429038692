"""Lists of what the machine does: events, jobs, and the trail of what people did."""

from typing import Any

import msgspec
from sqlalchemy import Select
from sqlalchemy.orm import defer
from starlette.requests import Request

from app.admin.views.cells import Text, badge, block, identifier, short
from app.admin.views.filters import Choice, DateRange, Whose
from app.admin.views.listing import ReadOnlyList, at, choices
from app.admin.views.masking import masked
from app.admin.views.queue_tables import Job, JobEnding, JobStatus
from app.admin.views.searching import Search
from app.admin.wording import NOTHING, words
from app.errors import AppError
from app.regular_job import RegularJob
from app.webhooks.models import EventState, InboundEvent


class ReasonMissing(AppError, status=422):
    """A change by staff says why."""


def payload(row: Any, field: str, _: Request) -> Text:
    """Write what Stripe sent, with personal data hidden."""
    told = msgspec.json.encode(masked(getattr(row, field)))
    return block(msgspec.json.format(told).decode())


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
        names=(InboundEvent.type,),
    )

    def list_query(self, request: Request) -> Select[Any]:
        query: Select[Any] = super().list_query(request)
        return query.options(defer(InboundEvent.payload, raiseload=True))

    def heading(self, row: Any) -> str:
        return str(row.type)


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


def went(row: Any, _: str, __: Request) -> Text:
    """Say how a regular job went last."""
    if row.ended_at is None:
        return NOTHING if row.began_at is None else badge("running")
    return badge("failed" if row.failed else "done")


@at("regular-jobs")
class RegularJobList(ReadOnlyList, model=RegularJob):
    name, name_plural = "Regular job", "Regular jobs"
    note = "Jobs that run again and again: when each is due next, and how it went last."
    column_list = ["name", "next_at", "went", "outcome", "began_at", "ended_at"]
    column_details_list = column_list
    column_labels = {
        "name": "Job",
        "next_at": "Next",
        "went": "Last time",
        "outcome": "What came of it",
        "began_at": "Began",
        "ended_at": "Ended",
    }
    column_sortable_list = ["next_at"]
    column_default_sort = ("next_at", False)
    cells = {"went": went, "outcome": short("outcome")}
    record_cells = {"outcome": lambda row, _, __: row.outcome or NOTHING}
    filters = (
        Choice(
            "failed",
            "Last time",
            RegularJob.failed,
            {"yes": ("failed", (True,)), "no": ("not failed", (False,))},
        ),
    )
    search = Search("job, what came of it", texts=(RegularJob.name, RegularJob.outcome))

    def row_href(self, row: Any) -> str:
        return f"/admin/regular-jobs/details/{row.name}"

    def heading(self, row: Any) -> str:
        return words(row.name).capitalize()

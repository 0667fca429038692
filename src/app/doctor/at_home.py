"""What can be seen of the product in its own database."""

import asyncio
from datetime import datetime

import asyncpg

from app import schema
from app.config import Settings
from app.doctor.findings import Finding, fail, ok, warn
from app.heartbeat import SILENT_AFTER_SECONDS
from app.readings import LATE_AFTER_SECONDS, Figures, Pulse, read_figures, read_pulse, read_spent

WITHIN_SECONDS = 10.0
SUM_WITHIN_SECONDS = 60.0
OLD_EVENT_SECONDS = 300.0
OLD_REQUEST_SECONDS = 300.0


async def examine_database(settings: Settings, now: datetime) -> tuple[list[Finding], int | None]:
    """Look at everything there; give what was spent in the last day, where it could be read."""
    start = "Start PostgreSQL, or correct DATABASE_URL."
    try:
        at_head = await asyncio.to_thread(schema.at_head, settings.database_url)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return [fail("database", f"cannot be used ({type(error).__name__})", start)], None
    if not at_head:
        to_do = "Run `proxycard db upgrade`."
        return [fail("migrations", "some are missing, or too new for this version", to_do)], None
    connection = await asyncpg.connect(settings.database_url, timeout=WITHIN_SECONDS)
    try:
        pulse = await read_pulse(connection, WITHIN_SECONDS)
        figures = await read_figures(connection, now, WITHIN_SECONDS)
        spent_minor = await read_spent(connection, now, SUM_WITHIN_SECONDS)
    finally:
        await connection.close()
    found = [ok("migrations", "all have run"), _worker(pulse), _queue(pulse)]
    return [*found, _failed(figures), _certain(figures), _agrees(figures)], spent_minor


def _worker(pulse: Pulse) -> Finding:
    to_do = "Start `proxycard worker`, or look at the end of its log."
    if pulse.worker_age is None:
        return fail("worker", "has never worked", to_do)
    seen = f"last said that it works {pulse.worker_age:.0f} s ago"
    silent = pulse.worker_age > SILENT_AFTER_SECONDS
    return fail("worker", seen, to_do) if silent else ok("worker", seen)


def _queue(pulse: Pulse) -> Finding:
    seen = f"the oldest due job waits {pulse.job_age:.0f} s, the oldest event {pulse.event_age:.0f}"
    if pulse.job_age > LATE_AFTER_SECONDS or pulse.event_age > OLD_EVENT_SECONDS:
        to_do = "Look in the back office at Jobs and Events for what fails; start more workers."
        return warn("queue", seen, to_do)
    return ok("queue", seen)


def _failed(figures: Figures) -> Finding:
    count = figures.failed_events
    if count:
        to_do = "Read why in the back office, Events, and run them again there."
        return warn("failed events", f"{count} wait for a person", to_do)
    return ok("failed events", "none")


def _certain(figures: Figures) -> Finding:
    check, overdue = "outcomes", figures.unverified_overdue
    if overdue > OLD_REQUEST_SECONDS:
        to_do = "Look into the worker's log for settle_failed; does Stripe answer?"
        return warn(check, f"one should have been certain {overdue:.0f} s ago", to_do)
    return ok(check, f"{figures.unverified} not certain yet, none overdue")


def _agrees(figures: Figures) -> Finding:
    approved, declined = figures.approved_uncharged, figures.declined_charged
    seen = f"{approved} approved with nobody charged, {declined} declined and charged"
    if approved or declined:
        to_do = "Open each with `proxycard purchase ID`; docs/operations.md says what to do."
        return fail("charges", seen, to_do)
    return ok("charges", seen)

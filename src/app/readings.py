"""What the database says of how the product stands: for the home, the alarms and the doctor."""

from datetime import datetime, timedelta

import asyncpg
import msgspec

from app.heartbeat import WORKER

NEAR_LAPSE = timedelta(hours=12)
"""Holds are to be captured a day before they lapse; half of that is the time to wake somebody."""
LATE_AFTER_SECONDS = 30.0
"""Jobs whose time has come are taken within a second, unless all workers are busy or gone."""
UNFUNDED_AFTER = timedelta(minutes=5)
"""By then a purchase and its charge agree, or nothing will make them agree by itself."""
UNBOOKED_AFTER = timedelta(hours=1)
"""By then the books have all that moved, and nothing more for purchases that have ended."""

_PULSE = f"""
SELECT (SELECT extract(epoch FROM clock_timestamp() - max(beaten_at))::float
          FROM heartbeat WHERE part = '{WORKER}') AS worker_age,
       coalesce((SELECT extract(epoch FROM clock_timestamp() - min(execute_after))::float
          FROM pgqueuer WHERE status = 'queued' AND execute_after <= now()), 0) AS job_age,
       coalesce((SELECT extract(epoch FROM clock_timestamp() - min(created_at))::float
          FROM inbound_event WHERE state = 'received'), 0) AS event_age
"""  # noqa: S608  a constant of ours

# Each part looks only at what is open, uncertain or of the last hour, which an index of its own
# gives: what has ended well is never read, however much there is of it.
_FIGURES = """
WITH open_request AS (
    SELECT request.id, request.requested_at, request.funding_mode,
           coalesce(request.stripe_approved, request.state = 'approved') AS approved,
           purchase.state AS purchase_state
      FROM authorization_request AS request
      JOIN card_authorization AS purchase ON purchase.id = request.authorization_id
     WHERE request.open AND request.reserved_minor > 0
), last_hour AS (
    SELECT id, requested_at, stripe_reason, stripe_approved,
           coalesce(stripe_approved, state = 'approved') AS approved
      FROM authorization_request WHERE requested_at > $1::timestamptz - interval '1 hour'
), to_agree AS (
    SELECT id, requested_at, approved FROM last_hour
     UNION
    SELECT id, requested_at, coalesce(stripe_approved, state = 'approved')
      FROM authorization_request WHERE verified_at IS NULL
)
SELECT (SELECT count(*) FROM inbound_event WHERE state = 'failed') AS failed_events,
       (SELECT count(*) FROM authorization_request WHERE verified_at IS NULL) AS unverified,
       coalesce((SELECT extract(epoch FROM now() - min(verify_after))::float
          FROM authorization_request
         WHERE verified_at IS NULL AND verify_after < now()), 0) AS unverified_overdue,
       (SELECT count(*) FROM open_request
         WHERE requested_at < $1::timestamptz - $2::interval AND approved
           AND NOT EXISTS (SELECT FROM charge WHERE charge.request_id = open_request.id
                              AND charge.state IN ('held', 'captured'))) AS approved_uncharged,
       (SELECT count(*) FROM to_agree
         WHERE requested_at < $1::timestamptz - $2::interval AND NOT approved
           AND EXISTS (SELECT FROM charge WHERE charge.request_id = to_agree.id
                          AND charge.state IN ('held', 'captured'))) AS declined_charged,
       (SELECT count(*) FROM last_hour
         WHERE stripe_reason = 'webhook_timeout') AS webhook_timeouts,
       (SELECT count(*) FROM last_hour
         WHERE stripe_reason = 'webhook_timeout' AND stripe_approved) AS default_approvals,
       (SELECT count(*) FROM last_hour WHERE stripe_reason = 'webhook_error') AS webhook_errors,
       (SELECT count(*) FROM open_request JOIN charge ON charge.request_id = open_request.id
         WHERE charge.state = 'held'
           AND charge.capture_before < $1::timestamptz + $3::interval) AS holds_near_lapse,
       (SELECT count(*) FROM open_request JOIN charge ON charge.request_id = open_request.id
         WHERE charge.state = 'captured' AND open_request.funding_mode = 'hold'
           AND open_request.purchase_state = 'pending') AS captured_unasked,
       (SELECT count(*) FROM card_authorization WHERE not_handled IS NOT NULL) AS not_handled,
       (SELECT count(DISTINCT purchase_id) FROM open_clearing
         WHERE amiss_since < clock_timestamp() - $4::interval) AS clearing_not_zero,
       (SELECT count(*) FROM balance_transaction
         WHERE journal_reference IS NULL
           AND created_at < clock_timestamp() - $4::interval) AS unmatched,
       (SELECT count(*) FROM regular_job WHERE failed) AS failed_jobs
"""
_SPENT = """
SELECT coalesce(sum(approved_minor), 0)::bigint FROM authorization_request
 WHERE requested_at > $1::timestamptz - interval '1 day' AND stripe_approved
"""


class Pulse(msgspec.Struct, frozen=True):
    """How old things are, in seconds. `worker_age`: None when no worker has ever worked."""

    worker_age: float | None
    job_age: float
    event_age: float


class Figures(msgspec.Struct, frozen=True):
    """Counts, and one time in seconds; 0 is good in all of them."""

    failed_events: int
    unverified: int
    unverified_overdue: float
    approved_uncharged: int
    declined_charged: int
    webhook_timeouts: int
    default_approvals: int
    webhook_errors: int
    holds_near_lapse: int
    captured_unasked: int
    not_handled: int
    clearing_not_zero: int
    unmatched: int
    failed_jobs: int


async def read_pulse(connection: asyncpg.Connection, timeout_seconds: float) -> Pulse:
    """Read what has to be known within seconds. Raises what a database raises that is gone."""
    row = await connection.fetchrow(_PULSE, timeout=timeout_seconds)
    return Pulse(**dict(row))


async def read_figures(
    connection: asyncpg.Connection, now: datetime, timeout_seconds: float
) -> Figures:
    """Count what the alarms are about. `now` is the business clock's, as the rows' times are."""
    row = await connection.fetchrow(
        _FIGURES, now, UNFUNDED_AFTER, NEAR_LAPSE, UNBOOKED_AFTER, timeout=timeout_seconds
    )
    return Figures(**dict(row))


async def read_spent(connection: asyncpg.Connection, now: datetime, timeout_seconds: float) -> int:
    """Sum what was approved in the last day, in minor units of US dollars: the slowest to read."""
    found: int = await connection.fetchval(_SPENT, now, timeout=timeout_seconds)
    return found

"""What /metrics says of the whole product: read from the database and from the watch's memory."""

import math

from app.metrics import Reading
from app.readings import Figures, Pulse

# By field of `Figures`: the metric's name without its prefix, and what it means.
_FIGURES = {
    "failed_events": ("failed_events", "Events that failed at their last attempt"),
    "unverified": ("unverified_requests", "Requests whose outcome is not yet certain"),
    "unverified_overdue": (
        "unverified_overdue_seconds",
        "How long the oldest of them is past the time at which it should be certain",
    ),
    "approved_uncharged": (
        "approved_without_charge",
        "Open requests approved over 5 minutes ago with no live charge",
    ),
    "declined_charged": (
        "declined_with_charge",
        "Requests of the last hour, or still uncertain, declined 5 minutes ago with a live charge",
    ),
    "webhook_timeouts": (
        "stripe_webhook_timeouts_last_hour",
        "Requests of the last hour that Stripe says we answered too late",
    ),
    "default_approvals": (
        "stripe_default_approvals_last_hour",
        "Requests of the last hour that Stripe approved because we were late",
    ),
    "webhook_errors": (
        "stripe_webhook_errors_last_hour",
        "Requests of the last hour whose answer Stripe could not use",
    ),
    "holds_near_lapse": ("holds_near_lapse", "Holds of open purchases that lapse in 12 hours"),
    "captured_unasked": (
        "captured_unasked",
        "Charges that were taken though they should only be held",
    ),
    "not_handled": ("not_handled", "Purchases that settlement could not finish"),
    "clearing_not_zero": (
        "clearing_not_zero",
        "Purchases that ended an hour ago while 2000 or 2300 still has something for them",
    ),
    "unmatched": (
        "unmatched_balance_transactions",
        "Movements of our money at Stripe that no journal explains after an hour",
    ),
    "failed_jobs": ("failed_jobs", "Regular jobs whose last run failed"),
}


def pulse_readings(pulse: Pulse) -> list[Reading]:
    """Give how old things are. A worker that never worked has been silent for ever."""
    age = math.inf if pulse.worker_age is None else pulse.worker_age
    return [
        _reading("worker_heartbeat_age_seconds", "Since a worker last said that it works", age),
        _reading("queue_age_seconds", "How long the oldest due job has waited", pulse.job_age),
        _reading("inbox_age_seconds", "Age of the oldest waiting event", pulse.event_age),
    ]


def figure_readings(figures: Figures) -> list[Reading]:
    return [
        _reading(name, meaning, getattr(figures, field))
        for field, (name, meaning) in _FIGURES.items()
    ]


def answering(*, database: bool, stripe: bool) -> list[Reading]:
    return [
        _reading("database_answers", "1 while the database answers this server", database),
        _reading("stripe_answers", "1 while Stripe answers this server", stripe),
    ]


def money_readings(
    available_minor: int | None, spent_minor: int | None, cover_days: float
) -> list[Reading]:
    """Give both halves of the float, in minor units of US dollars, as far as they are known.

    And what to add so that it covers so many days like the last one.
    """
    known = available_minor is not None and spent_minor is not None
    wanted = math.ceil(spent_minor * cover_days) if spent_minor is not None else 0
    top_up = max(wanted - (available_minor or 0), 0) if known else None
    told = [
        ("issuing_available_minor", "What Issuing can spend, in US cents", available_minor),
        ("approved_last_day_minor", "Approved in the last day, in US cents", spent_minor),
        ("float_top_up_minor", "What to add to Issuing for FLOAT_COVER_DAYS, in US cents", top_up),
    ]
    return [_reading(name, meaning, minor) for name, meaning, minor in told if minor is not None]


def _reading(name: str, meaning: str, value: float) -> Reading:
    return Reading(f"proxycard_{name}", meaning, float(value))

"""Every job that runs again and again, with how often."""

from datetime import timedelta

from app.domain.funding.expiring import write_expiring
from app.domain.issuing.debt_stops import write_stops
from app.domain.issuing.matching import Matcher
from app.jobs.bookkeeping import FILL_GAPS, RETENTION, SWEEP_LISTS, Bookkeeping
from app.jobs.mail_jobs import forget
from app.jobs.regular import Regular
from app.jobs.staff_jobs import expire, seal_trail
from app.parts import Parts

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SOON = timedelta(minutes=5)
"""Where nothing has ever run, there is nothing to seal or to forget, and lists can wait."""


def regular_jobs(parts: Parts) -> list[Regular]:
    """Give the jobs of a worker."""
    books = Bookkeeping(parts)
    matcher = Matcher(parts.sessions, parts.balance_feed, parts.settler)

    async def match_balance() -> str:
        return f"{await matcher.follow()} new balance transactions"

    async def expiring_cards() -> str:
        return f"{await write_expiring(parts.sessions, parts.clock.now())} letters written"

    async def debt_stops() -> str:
        allowed = parts.settings.debt_allowed
        told = await write_stops(parts.sessions, allowed, parts.clock.now())
        return f"{told} letters written"

    return [
        Regular(
            "match_balance",
            timedelta(seconds=parts.settings.balance_every_seconds),
            match_balance,
        ),
        Regular("rollups", timedelta(minutes=1), books.rollups),
        Regular("sealing", SOON, books.sealing, first_after=SOON),
        Regular("audit_sealing", SOON, lambda: seal_trail(parts.sessions), first_after=SOON),
        Regular("expire_approvals", SOON, lambda: expire(parts.sessions), first_after=SOON),
        Regular(FILL_GAPS, HOUR, books.fill_event_gaps, first_after=SOON),
        Regular(SWEEP_LISTS, HOUR, books.sweep_lists, first_after=SOON),
        Regular("reconcile", DAY, books.reconcile, first_after=SOON),
        Regular(RETENTION, DAY, books.retention, first_after=SOON),
        Regular("forget", DAY, lambda: forget(parts.sessions), first_after=SOON),
        Regular("debt_stops", timedelta(minutes=1), debt_stops),
        Regular("expiring_cards", DAY, expiring_cards, first_after=SOON),
    ]

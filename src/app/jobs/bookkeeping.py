"""The jobs that keep the books and hold them against Stripe, each telling in words what it did."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from app.adapters.stripe_lists import StripeLists
from app.clock import real_time
from app.domain.issuing import profit_days, traffic
from app.domain.issuing.clearing import mark_amiss
from app.domain.issuing.differences import keep_run
from app.domain.issuing.list_sweep import ListSweep
from app.domain.issuing.reconciliation_facts import Difference
from app.domain.issuing.reconciling import Reconciler
from app.domain.ledger.rollups import follow
from app.domain.ledger.sealing import JOURNALS
from app.jobs.gaps import DELIVERIES_MAY_TAKE, STRIPE_KEEPS, fill_gaps
from app.jobs.handlers import handlers
from app.jobs.looking import look_since
from app.jobs.retention import retain
from app.parts import Parts

FILL_GAPS, SWEEP_LISTS, RETENTION = "fill_event_gaps", "sweep_lists", "retention"
RECONCILED = timedelta(days=32)
"""As long as an authorization can be open, and what belongs to it can still change."""
LISTS_BACK = timedelta(days=32)
EVER = timedelta(days=3650)
FIRST_OF_KIND = 3


class DifferencesFound(RuntimeError):
    """The books and Stripe do not agree: the job is shown as failed, with what differs."""


class Bookkeeping(msgspec.Struct, frozen=True):
    """Each of its methods is a job of the catalogue."""

    parts: Parts

    async def rollups(self) -> str:
        zone = zone_of(self.parts)
        until = await follow(self.parts.sessions, zone)
        await profit_days.follow(self.parts.sessions, zone)
        await traffic.keep(self.parts.sessions)
        await mark_amiss(self.parts.sessions)
        return f"sums are as of transaction {until}"

    async def sealing(self) -> str:
        done = await JOURNALS.seal(self.parts.sessions)
        return f"{done.rows} journals sealed, the last hash is {done.last_hash}"

    async def fill_event_gaps(self) -> str:
        parts = self.parts
        records = StripeLists(parts.stripe.other)
        types = sorted(handlers(parts))

        async def fill(since: datetime) -> int:
            livemode = parts.settings.livemode
            return await fill_gaps(parts.sessions, records, types, since, livemode=livemode)

        stored = await look_since(
            *(parts.sessions, FILL_GAPS, parts.clock.now(), fill),
            overlap=DELIVERIES_MAY_TAKE,
            at_most=STRIPE_KEEPS,
        )
        return f"{stored} events that never came are fetched"

    async def sweep_lists(self) -> str:
        parts = self.parts
        wait = timedelta(seconds=parts.settings.repair_wait_seconds)
        records = StripeLists(parts.stripe.other)
        sweep = ListSweep(parts.sessions, records, parts.settler, parts.clock, wait=wait)
        done = await look_since(
            *(parts.sessions, SWEEP_LISTS, parts.clock.now(), sweep.sweep),
            overlap=DELIVERIES_MAY_TAKE,
            at_most=LISTS_BACK,
        )
        return done.in_words

    async def reconcile(self) -> str:
        since = self.parts.clock.now() - RECONCILED
        began = real_time()
        found = await reconciler(self.parts).run(since, lambda _: None)
        run = await keep_run(
            self.parts.sessions,
            found,
            since=since,
            began=began,
            ended=real_time(),
            begun_by="the daily job",
        )
        if run.unresolved:
            raise DifferencesFound(summary(found))
        return f"no difference since {since:%Y-%m-%d}"

    async def retention(self) -> str:
        now, sessions = real_time(), self.parts.sessions

        async def work(since: datetime) -> str:
            return await retain(sessions, since, now)

        return await look_since(
            *(sessions, RETENTION, now, work), overlap=timedelta(days=1), at_most=EVER
        )


def zone_of(parts: Parts) -> ZoneInfo:
    return ZoneInfo(parts.settings.business_timezone)


def reconciler(parts: Parts) -> Reconciler:
    return Reconciler(
        parts.sessions,
        StripeLists(parts.stripe.other),
        parts.network,
        parts.balance_feed,
        lambda: follow(parts.sessions, zone_of(parts)),
    )


def summary(found: Sequence[Difference]) -> str:
    """Say how many differences there are, and name the first ones."""
    named = ", ".join(f"{one.kind} {one.name}" for one in found[:FIRST_OF_KIND])
    return f"{len(found)} differences: {named}; see `proxycard reconcile`"

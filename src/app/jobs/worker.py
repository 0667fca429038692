"""The worker: takes jobs from the queue, and looks regularly at what must not wait for an event.

It outlives its database: when the connections are lost it says so, and begins anew until they are
there again. Beside the work it says that it works, for the back office and the alarms to see.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import structlog
from pgqueuer.core.applications import PgQueuer
from pgqueuer.domain.models import Job

from app.config import Settings
from app.domain.issuing.mirroring import requeue_orders
from app.domain.mailing.outbox import requeue_letters
from app.heartbeat import BEAT_EVERY_SECONDS, WORKER, beat
from app.jobs.catalogue import regular_jobs
from app.jobs.handlers import handlers
from app.jobs.linking_jobs import add_linking_jobs
from app.jobs.listening import ListensFirst
from app.jobs.mail_jobs import add_mail_jobs
from app.jobs.regular import keep_regular
from app.jobs.stripe_jobs import add_stripe_jobs
from app.jobs.sweep import sweep
from app.parts import Parts, open_parts
from app.spans import Span, Spans, open_spans
from app.webhooks.inbox import PROCESS_EVENT, Inbox
from app.webhooks.stranded import requeue_stranded

log = structlog.get_logger()

TAKE_AT_ONCE = 4
AT_ONCE = 8
"""Jobs of one worker. A limit for all workers together would make the second one worth nothing."""
TAKE_OVER_AFTER = timedelta(seconds=10)
"""A job whose worker has been silent for so long is begun anew by another."""
SWEEP_EVERY_SECONDS = 1.0
STATEMENT_WITHIN_SECONDS = 30
"""A database whose machine is gone says nothing at all: better to connect again than to wait."""
CLOSE_WITHIN_SECONDS = 5
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0
LONG_ENOUGH_SECONDS = 30
NOT_THERE_YET = (
    *(OSError, asyncpg.PostgresConnectionError),
    *(asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError),
)
"""How a database says that it is not up; a wrong name or password says something else."""


class ProcessEvent(msgspec.Struct, frozen=True):
    event: str


async def work(settings: Settings, stop: asyncio.Event) -> None:
    """Work until told to stop; what is running then is finished first.

    Raises what is wrong with the settings of the database. One that does not answer is waited for.
    """
    pause, has_worked = FIRST_PAUSE_SECONDS, False
    spans = open_spans(settings.otel_exporter_otlp_endpoint, "proxycard-worker")
    async with open_parts(settings) as parts:
        while not stop.is_set():
            began = time.monotonic()
            try:
                async with _queue_connections(settings.database_url) as pool:
                    has_worked = True
                    await _work_until_lost(parts, queue_of(parts, pool, spans), stop)
            except Exception as error:
                if not has_worked and not isinstance(error, NOT_THERE_YET):
                    raise
                log.exception("worker_interrupted")
            if time.monotonic() - began > LONG_ENOUGH_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            await _is_set_within(stop, pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
    if spans:
        await asyncio.to_thread(spans.close)


@asynccontextmanager
async def _queue_connections(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    pool = await asyncpg.create_pool(
        database_url, min_size=2, max_size=6, command_timeout=STATEMENT_WITHIN_SECONDS
    )
    try:
        yield pool
    finally:
        try:
            async with asyncio.timeout(CLOSE_WITHIN_SECONDS):
                await pool.close()
        except (asyncpg.InterfaceError, *NOT_THERE_YET):
            pool.terminate()


async def _work_until_lost(parts: Parts, queue: PgQueuer, stop: asyncio.Event) -> None:
    """Work until told to stop. Raises what the queue raises when its connections are lost."""
    ended = asyncio.Event()
    running = asyncio.create_task(
        queue.run(
            batch_size=TAKE_AT_ONCE,
            max_concurrent_tasks=AT_ONCE,
            heartbeat_timeout=TAKE_OVER_AFTER,
            dequeue_timeout=timedelta(seconds=5),
            shutdown_on_listener_failure=True,
        )
    )
    beside = [
        asyncio.create_task(keep_sweeping(parts, ended)),
        asyncio.create_task(keep_regular(parts.sessions, regular_jobs(parts), ended)),
        asyncio.create_task(_keep_beating(parts, ended)),
    ]
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
        queue.shutdown.set()
        ended.set()
        await asyncio.gather(running, *beside)
    finally:
        ended.set()
        stopping.cancel()
        await asyncio.gather(*beside, return_exceptions=True)


def queue_of(parts: Parts, pool: asyncpg.Pool, spans: Spans | None) -> PgQueuer:
    """Name the jobs. A job whose handling fails keeps its own count, so none is lost here."""
    queue = PgQueuer(ListensFirst(pool))
    inbox = Inbox(parts.sessions, handlers(parts))

    @queue.entrypoint(PROCESS_EVENT, on_failure="hold")
    async def process_event(job: Job) -> None:
        assert job.payload is not None
        event, began = msgspec.json.decode(job.payload, type=ProcessEvent).event, time.monotonic()
        try:
            await inbox.process(event)
        finally:
            if spans:
                seconds = time.monotonic() - began
                spans.add(Span(PROCESS_EVENT, seconds, {"proxycard.stripe_event": event}))

    add_mail_jobs(queue, parts)
    add_linking_jobs(queue, parts)
    add_stripe_jobs(queue, parts)
    return queue


async def keep_sweeping(parts: Parts, ended: asyncio.Event) -> None:
    """Every second, queue what lost its job, and settle what no event has settled."""
    while not ended.is_set():
        try:
            await requeue_stranded(parts.sessions, datetime.now(UTC))
            await requeue_letters(parts.sessions, datetime.now(UTC))
            await requeue_orders(parts.sessions, datetime.now(UTC))
            await sweep(
                parts.sessions,
                parts.settler,
                now=parts.clock.now(),
                real_now=datetime.now(UTC),
            )
        except Exception:
            log.exception("sweep_failed")
        await _is_set_within(ended, SWEEP_EVERY_SECONDS)


async def _keep_beating(parts: Parts, ended: asyncio.Event) -> None:
    """Say every two seconds that this worker takes jobs. A beat that fails is as good as none."""
    while not ended.is_set():
        began = time.monotonic()
        try:
            async with asyncio.timeout(BEAT_EVERY_SECONDS):
                await beat(parts.sessions, WORKER)
        except Exception as error:  # noqa: BLE001  whatever it is, it shows as silence
            log.warning("heartbeat_failed", error=type(error).__name__)
        await _is_set_within(ended, began + BEAT_EVERY_SECONDS - time.monotonic())


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(max(seconds, 0)):
            return await event.wait()
    except TimeoutError:
        return False


def run_worker(settings: Settings) -> None:
    """Run a worker in this process until SIGTERM or Ctrl-C."""

    async def until_signal() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stop.set)
        log.info("worker_started")
        await work(settings, stop)

    asyncio.run(until_signal())

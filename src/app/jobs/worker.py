"""The worker: takes jobs from the queue, and looks regularly at what must not wait for an event."""

import asyncio
import signal
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import structlog
from pgqueuer.core.applications import PgQueuer
from pgqueuer.domain.models import Job

from app.config import Settings
from app.domain.issuing.unlinked import UnlinkedTransactions
from app.jobs.handlers import handlers
from app.jobs.sweep import sweep_unverified
from app.parts import Parts, open_parts
from app.webhooks.inbox import PROCESS_EVENT, Inbox

log = structlog.get_logger()

EVENTS_AT_ONCE = 8
SWEEP_EVERY_SECONDS = 1.0
TAKE_AT_ONCE = 10


class ProcessEvent(msgspec.Struct, frozen=True):
    event: str


async def work(settings: Settings, stop: asyncio.Event) -> None:
    """Work until told to stop; what is running then is finished first."""
    async with open_parts(settings) as parts:
        pool = await asyncpg.create_pool(settings.database_url, min_size=2, max_size=6)
        async with pool:
            queue = queue_of(parts, pool)
            sweeping = asyncio.create_task(keep_sweeping(parts, stop))
            running = asyncio.create_task(
                queue.run(batch_size=TAKE_AT_ONCE, dequeue_timeout=timedelta(seconds=5))
            )
            stopping = asyncio.create_task(stop.wait())
            try:
                await asyncio.wait(
                    [running, sweeping, stopping], return_when=asyncio.FIRST_COMPLETED
                )
                queue.shutdown.set()
                stop.set()
                await asyncio.gather(running, sweeping)
            finally:
                stopping.cancel()


def queue_of(parts: Parts, pool: asyncpg.Pool) -> PgQueuer:
    """Name the jobs. A job whose handling fails keeps its own count, so none is lost here."""
    queue = PgQueuer.from_asyncpg_pool(pool)
    unlinked = UnlinkedTransactions(parts.sessions)
    inbox = Inbox(parts.sessions, handlers(parts.settler, unlinked))

    @queue.entrypoint(PROCESS_EVENT, concurrency_limit=EVENTS_AT_ONCE, on_failure="hold")
    async def process_event(job: Job) -> None:
        assert job.payload is not None
        await inbox.process(msgspec.json.decode(job.payload, type=ProcessEvent).event)

    return queue


async def keep_sweeping(parts: Parts, stop: asyncio.Event) -> None:
    """Settle, every second, what no event has settled in time."""
    while not stop.is_set():
        try:
            await sweep_unverified(parts.sessions, parts.settler, datetime.now(UTC))
        except Exception:
            log.exception("sweep_failed")
        try:
            await asyncio.wait_for(stop.wait(), SWEEP_EVERY_SECONDS)
        except TimeoutError:
            continue


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

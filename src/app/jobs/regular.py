"""Runs jobs at their times, each on one worker at a time, and keeps how they went."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import msgspec
import structlog
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db import Sessions
from app.errors import AppError
from app.regular_job import RegularJob

log = structlog.get_logger()

LOOK_EVERY_SECONDS = 0.5
FINISH_WITHIN_SECONDS = 10.0
LONGEST_OUTCOME = 300


class UnknownJob(AppError, status=404):
    """No job has this name."""


class Regular(msgspec.Struct, frozen=True):
    """A job, how often it runs, and what it does: it gives what it has done, in words.

    `first_after`: how long it waits where it has never run.
    """

    name: str
    every: timedelta
    run: Callable[[], Awaitable[str]]
    first_after: timedelta = timedelta(0)


async def keep_regular(sessions: Sessions, jobs: Sequence[Regular], ended: asyncio.Event) -> None:
    """Run what is due until told to end. A job that fails runs again at its next time.

    Jobs run beside each other, so that one that takes an hour keeps none waiting.
    """
    running: dict[str, asyncio.Task[str]] = {}
    while not ended.is_set():
        try:
            waiting = await _not_due(sessions)
            for job in jobs:
                idle = job.name not in running or running[job.name].done()
                if idle and job.name not in waiting and await _is_mine(sessions, job):
                    running[job.name] = asyncio.create_task(_run_quietly(sessions, job))
        except Exception:
            log.exception("regular_jobs_interrupted")
        try:
            async with asyncio.timeout(LOOK_EVERY_SECONDS):
                await ended.wait()
        except TimeoutError:
            continue
    await _finish(list(running.values()))


async def _run_quietly(sessions: Sessions, job: Regular) -> str:
    try:
        return await run_job(sessions, job)
    except Exception as error:
        log.exception("regular_job_not_noted", job=job.name)
        return str(error)


async def _finish(running: Sequence[asyncio.Task[str]]) -> None:
    """Let jobs that run come to their end, if that is soon; what is cut off is done next time."""
    if not running:
        return
    _, late = await asyncio.wait(running, timeout=FINISH_WITHIN_SECONDS)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)


async def run_named(sessions: Sessions, jobs: Sequence[Regular], name: str) -> str:
    """Run a job now, whenever it is due; give what it did. Raises UnknownJob, or what it raises."""
    for job in jobs:
        if job.name == name:
            await _is_mine(sessions, job)
            return await run_job(sessions, job, reraise=True)
    raise UnknownJob(f"no job is called {name}; there are {', '.join(one.name for one in jobs)}")


async def run_job(sessions: Sessions, job: Regular, *, reraise: bool = False) -> str:
    """Run a job and write down how it went."""
    await _note(sessions, job.name, began_at=func.clock_timestamp())
    try:
        outcome, failure = await job.run(), None
    except Exception as error:
        log.exception("regular_job_failed", job=job.name)
        outcome, failure = f"{type(error).__name__}: {error}", error
    await _note(
        sessions,
        job.name,
        ended_at=func.clock_timestamp(),
        outcome=outcome[:LONGEST_OUTCOME],
        failed=failure is not None,
    )
    if failure is not None and reraise:
        raise failure
    return outcome


async def _not_due(sessions: Sessions) -> set[str]:
    """Give the jobs whose time has not come, by the database's clock."""
    async with sessions() as session:
        found = await session.scalars(
            select(RegularJob.name).where(RegularJob.next_at > func.now())
        )
        return set(found)


async def _is_mine(sessions: Sessions, job: Regular) -> bool:
    """Take a job that is due, by the database's clock, so that nobody else takes it."""
    next_at = func.now() + job.every
    first = insert(RegularJob).values(
        name=job.name, next_at=func.now() + job.first_after, failed=False
    )
    statement = (
        insert(RegularJob)
        .values(name=job.name, next_at=next_at, failed=False)
        .on_conflict_do_update(
            index_elements=["name"],
            set_={"next_at": next_at},
            where=RegularJob.next_at <= func.now(),
        )
        .returning(RegularJob.name)
    )
    async with sessions.begin() as session:
        if job.first_after:
            await session.execute(first.on_conflict_do_nothing())
        return await session.scalar(statement) is not None


async def _note(sessions: Sessions, name: str, **values: object) -> None:
    async with sessions.begin() as session:
        await session.execute(update(RegularJob).where(RegularJob.name == name).values(**values))

"""Regular jobs: each at its time, on one worker, beside each other, and seen afterwards."""

import asyncio
from datetime import timedelta
from typing import Any

from app.db import create_engine, create_sessions
from app.jobs.regular import Regular, keep_regular
from tests.postgres import PostgresServer
from tests.waiting import until

OFTEN = timedelta(milliseconds=10)


async def test_one_that_takes_long_keeps_no_other_waiting(
    postgres_server: PostgresServer, database: str
) -> None:
    engine = create_engine(postgres_server.app_url(database))
    sessions, ended = create_sessions(engine), asyncio.Event()
    may_end, runs = asyncio.Event(), {"long": 0, "short": 0, "later": 0, "broken": 0}

    async def long() -> str:
        runs["long"] += 1
        await may_end.wait()
        return "done at last"

    async def short() -> str:
        runs["short"] += 1
        return "done"

    async def later() -> str:
        runs["later"] += 1
        return "done"

    async def broken() -> str:
        runs["broken"] += 1
        raise ValueError("no luck")

    jobs = [
        Regular("long", OFTEN, long),
        Regular("short", OFTEN, short),
        Regular("later", OFTEN, later, first_after=timedelta(hours=1)),
        Regular("broken", OFTEN, broken),
    ]
    keeping = [asyncio.create_task(keep_regular(sessions, jobs, ended)) for _ in range(2)]
    await until(lambda: runs["short"] > 2 and runs["broken"] > 2, why="the others go on")
    assert runs["long"] <= 2, "one on each worker at most"
    assert runs["later"] == 0
    may_end.set()
    ended.set()
    await asyncio.gather(*keeping)
    async with sessions() as session:
        connection = await session.connection()
        rows = await connection.exec_driver_sql(
            "SELECT name, outcome, failed FROM regular_job ORDER BY name"
        )
        told: dict[str, tuple[Any, ...]] = {row[0]: tuple(row[1:]) for row in rows}
    await engine.dispose()
    assert told == {
        "broken": ("ValueError: no luck", True),
        "later": (None, False),
        "long": ("done at last", False),
        "short": ("done", False),
    }

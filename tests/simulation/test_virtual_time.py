"""Time jumps when nothing happens, and stands still while PostgreSQL is at work."""

import asyncio
import time

import asyncpg
import pytest

from tests.postgres import PostgresServer
from tests.simulation.virtual_time import BEGINNING, run_in_virtual_time, virtual_loop


def test_an_hour_passes_at_once() -> None:
    async def an_hour() -> float:
        await asyncio.sleep(3600)
        return (virtual_loop().wall() - BEGINNING).total_seconds()

    started = time.monotonic()

    assert run_in_virtual_time(an_hour()) == pytest.approx(3600)
    assert time.monotonic() - started < 60


def test_no_time_passes_while_a_statement_runs(postgres_server: PostgresServer) -> None:
    async def ask() -> float:
        connection = await asyncpg.connect(postgres_server.app_url("postgres"))
        async with asyncio.timeout(0.01):
            await connection.fetchval("SELECT 1 FROM pg_sleep(0.1)")
        await connection.close()
        return virtual_loop().time()

    assert run_in_virtual_time(ask()) == 0

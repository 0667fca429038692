"""The doctor finds each thing that is wrong in the product, and nothing in one that is well."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from app.config import Settings
from app.doctor.command import examine
from app.doctor.findings import Level
from app.queue import enqueue
from app.webhooks.inbox import PROCESS_EVENT
from tests.crashes.processes import environment
from tests.integration.test_cli import run
from tests.postgres import PostgresServer
from tests.product import Product
from tests.situations import holder, pay
from tests.waiting import until

WELL = {"STRIPE_PUBLISHABLE_KEY": "pk_test_product"}
OLD_EVENT = """
INSERT INTO inbound_event (id, created_at, stripe_event_id, type, occurred_at, payload, state,
                           attempts)
VALUES (gen_random_uuid(), now() - interval '10 minutes', 'evt_old', 'issuing_card.updated', now(),
        '{}', 'received', 0)
"""
FAILED_EVENT = OLD_EVENT.replace("received", "failed")
LONG_AGO = "UPDATE authorization_request SET requested_at = requested_at - interval '10 minutes'"
UNCHARGED = """
UPDATE authorization_request SET requested_at = requested_at - interval '10 minutes';
UPDATE charge SET state = 'canceled'
"""
CHARGED = f"{LONG_AGO}, stripe_approved = false"


async def levels(settings: Settings) -> dict[str, Level]:
    return {finding.check: finding.level for finding in await examine(settings)}


async def bad(settings: Settings) -> dict[str, Level]:
    """Give what is not as it should be. No answer of ours is normal before the first purchase."""
    found = await levels(settings)
    return {check: level for check, level in found.items() if level is not Level.OK}


async def used(product: Product) -> None:
    assert (await pay(product, (await holder(product)).card, 1999))["approved"] is True
    await product.settled()
    rows = "SELECT 1 FROM heartbeat"
    await until(lambda: _has(product, rows), why="the worker has said that it works")


async def _has(product: Product, statement: str) -> bool:
    return bool(await product.rows(statement))


@pytest.mark.parametrize("product_settings", [WELL])
class TestAProductThatIsWell:
    async def test_has_nothing_to_be_found(self, product: Product) -> None:
        await used(product)
        assert await bad(product.settings) == {}
        assert len(await levels(product.settings)) == 17

    async def test_is_told_in_a_table_and_as_json(self, product: Product, tmp_path: Path) -> None:
        await used(product)
        given = environment(product.settings)
        (code, said, _), (json_code, told, _) = await asyncio.gather(
            run(tmp_path, "doctor", **given), run(tmp_path, "doctor", "--json", **given)
        )
        assert (code, json_code) == (0, 0)
        assert "ok    secret key          works, in test mode" in said
        assert product.settings.stripe_secret_key not in said + told
        assert {each["level"] for each in json.loads(told)} == {"ok"}

    @pytest.mark.parametrize(
        ("change", "check", "level"),
        [
            (OLD_EVENT, "queue", Level.WARN),
            (FAILED_EVENT, "failed events", Level.WARN),
            (UNCHARGED, "charges", Level.FAIL),
            (CHARGED, "charges", Level.FAIL),
        ],
        ids=["old event", "failed event", "uncharged", "charged"],
    )
    async def test_that_then_falls_ill_is_found(
        self, product: Product, change: str, check: str, level: Level
    ) -> None:
        await used(product)
        # The worker must not come to it before the doctor: an event with a job is left to its job.
        async with product.parts.sessions.begin() as session:
            later = timedelta(hours=1)
            await enqueue(session, PROCESS_EVENT, {"event": "evt_old"}, key="evt_old", delay=later)
        await product.as_owner(change)
        assert await bad(product.settings) == {check: level}


class TestWithoutAWorker:
    """The settings name a database that no worker works on."""

    @pytest.fixture
    def idle(self, product: Product, postgres_server: PostgresServer, template: str) -> Settings:
        name = postgres_server.clone(template)
        url, owner = postgres_server.app_url(name), postgres_server.owner_url(name)
        return msgspec.structs.replace(
            product.settings, database_url=url, database_owner_url=owner, **_lowered(WELL)
        )

    async def test_it_is_found_silent(
        self, product: Product, idle: Settings, tmp_path: Path
    ) -> None:
        await used(product)
        assert await bad(idle) == {"worker": Level.FAIL}
        code, said, _ = await run(tmp_path, "doctor", **environment(idle))
        assert code == 1
        assert "fail  worker" in said
        assert "Start `proxycard worker`" in said


@pytest.mark.parametrize("product_settings", [WELL])
class TestADatabase:
    async def test_without_migrations_is_found(
        self, product: Product, postgres_server: PostgresServer
    ) -> None:
        await used(product)
        url = postgres_server.app_url(postgres_server.create())
        empty = msgspec.structs.replace(product.settings, database_url=url)
        assert await bad(empty) == {"migrations": Level.FAIL}

    async def test_that_does_not_answer_keeps_nothing_else_from_being_looked_at(
        self, product: Product
    ) -> None:
        await used(product)
        url = "postgresql://nobody@127.0.0.1:1/none"
        gone = msgspec.structs.replace(product.settings, database_url=url)
        found = await levels(gone)
        assert found.pop("database") is Level.FAIL
        assert set(found.values()) == {Level.OK}
        assert len(found) == 11


def _lowered(given: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in given.items()}

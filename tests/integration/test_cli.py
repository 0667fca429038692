"""The `proxycard` command, as a person types it."""

import asyncio
import os
import socket
import sys
from pathlib import Path

import pytest

from tests.postgres import PostgresServer

COMMAND = Path(sys.executable).with_name("proxycard")
SECRETS = {
    "STRIPE_SECRET_KEY": "sk_test_cli",
    "STRIPE_AUTHORIZATION_WEBHOOK_SECRET": "whsec_aaaaaaaaaaaa",
    "STRIPE_EVENTS_WEBHOOK_SECRET": "whsec_bbbbbbbbbbbb",
    "SECRET_KEY": "k" * 32,
}


async def run(folder: Path, *words: str, **settings: str) -> tuple[int, str, str]:
    """Run the command in a folder; give its exit code, its output and what it complained of."""
    process = await asyncio.create_subprocess_exec(
        str(COMMAND),
        *words,
        cwd=folder,
        env={"PATH": os.environ["PATH"], **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode(), complained.decode()


@pytest.fixture
def settings(postgres_server: PostgresServer, database: str) -> dict[str, str]:
    url, owner = postgres_server.app_url(database), postgres_server.owner_url(database)
    return SECRETS | {"DATABASE_URL": url, "DATABASE_OWNER_URL": owner}


class TestCommand:
    async def test_says_what_it_can_do(self, tmp_path: Path) -> None:
        code, said, _ = await run(tmp_path, "--help")

        assert code == 0
        assert all(word in said for word in ("serve", "worker", "db"))

    @pytest.mark.parametrize(
        ("change", "named"),
        [
            ({"STRIPE_SECRET_KEY": ""}, "STRIPE_SECRET_KEY"),
            ({"SECRET_KEY": "short"}, "SECRET_KEY"),
            ({"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, "DATABASE_URL"),
        ],
    )
    async def test_refuses_a_wrong_setting_in_one_sentence(
        self, tmp_path: Path, settings: dict[str, str], change: dict[str, str], named: str
    ) -> None:
        code, said, complained = await run(tmp_path, "db", "check", **(settings | change))

        assert (code, said) == (2, "")
        assert named in complained
        assert len(complained.splitlines()) == 1

    async def test_refuses_a_word_it_does_not_know(self, tmp_path: Path) -> None:
        code, _, complained = await run(tmp_path, "fly")

        assert code == 2
        assert len(complained.splitlines()) == 1

    async def test_refuses_a_port_in_use(self, tmp_path: Path, settings: dict[str, str]) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            code, _, complained = await run(tmp_path, "serve", **settings, PORT=port)

        assert code == 2
        assert f"PORT {port}" in complained
        assert len(complained.splitlines()) == 1

    async def test_finds_a_migrated_database_as_it_should_be(
        self, tmp_path: Path, settings: dict[str, str]
    ) -> None:
        assert (await run(tmp_path, "db", "check", **settings))[0] == 0

    async def test_says_what_a_database_without_migrations_wants(
        self, tmp_path: Path, settings: dict[str, str], postgres_server: PostgresServer
    ) -> None:
        name = postgres_server.create()
        empty = {
            "DATABASE_URL": postgres_server.app_url(name),
            "DATABASE_OWNER_URL": postgres_server.owner_url(name),
        }

        code, _, complained = await run(tmp_path, "db", "check", **(settings | empty))
        assert code == 1
        assert "proxycard db upgrade" in complained

        assert (await run(tmp_path, "db", "upgrade", **(settings | empty)))[0] == 0
        assert (await run(tmp_path, "db", "check", **(settings | empty)))[0] == 0
        postgres_server.drop(name)

"""The test suite's own PostgreSQL server: one for each run, in a folder that goes with it."""

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from local_stack.postgres import APPLICATION, DATABASE, OWNER, Cluster, running


@dataclass(frozen=True)
class PostgresServer:
    """Makes databases, and names them as either role reaches them.

    Statements run through psql, so that a test may ask for a database inside an event loop or
    outside of one.
    """

    cluster: Cluster
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def app_url(self, database: str = DATABASE) -> str:
        """Return where the application's role signs in, as `postgresql://…`."""
        return self.cluster.url(APPLICATION, database)

    def owner_url(self, database: str = DATABASE) -> str:
        """Return where the role that owns the schema signs in, as `postgresql://…`."""
        return self.cluster.url(OWNER, database)

    def create(self) -> str:
        """Make an empty database of the owner's and return its name."""
        return self._create("template0", "WAL_LOG")

    def clone(self, template: str) -> str:
        """Copy a database that nobody is connected to, in about 85 ms; return the copy's name."""
        # The strategy copies files, where the default one logs every block of a large template.
        return self._create(template, "FILE_COPY")

    def drop(self, database: str) -> None:
        """Delete a database, whoever is still connected to it."""
        self.cluster.psql(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def _create(self, template: str, strategy: str) -> str:
        name = f"test_{next(self._numbers)}"
        self.cluster.psql(
            f'CREATE DATABASE "{name}" OWNER {OWNER} TEMPLATE "{template}" STRATEGY {strategy}'
        )
        return name


@contextmanager
def ephemeral_server() -> Iterator[PostgresServer]:
    """Run a server in a folder that goes with it."""
    with tempfile.TemporaryDirectory(prefix="proxycard-tests-") as folder:
        cluster = Cluster(Path(folder) / "postgres", Path(folder) / "postgres.log", ephemeral=True)
        with running(cluster):
            yield PostgresServer(cluster)
        cluster.forget()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    with ephemeral_server() as server:
        yield server

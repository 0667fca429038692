"""What every test can ask for: a server, a migrated database of its own, the whole product."""

import gc
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import settings

from app import schema
from app.logs import configure_logs
from tests.conformance.plugin import conformance, conforms
from tests.conformance.published import document
from tests.conformance.recorder import Recorder
from tests.databases import KEEP_SEEDS, Databases
from tests.known_types import remember_types
from tests.postgres import PostgresServer, postgres_server
from tests.product import Product, running_product

__all__ = ["conformance", "conforms", "postgres_server"]


# On a machine on which others work as well, an example takes as long as it takes.
settings.register_profile("unhurried", settings.default, deadline=None)
settings.load_profile("unhurried")

HURRIED = ("tests/faults", "tests/crashes", "tests/outages")
PATIENCE = "8"
"""Only what is about the two seconds of a decision is held to them on a busy machine."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is about time as a whole folder."""
    for item in items:
        if item.nodeid.startswith(HURRIED):
            item.add_marker("hurried")


def pytest_collection_finish() -> None:
    """Have the garbage collector leave alone what stays until the end, and look less often.

    All of the product, its tests and Stripe's schema are in each process: walking through that
    again and again took a twelfth of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True, scope="session")
def stripe_s_schema_is_read() -> None:
    """Read it before anything has to be in time: the first time it takes seconds."""
    document()


@pytest.fixture(autouse=True, scope="session")
def types_are_remembered() -> None:
    """Save what is asked of each connection: a fifth of the time of all that uses a database."""
    remember_types()


@pytest.fixture(autouse=True, scope="session")
def logs_as_in_production() -> None:
    """Name an exception in one line: a drawn traceback holds the event loop up for seconds."""
    configure_logs()


@pytest.fixture(scope="session")
def template(postgres_server: PostgresServer) -> str:
    """Give the name of a migrated database that nobody uses, to be copied."""
    name = postgres_server.create()
    schema.upgrade(postgres_server.owner_url(name), postgres_server.app_url(name))
    postgres_server.cluster.psql(KEEP_SEEDS, name)
    return name


@pytest.fixture(scope="session")
def databases(postgres_server: PostgresServer, template: str) -> Databases:
    return Databases(postgres_server, template)


@pytest.fixture
def database(databases: Databases) -> Iterator[str]:
    """Give the name of a database that is as the migrations left it."""
    with databases.one() as name:
        yield name


@pytest.fixture
def product_settings() -> dict[str, str]:
    """Settings that differ for a test; override it by parametrizing."""
    return {}


@pytest.fixture
async def product(
    request: pytest.FixtureRequest,
    postgres_server: PostgresServer,
    database: str,
    product_settings: dict[str, str],
) -> AsyncIterator[Product]:
    """Give the running product. The test fails if anything it asked of Stripe is not Stripe's."""
    url, owner = postgres_server.app_url(database), postgres_server.owner_url(database)
    strict = Recorder(strict_requests=True)
    hurried = request.node.get_closest_marker("hurried") is not None
    given = dict(product_settings)
    if not hurried and "STRIPE_API_BASE" not in given:
        given["DECISION_PATIENCE"] = PATIENCE
    async with running_product(url, owner, strict, None, None, **given) as running:
        yield running
    assert strict.take() == [], "not as Stripe publishes it"

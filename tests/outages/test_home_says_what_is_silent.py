"""A stopped part: the home says so within ten seconds, and all goes on when the part is back."""

import re
import signal
import sys
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.outages.machine import OWNER_EMAIL, Machine, running_machine, used
from tests.product import Product
from tests.serving import http_client
from tests.situations import holder, pay
from tests.waiting import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for children in /proc")

SAYS_SO_WITHIN_SECONDS = 10
GOES_ON_WITHIN_SECONDS = 40
LOOKS_AGAIN_SECONDS = 2
"""How much later than the process an open page learns it: see static/status.js."""


@pytest.fixture(scope="module")
async def machine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Machine]:
    async with running_machine(tmp_path_factory.mktemp("machine")) as running:
        yield running


@pytest.fixture(scope="module")
async def product(machine: Machine) -> AsyncIterator[Product]:
    """Give the product with a member of staff signed in, and nothing wrong."""
    async with used(machine) as product:
        response = await product.web.post("/admin/login/demo", data={"email": OWNER_EMAIL})
        assert response.status_code == 303, response.text
        yield product


async def troubles(web: httpx.AsyncClient) -> set[str]:
    """Ask as the open home does; a page that does not come in time says nothing."""
    try:
        page = await web.get("/admin/status")
    except httpx.TimeoutException:
        return set()
    assert page.status_code in {200, 503}, page.text
    return set(re.findall(r'data-trouble="([a-z_]+)"', page.text))


async def says(product: Product, trouble: str) -> float:
    """Wait until the strip tells of a trouble; give how many seconds that took."""
    began = time.monotonic()

    async def told() -> bool:
        return trouble in await troubles(product.web)

    limit = SAYS_SO_WITHIN_SECONDS - LOOKS_AGAIN_SECONDS
    await until(told, seconds=limit, why=f"the home says {trouble}")
    return time.monotonic() - began


async def goes_on(product: Product) -> None:
    """Wait until nothing is wrong, and see that a purchase is approved and settled again."""

    async def quiet() -> bool:
        return await troubles(product.web) == set()

    await until(quiet, seconds=GOES_ON_WITHIN_SECONDS, why="nothing is wrong any more")
    name = f"p{time.monotonic_ns()}@example.com"
    bought = await pay(product, (await holder(product, email=name)).card, 1999)
    assert bought["approved"] is True
    await product.settled(seconds=GOES_ON_WITHIN_SECONDS)


async def test_a_killed_worker_is_told_until_another_works(
    machine: Machine, product: Product
) -> None:
    await goes_on(product)
    machine.send("worker", signal.SIGKILL)
    await says(product, "worker")
    page = await product.web.get("/admin/")
    assert "The worker is silent since" in page.text
    assert "Start proxycard worker" in page.text

    machine.start_worker()
    await goes_on(product)


@pytest.mark.long  # the browser test stops Stripe as well
async def test_a_silent_stripe_is_told_until_it_answers(machine: Machine, product: Product) -> None:
    await goes_on(product)
    machine.send("stripe", signal.SIGSTOP)
    await says(product, "stripe")
    page = await product.web.get("/admin/")
    assert "Stripe does not answer since" in page.text

    machine.send("stripe", signal.SIGCONT)
    await goes_on(product)


class TestWithoutADatabase:
    async def test_a_stopped_one_is_told_without_any_data(
        self, machine: Machine, product: Product
    ) -> None:
        await goes_on(product)
        machine.cluster.stop()
        await says(product, "database")
        await self.is_told_to_strangers_and_staff_alike(product)

        machine.start_database()
        await goes_on(product)

    async def test_one_that_hangs_is_told_too(self, machine: Machine, product: Product) -> None:
        await goes_on(product)
        machine.send("database", signal.SIGSTOP)
        await says(product, "database")
        await self.is_told_to_strangers_and_staff_alike(product)

        machine.send("database", signal.SIGCONT)
        await goes_on(product)

    async def is_told_to_strangers_and_staff_alike(self, product: Product) -> None:
        async with http_client(product.settings.app_url) as stranger:

            async def is_told() -> bool:
                return (await stranger.get("/admin/")).status_code == 503

            await until(is_told, seconds=SAYS_SO_WITHIN_SECONDS)
            for client in (stranger, product.web):
                page = await client.get("/admin/")
                assert page.status_code == 503
                assert "The database does not answer" in page.text
                assert 'http-equiv="refresh"' in page.text
                assert "Olga" not in page.text
            sent = await product.web.post("/admin/login", data={"email": OWNER_EMAIL})
            assert sent.status_code == 503
            assert "Nothing was changed." in sent.text
            assert (await stranger.get("/admin/statics/office.css")).status_code == 200
            told = (await stranger.get("/metrics")).text
            assert "\nproxycard_database_answers 0.0\n" in told
            assert "\nproxycard_stripe_answers 1.0\n" in told


async def test_a_page_that_looks_by_itself_keeps_no_session_alive(product: Product) -> None:
    seen = "SELECT max(last_seen_at) AS seen FROM staff_session"
    await product.as_owner(
        "UPDATE staff_session SET last_seen_at = last_seen_at - interval '14 minutes'"
    )
    before = await product.rows(seen)
    assert (await product.web.get("/admin/status")).status_code == 200
    assert await product.rows(seen) == before
    assert (await product.web.get("/admin/")).status_code == 200
    assert await product.rows(seen) != before

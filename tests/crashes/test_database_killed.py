"""PostgreSQL is killed under load: everybody is declined in time, and nothing committed is lost."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app import schema
from local_stack.postgres import APPLICATION, OWNER, Cluster
from local_stack.processes import Child
from tests.conformance.recorder import Recorder
from tests.crashes.load import Load, answers, load
from tests.fault_names import Count
from tests.local_stack.process_tree import descendants_of, words_of
from tests.oracle import oracle
from tests.product import Product, running_product
from tests.situations import holder
from tests.waiting import until

PER_SECOND = 8
DOWN_FOR_SECONDS = 3.0
ANSWERED_WITHIN_MS = 1_700  # our own 1,650, and the way there and back


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Give a cluster of the test's own, not started, that writes what it commits to the disk."""
    made = Cluster(tmp_path / "postgres", tmp_path / "postgres.log")
    yield made
    made.stop()
    made.forget()


@pytest.fixture
def server(cluster: Cluster) -> Child:
    started = cluster.start()
    schema.upgrade(cluster.url(OWNER), cluster.url(APPLICATION))
    return started


@pytest.fixture
async def product(cluster: Cluster, server: Child) -> AsyncIterator[Product]:
    strict = Recorder(strict_requests=True)
    async with running_product(cluster.url(APPLICATION), cluster.url(OWNER), strict) as running:
        yield running
    assert strict.take() == [], "not as Stripe publishes it"


@pytest.mark.long
async def test_purchases_are_declined_meanwhile_and_none_that_was_answered_is_lost(
    product: Product, cluster: Cluster, server: Child, count: Count
) -> None:
    ada = await holder(product, cards=2)
    async with load(product, ada.cards, per_second=PER_SECOND) as running:
        await until(lambda: approvals(running) >= PER_SECOND, why="purchases are approved")
        await kill(server)
        count("PostgreSQL killed under load")
        before = len(running.begun)
        await until(
            lambda: len(running.begun) >= before + DOWN_FOR_SECONDS * PER_SECOND,
            why="purchases go on without the database",
        )
        while_down = running.begun[before:]
        await asyncio.to_thread(cluster.start)
        since = len(running.begun)
        await until(
            lambda: approvals(running, since) >= PER_SECOND,
            why="purchases are approved again, though neither app nor worker was started anew",
        )

    bought = running.ended
    seen = await answers(product, bought)
    assert {one["reason"] for one in seen} == {"webhook_approved", "webhook_declined"}
    assert max(one["duration_ms"] for one in seen) < ANSWERED_WITHIN_MS
    assert not any(task.result()["approved"] for task in while_down)
    # Stripe tells an event again after 1, 5 and 30 seconds, and what was claimed stays so for 60.
    await product.settled(seconds=120)
    await oracle(product)
    ours = await product.rows(
        "SELECT a.stripe_authorization_id AS name FROM authorization_request AS r"
        " JOIN card_authorization AS a ON a.id = r.authorization_id"
        " WHERE r.stripe_event_id IS NOT NULL AND r.state = 'approved'"
    )
    acknowledged = {one["id"] for one in bought if one["approved"]}
    assert acknowledged <= {row["name"] for row in ours}


def approvals(running: Load, since: int = 0) -> int:
    done = [task for task in running.begun[since:] if task.done()]
    return sum(task.result()["approved"] for task in done)


async def kill(server: Child) -> None:
    """Kill the server and all its processes at once, as a power cut would."""
    pids = [server.process.pid, *descendants_of(server.process.pid)]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    await until(
        lambda: not any(words_of(pid) for pid in pids) and server.process.poll() is not None,
        why="nothing of the server is left",
    )
    assert server.process.returncode == -signal.SIGKILL

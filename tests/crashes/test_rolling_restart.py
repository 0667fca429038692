"""Processes are restarted and secrets rolled while purchases go on: nobody at a till notices."""

import asyncio
import itertools
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from app.config import Settings
from tests.crashes.load import answers, load
from tests.crashes.processes import PROXYCARD, Running, ready, start, started
from tests.fault_names import Count
from tests.faults.relay import Passage, relaying, shown
from tests.oracle import oracle
from tests.product import AUTHORIZATION_SECRET, Product
from tests.situations import holder, pay
from tests.waiting import until

PER_SECOND = 20
ANSWERED = {"webhook_approved", "webhook_declined"}
NEW_SECRET = "whsec_authorizations_after_the_roll"
LATER_VERSION = """
BEGIN;
ALTER TABLE card_authorization ADD COLUMN of_a_later_version text;
SELECT pg_sleep(0.4);
COMMIT
"""
"""A migration that the processes of both versions live with, and that holds its lock for long."""


class Fleet:
    """Two processes that answer in turn, each of which can be replaced without a gap.

    As a load balancer does it: a process is asked nothing new, and told to end when what was on the
    way to it has been answered. A question that has not been accepted by then would be lost.
    """

    def __init__(self, product: Product, folder: Path, processes: list[Running]) -> None:
        self.product = product
        self.folder = folder
        self.processes = processes
        self.asked = list(range(len(processes)))
        self.turn = itertools.count()
        self.on_the_way = Counter[int]()

    async def take(self, passage: Passage) -> web.Response:
        number = self.asked[next(self.turn) % len(self.asked)]
        self.on_the_way[number] += 1
        try:
            return shown(await passage.ask(number + 1))  # the first is the product's own instance
        finally:
            self.on_the_way[number] -= 1

    async def restart(self, settings: Settings) -> None:
        """Put new processes in the place of the old, one after another."""
        for number, process in enumerate(self.processes):
            self.asked.remove(number)
            await until(lambda: self.on_the_way[number] == 0, why="it owes no answer")  # noqa: B023  within the round
            process.child.process.send_signal(signal.SIGTERM)
            assert await process.ended() == 0
            port = int(process.url.rsplit(":", 1)[1])
            self.processes[number] = start(settings, self.folder, PROXYCARD, port=port)
            await ready([self.processes[number]])
            self.asked.append(number)


@pytest.mark.long
async def test_a_deploy_and_a_roll_of_the_secret_go_unnoticed(
    product: Product, tmp_path: Path, count: Count
) -> None:
    people = [await holder(product, email=f"{n}@example.com", cards=2) for n in range(3)]
    cards = [card for person in people for card in person.cards]
    async with (
        started(product.settings, tmp_path, [{}, {}], PROXYCARD) as processes,
        relaying(product, *(process.url for process in processes)) as between,
    ):
        fleet = Fleet(product, tmp_path, processes)
        between.way = fleet.take
        async with load(product, cards, per_second=PER_SECOND) as running:
            await product.as_owner(LATER_VERSION)
            await fleet.restart(knowing(product, AUTHORIZATION_SECRET, NEW_SECRET))
            await product.control("settings", {"authorization_webhook_secret": NEW_SECRET})
            # What was signed with the old one is answered before nobody knows it any more.
            signed = len(running.begun)
            await until(lambda: all(one.done() for one in running.begun[:signed]), why="used up")
            await fleet.restart(knowing(product, NEW_SECRET))
            later = len(running.begun) + PER_SECOND
            await until(lambda: len(running.begun) >= later, why="all of it is in place")

    for _ in range(4):
        count("process restarted under load")
    count("secret rolled under load")
    count("migration under load")
    seen = await answers(product, running.ended)
    # As request_history has it: on a busy machine some are declined, and none is unanswered.
    assert [one["error"] for one in seen if one["reason"] not in ANSWERED] == []
    assert sum(one["approved"] for one in seen) > len(seen) * 0.5
    await product.settled(seconds=60)
    await oracle(product)


async def test_a_process_that_is_told_to_end_finishes_its_answer_first(
    product: Product, tmp_path: Path, count: Count
) -> None:
    ada = await holder(product)
    async with (
        started(product.settings, tmp_path, [{}], PROXYCARD) as [process],
        relaying(product, process.url) as between,
    ):
        between.way = to_the_process
        await product.control("settings", {"latency_ms": 600})
        paying = asyncio.create_task(pay(product, ada.card, 1999))
        await until(lambda: being_decided(product), why="the purchase is being decided")
        process.child.process.send_signal(signal.SIGTERM)
        count("process told to end while it answered")
        bought: dict[str, Any] = await paying
        code = await process.ended()

    await product.control("settings", {"latency_ms": 0})
    assert bought["request_history"][0]["reason"] == "webhook_approved"
    assert code == 0
    await oracle(product)


async def to_the_process(passage: Passage) -> web.Response:
    return shown(await passage.ask(1))


async def being_decided(product: Product) -> bool:
    return bool(await product.rows("SELECT 1 FROM authorization_request WHERE state = 'deciding'"))


def knowing(product: Product, *secrets: str) -> Settings:
    """Give the product's settings with other secrets for the questions of Stripe's."""
    listed = ",".join(secrets)
    return msgspec.structs.replace(product.settings, stripe_authorization_webhook_secret=listed)

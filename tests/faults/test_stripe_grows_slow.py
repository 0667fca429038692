"""Stripe grows slower and slower under a steady load: we stop asking it, and begin again."""

import asyncio
import time
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.oracle import oracle
from tests.product import Product
from tests.signing import AUTHORIZATIONS, post, question
from tests.situations import Holder, holder
from tests.waiting import until

A_SECOND = 15
LATENCIES_MS = (200, 1000, 3000, 3000)
AT_ONCE_SECONDS = 0.25
"""An answer that waits for nothing takes a few milliseconds; a busy machine adds to it."""


@pytest.mark.long
class TestStripeThatGrowsSlow:
    @pytest.fixture
    def product_settings(self) -> dict[str, str]:
        return {"REPAIR_WAIT_SECONDS": "4"}  # longer than the slowest charge

    async def test_is_left_alone_until_it_answers_again(self, product: Product) -> None:
        ada = await holder(product, cards=10)
        await product.as_owner("DELETE FROM decision_rule")
        took: list[float] = []
        for latency in LATENCIES_MS:
            await product.control("settings", {"latency_ms": latency})
            took += await a_second(product, ada)
        await product.control("settings", {"latency_ms": 0})
        slowest = sorted(took)[int(len(took) * 0.99) - 1]

        assert product.authorizer.breaker.is_open
        assert slowest < 1.8, f"the slowest answer took {slowest:.2f} s"
        assert min(took[-A_SECOND:]) < AT_ONCE_SECONDS
        await until(lambda: probed(product, ada), why="a probe finds Stripe well", seconds=10)
        assert not product.authorizer.breaker.is_open
        assert product.authorizer.in_flight == 0
        await until(lambda: all_recorded(product, len(took)), why="each decline has its row")
        assert (await reasons(product))["funding_paused"] > A_SECOND / 3
        await product.settled(seconds=60)  # some fifty charges to find out about, one by one
        await oracle(product)


async def a_second(product: Product, ada: Holder) -> list[float]:
    """Ask so many times, evenly over a second; give the seconds each answer took."""
    asking = []
    began = time.monotonic()
    for number in range(A_SECOND):
        card = ada.cards[number % len(ada.cards)].stripe_card_id
        asking.append(asyncio.create_task(ask(product.web, question(card, 1000))))
        await asyncio.sleep(max(began + (number + 1) / A_SECOND - time.monotonic(), 0))
    return list(await asyncio.gather(*asking))


async def ask(web: httpx.AsyncClient, asked: dict[str, Any]) -> float:
    began = time.monotonic()
    answer = await post(web, AUTHORIZATIONS, asked)
    assert answer.status_code == 200
    return time.monotonic() - began


async def probed(product: Product, ada: Holder) -> bool:
    answer = await post(product.web, AUTHORIZATIONS, question(ada.card.stripe_card_id, 1000))
    return bool(answer.json()["approved"])


async def all_recorded(product: Product, count: int) -> bool:
    return len(await product.rows("SELECT 1 FROM authorization_request")) >= count


async def reasons(product: Product) -> Counter[str]:
    rows = await product.rows("SELECT reason FROM authorization_request")
    return Counter(row["reason"] for row in rows)

"""Two at the same thing: workers, an event and our own row, a question inside another."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from aiohttp import web

from app.jobs.worker import work
from tests.faults.arming import arm, fired
from tests.faults.relay import Passage, relaying, shown, too_late
from tests.oracle import kept_by_purchase, oracle
from tests.product import Product
from tests.signing import AUTHORIZATIONS, EVENTS, event, post
from tests.situations import helper, holder, intents, pay
from tests.waiting import until

CAPTURE = "/v1/payment_intents/{intent}/capture"


@pytest.fixture
def product_settings() -> dict[str, str]:
    return {"REPAIR_WAIT_SECONDS": "2"}


@asynccontextmanager
async def more_workers(product: Product, count: int) -> AsyncIterator[None]:
    stop = asyncio.Event()
    workers = [asyncio.create_task(work(product.settings, stop)) for _ in range(count)]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*workers)


async def test_several_workers_settle_each_purchase_once(product: Product) -> None:
    ada = await holder(product, cards=2)
    async with more_workers(product, 2):
        await arm(product, "status", status=500, after_effect=True, times=3)
        bought = [(await pay(product, ada.cards[n % 2], 1000 + n)) for n in range(9)]
        assert await fired(product) == [3]
        approved = [one["id"] for one in bought if one["approved"]]
        await asyncio.gather(*(helper(product, one, "capture") for one in approved))
        await oracle(product)

    made = await intents(product, ada.customer.stripe_customer_id)
    states = sorted(intent["status"] for intent in made)
    assert states == ["canceled"] * 3 + ["succeeded"] * 6


async def test_a_worker_that_lost_its_claim_leaves_the_purchase_to_the_other(
    product: Product,
) -> None:
    ada = await holder(product)
    bought = await pay(product, ada.card, 1999)
    await product.settled()
    await arm(product, "delay", CAPTURE, delay_ms=400, after_effect=True)

    await helper(product, bought["id"], "capture")
    await until(lambda: all_fired(product), why="the worker waits for Stripe")
    await product.as_owner("UPDATE card_authorization SET fence = fence + 1, leased_until = NULL")

    await oracle(product)
    assert await kept_by_purchase(product) == {bought["id"]: 2149}
    lost = await product.rows("SELECT attempts FROM inbound_event WHERE attempts > 0")
    assert lost, "the claim was lost while Stripe was waited for"


async def all_fired(product: Product) -> bool:
    return await fired(product) == [1]


async def test_an_event_that_overtakes_the_question_changes_nothing(product: Product) -> None:
    ada = await holder(product)

    async def overtaken(passage: Passage) -> web.Response:
        asked = json.loads(passage.body)["data"]["object"]
        await post(product.web, EVENTS, event("issuing_authorization.updated", asked))
        seen = "SELECT 1 FROM card_authorization"
        await until(lambda: some(product, seen), why="the event has made the purchase's row")
        return shown(await passage.ask())

    async with relaying(product) as between:
        between.way = overtaken
        bought = await pay(product, ada.card, 1999)

    assert bought["approved"] is True
    await oracle(product)
    assert len(await product.rows("SELECT 1 FROM card_authorization")) == 1


async def some(product: Product, statement: str) -> bool:
    return bool(await product.rows(statement))


async def test_an_increment_inside_the_first_question_has_a_charge_of_its_own(
    product: Product,
) -> None:
    ada = await holder(product)
    grown: list[httpx.Response] = []

    async def growing(passage: Passage) -> web.Response:
        first = asyncio.create_task(passage.ask())
        waiting = "SELECT 1 FROM authorization_request WHERE state = 'deciding'"
        await until(lambda: some(product, waiting), why="the first is being decided")
        asked = json.loads(passage.body)
        thing = asked["data"]["object"] | {
            "amount": 1999,
            "request_history": [{"approved": True, "amount": 1999}],
            "pending_request": asked["data"]["object"]["pending_request"] | {"amount": 501},
        }
        second = asked | {"id": "evt_of_the_increment", "data": {"object": thing}}
        grown.append(await post(product.web, AUTHORIZATIONS, second))
        return shown(await first)

    await arm(product, "delay", delay_ms=500)
    async with relaying(product) as between:
        between.way = growing
        bought = await pay(product, ada.card, 1999)

    assert await fired(product) == [1]
    assert (bought["approved"], grown[0].json()) == (True, {"approved": True})
    held = await intents(product, ada.customer.stripe_customer_id)
    assert sorted(intent["amount"] for intent in held) == [526, 2149]
    # Stripe's own history does not know of the increment, so what it holds is released.
    await oracle(product)
    assert await kept_by_purchase(product) == {bought["id"]: 2149}


async def test_a_reversal_that_comes_while_a_charge_is_in_doubt_leaves_nothing(
    product: Product,
) -> None:
    await product.control("settings", {"authorization_timeout": "approve"})
    ada = await holder(product)
    await arm(product, "hang", after_effect=True)
    async with relaying(product) as between:
        between.way = too_late
        bought = await pay(product, ada.card, 1999)

    assert await fired(product) == [1]
    assert bought["approved"] is True
    reversed_ = await helper(product, bought["id"], "reverse")
    assert reversed_["status"] == "reversed"
    await oracle(product)
    assert await kept_by_purchase(product) == {bought["id"]: 0}

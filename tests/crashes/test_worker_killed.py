"""A worker is killed when Stripe has done what it asked for and it has not written that down."""

import signal
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.crashes.processes import start
from tests.crashes.stopping import queue_stopped
from tests.fault_names import Count
from tests.faults.arming import INTENTS, arm, fired
from tests.faults.relay import lost, relaying
from tests.oracle import kept_by_purchase, oracle
from tests.product import Product
from tests.situations import holder, intents, pay
from tests.waiting import until

ONE_SETTLEMENT = (sys.executable, "-m", "tests.crashes.one_settlement")
LONGER_THAN_THE_TEST = "60"
KEEPS_WAITING_MS = 20_000
TIME_PASSES = """
UPDATE card_authorization SET leased_until = now(), settle_after = now()
 WHERE leased_until IS NOT NULL
"""


class Repaired(msgspec.Struct, frozen=True):
    """What is to be mended after an answer that was lost, by which call, and what remains paid."""

    mode: str
    default: str
    path: str
    intent_is: str
    paid_minor: int = 0
    declined_first: bool = False


CASES = {
    "a hold is released": Repaired("hold", "decline", f"{INTENTS}/{{intent}}/cancel", "canceled"),
    "a charge is given back": Repaired("charge", "decline", "/v1/refunds", "succeeded"),
    "a charge is made after all": Repaired(
        "hold", "approve", INTENTS, "requires_capture", 2149, declined_first=True
    ),
}


@pytest.fixture
def product_settings(case: Repaired) -> dict[str, str]:
    return {"FUNDING_MODE": case.mode, "REPAIR_WAIT_SECONDS": LONGER_THAN_THE_TEST} | {
        "BALANCE_EVERY_SECONDS": LONGER_THAN_THE_TEST
    }


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_another_worker_finds_it_done_and_does_it_once(
    product: Product, tmp_path: Path, count: Count, case: Repaired
) -> None:
    ada = await holder(product)
    await product.settled()
    defaults = {"authorization_timeout": case.default, "webhook_error": case.default}
    await product.control("settings", defaults)
    async with queue_stopped(product):
        bought = await pay_and_lose_the_answer(product, ada.card, declined=case.declined_first)
        await arm(product, "delay", case.path, delay_ms=KEEPS_WAITING_MS, after_effect=True)
        worker = start(product.settings, tmp_path, (*ONE_SETTLEMENT, bought["id"]))
        await until(lambda: all_fired(product), why="Stripe has done what the worker asked for")
        worker.child.process.kill()
        assert await worker.ended() == -signal.SIGKILL
        count("worker killed before it wrote down what Stripe had done")
        await product.as_owner(TIME_PASSES)  # as long as the dead one's claim is good

    await oracle(product)
    made = await intents(product, ada.customer.stripe_customer_id)
    live = [intent for intent in made if intent["status"] == case.intent_is]
    assert len(live) == 1
    refunds = await product.call("GET", "/v1/refunds", payment_intent=live[0]["id"])
    assert len(refunds["data"]) == (0 if case.paid_minor else 1)  # a release is one of a kind
    assert (await kept_by_purchase(product))[bought["id"]] == case.paid_minor


async def pay_and_lose_the_answer(product: Product, card: Any, *, declined: bool) -> dict[str, Any]:
    if declined:
        await arm(product, "status", status=402)
    async with relaying(product) as between:
        between.way = lost
        return await pay(product, card, 1999)


async def all_fired(product: Product) -> bool:
    return set(await fired(product)) == {1}

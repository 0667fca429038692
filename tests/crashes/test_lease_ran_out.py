"""A worker is killed while it settles a purchase that nothing else would bring anybody back to."""

import signal
from pathlib import Path

import pytest

from tests.crashes.processes import start
from tests.crashes.stopping import queue_stopped
from tests.crashes.test_worker_killed import (
    KEEPS_WAITING_MS,
    LONGER_THAN_THE_TEST,
    ONE_SETTLEMENT,
    TIME_PASSES,
    all_fired,
)
from tests.fault_names import Count
from tests.faults.arming import INTENTS, arm
from tests.oracle import kept_by_purchase
from tests.planting import Planting
from tests.product import Product
from tests.situations import helper, holder, pay
from tests.waiting import until

SETTINGS = {
    "FUNDING_MODE": "hold",
    "REPAIR_WAIT_SECONDS": LONGER_THAN_THE_TEST,
    "BALANCE_EVERY_SECONDS": "600",
}
"""What moves money is matched long after the test: that would bring somebody back, too."""
STATE = "SELECT state, leased_until FROM card_authorization"


@pytest.mark.parametrize("product_settings", [SETTINGS])
async def test_the_sweep_takes_over_what_no_event_comes_for(
    product: Product, tmp_path: Path, count: Count
) -> None:
    ada = await holder(product)
    bought = await pay(product, ada.card, 19_99)
    await product.settled()
    await Planting(product, ada).stop_events()
    async with queue_stopped(product):
        await helper(product, bought["id"], "capture")
        path = f"{INTENTS}/{{intent}}/capture"
        await arm(product, "delay", path, delay_ms=KEEPS_WAITING_MS, after_effect=True)
        worker = start(product.settings, tmp_path, (*ONE_SETTLEMENT, bought["id"]))
        await until(lambda: all_fired(product), why="Stripe has done what the worker asked for")
        worker.child.process.kill()
        assert await worker.ended() == -signal.SIGKILL
        count("worker killed before it wrote down what Stripe had done")
        await product.as_owner(TIME_PASSES)  # as long as the dead one's claim is good

    async def at_rest() -> bool:
        [row] = await product.rows(STATE)
        return bool(row["leased_until"] is None)

    await until(at_rest, why="the sweep has taken the purchase over")
    [charge] = await product.rows("SELECT state, captured_minor FROM charge")
    assert charge == {"state": "captured", "captured_minor": 21_49}
    [row] = await product.rows(STATE)
    assert row["state"] == "closed"
    assert (await kept_by_purchase(product))[bought["id"]] == 21_49

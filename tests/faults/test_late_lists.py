"""Stripe's list of charges does not have one when we look, and shows it afterwards."""

from collections.abc import Callable
from typing import Any

import pytest

from app.adapters.stripe_funding import StripeBackOffice
from tests.controls import later
from tests.faults.arming import arm
from tests.integration.test_sweeps import DUE, job
from tests.oracle import kept_by_purchase, oracle
from tests.planting import Planting
from tests.product import Product
from tests.situations import helper, holder, pay
from tests.waiting import until

CHARGES = "SELECT state, stripe_payment_intent_id AS intent FROM charge ORDER BY created_at"
MARK = "SELECT looked_until FROM regular_job WHERE name = 'sweep_lists'"


@pytest.fixture
def show_late(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Have the list of a customer's charges be empty until what is given here is called."""
    real = StripeBackOffice.intents_of
    late = [True]

    async def listed(office: StripeBackOffice, *args: Any) -> Any:
        return [] if late else await real(office, *args)

    monkeypatch.setattr(StripeBackOffice, "intents_of", listed)
    return late.clear


@pytest.mark.parametrize(
    "product_settings",
    [{"FUNDING_MODE": "hold"}, {"FUNDING_MODE": "charge"}],
    ids=["hold", "charge"],
)
async def test_what_was_taken_for_never_made_is_undone_when_the_list_shows_it(
    product: Product, show_late: Callable[[], None]
) -> None:
    ada = await holder(product)
    await arm(product, action="hang", after_effect=True)
    bought = await pay(product, ada.card, 19_99)
    assert bought["approved"] is False

    async def taken_for_never_made() -> bool:
        return await product.rows(CHARGES) == [{"state": "canceled", "intent": None}]

    await until(taken_for_never_made, why="the list does not have it")
    assert (await kept_by_purchase(product))[bought["id"]] == 21_49
    show_late()
    await later(product, minutes=30)

    assert (await job(product, "sweep_lists")).endswith("1 purchases were behind")

    await oracle(product)
    assert (await kept_by_purchase(product))[bought["id"]] == 0


@pytest.mark.parametrize("product_settings", [{"REPAIR_WAIT_SECONDS": "0.4"}], ids=["soon"])
async def test_a_difference_that_was_charged_twice_because_of_it_is_given_back(
    product: Product, show_late: Callable[[], None]
) -> None:
    ada = await holder(product)
    bought = await pay(product, ada.card, 10_00)
    await product.settled()
    await arm(product, action="status", status=500, after_effect=True)
    await helper(product, bought["id"], "capture", capture_amount=20_00)

    async def charged_again() -> bool:
        await product.as_owner(DUE)
        states = [row["state"] for row in await product.rows(CHARGES)]
        return states == ["captured", "canceled", "captured"]

    await until(charged_again, why="the difference is charged a second time")
    assert (await kept_by_purchase(product))[bought["id"]] == 32_00
    show_late()
    await later(product, minutes=30)

    assert (await job(product, "sweep_lists")).endswith("1 purchases were behind")

    await oracle(product)
    assert (await kept_by_purchase(product))[bought["id"]] == 21_50


async def test_one_that_cannot_be_adopted_keeps_no_other_from_being_settled(
    product: Product,
) -> None:
    ada = await holder(product)
    first, second = [(await pay(product, ada.card, 20_00))["id"] for _ in range(2)]
    await product.settled()
    plan = Planting(product, ada)
    await plan.stop_events()
    strange = await plan.hold(5_00, first, "by hand")
    await helper(product, second, "capture")
    await later(product, minutes=30)

    told = await job(product, "sweep_lists")

    assert told.endswith("1 purchases were behind, 1 failed")
    [closed] = await product.rows(
        "SELECT state FROM card_authorization WHERE stripe_authorization_id = :name", name=second
    )
    assert closed["state"] == "closed"
    [mark] = await product.rows(MARK)
    await later(product, minutes=30)
    assert (await job(product, "sweep_lists")).endswith("1 failed"), "it is tried again"
    assert (await product.rows(MARK))[0]["looked_until"] > mark["looked_until"]
    with pytest.raises(Exception, match=strange):
        await job(product, "reconcile")

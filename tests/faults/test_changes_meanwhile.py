"""A card, a customer or a limit is changed while a purchase is being decided."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from app.domain.issuing.states import CardState
from tests.cards import move_card
from tests.faults.arming import reason_of
from tests.oracle import oracle
from tests.product import Product
from tests.situations import Holder, holder, pay
from tests.waiting import until

BANK_TAKES_MS = 600


async def freeze_card(product: Product, ada: Holder) -> None:
    await move_card(product, ada.card, CardState.FROZEN)


async def freeze_customer(product: Product, ada: Holder) -> None:
    await product.as_owner("UPDATE customer SET state = 'frozen'")


async def cut_limit(product: Product, ada: Holder) -> None:
    await product.as_owner("UPDATE card SET daily_limit_minor = 2000")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (freeze_card, "card_frozen"),
        (freeze_customer, "customer_not_active"),
        (cut_limit, "over_daily_limit"),
    ],
)
async def test_what_runs_is_finished_and_the_next_one_obeys(
    product: Product, change: Callable[[Product, Holder], Awaitable[None]], reason: str
) -> None:
    ada = await holder(product)
    await product.control("settings", {"latency_ms": BANK_TAKES_MS})
    paying = asyncio.create_task(pay(product, ada.card, 1999))
    await until(lambda: product.authorizer.in_flight == 1, why="the purchase is being decided")
    await until(lambda: recorded(product), why="it has been recorded")

    await change(product, ada)
    first = await paying
    await product.control("settings", {"latency_ms": 0})
    second = await pay(product, ada.card, 1000)

    assert (first["approved"], second["approved"]) == (True, False)
    # Stripe may have been told already, and then has declined without asking: we hear of it later.
    await oracle(product)
    assert await reason_of(product, second["id"]) == reason


async def recorded(product: Product) -> bool:
    return bool(await product.rows("SELECT 1 FROM authorization_request WHERE state = 'deciding'"))

"""The way to the database fails: answers come in time, and nothing is lost or paid twice."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from app.asgi import REALTIME, create_app
from app.domain.issuing.models import Card
from tests.crashes.database_wire import DatabaseWire, Lost, Trouble, a_database_wire
from tests.fault_names import Count
from tests.faults.arming import answer_to
from tests.oracle import kept_by_purchase, oracle
from tests.product import Product
from tests.serving import free_port, serving_app
from tests.signing import AUTHORIZATIONS
from tests.situations import holder, pay
from tests.waiting import until

RECORD = b"record_authorization_request"
WRITE = b"write_authorization_decision"
ANSWERED_WITHIN_MS = 1_700  # our own 1,650, and the way there and back


@pytest.fixture
async def wire(product: Product) -> AsyncIterator[DatabaseWire]:
    """Have Stripe ask an instance of the product whose database is at the end of a wire."""
    async with a_database_wire(product.settings.database_url) as opened:
        settings = msgspec.structs.replace(product.settings, database_url=opened.url)
        async with serving_app(create_app(settings, REALTIME), free_port()) as url:
            asked = {"authorization_webhook_url": f"{url}{AUTHORIZATIONS}"}
            await product.control("settings", asked)
            yield opened


async def answer(product: Product, authorization: str) -> bool:
    """Give our answer, which must have come in time and in the form that Stripe wants."""
    seen = await answer_to(product, authorization)
    assert seen["reason"] in {"webhook_approved", "webhook_declined"}, seen
    assert seen["duration_ms"] < ANSWERED_WITHIN_MS, seen
    approved: bool = seen["approved"]
    return approved


@pytest.mark.parametrize("how", list(Lost), ids=lambda how: how.value)
@pytest.mark.parametrize("statement", [RECORD, WRITE], ids=["recording", "writing"])
async def test_a_commit_whose_reply_is_lost_charges_nobody_twice_or_in_vain(
    product: Product, wire: DatabaseWire, count: Count, statement: bytes, how: Lost
) -> None:
    ada = await holder(product)
    wire.losing = (statement, how)

    bought = await pay(product, ada.card, 1999)

    assert wire.disturbed == 1
    count(f"reply after COMMIT lost, {how}")
    assert await answer(product, bought["id"]) is False
    again = await pay(product, ada.card, 2999)
    assert await answer(product, again["id"]) is True
    await oracle(product)
    assert {n: m for n, m in (await kept_by_purchase(product)).items() if m} == {again["id"]: 3199}
    assert len(await product.rows("SELECT 1 FROM authorization_request")) == 2


async def answers_again(product: Product, card: Card) -> None:
    """Pay until a purchase is approved, which has to come by itself."""

    async def approved() -> bool:
        bought = await pay(product, card, 1500)
        return await answer(product, bought["id"])

    await until(approved, seconds=15, why="purchases are approved again")


@pytest.mark.parametrize(
    ("trouble", "approved"),
    [((Trouble.LATE, 0.05), True), ((Trouble.LATE, 0.7), False), ((Trouble.DRIPPING, 0.01), False)],
    ids=["a little late", "too late", "byte by byte"],
)
async def test_answers_of_the_database_that_come_badly_are_a_decline_or_right(
    product: Product,
    wire: DatabaseWire,
    count: Count,
    trouble: tuple[Trouble, float],
    approved: bool,  # noqa: FBT001  pytest passes it by name
) -> None:
    ada = await holder(product)
    wire.trouble, wire.late_seconds = trouble

    bought = await pay(product, ada.card, 1999)

    assert wire.disturbed > 0
    count(f"answers of the database: {trouble[0]}")
    assert await answer(product, bought["id"]) is approved
    wire.trouble = Trouble.NONE
    await answers_again(product, ada.card)
    await oracle(product)


async def test_a_database_that_nothing_comes_from_is_a_decline(
    product: Product, wire: DatabaseWire, count: Count
) -> None:
    ada = await holder(product)
    wire.lets_through.clear()

    bought = await pay(product, ada.card, 1999)

    count("connections to the database open and dead")
    assert await answer(product, bought["id"]) is False
    wire.lets_through.set()
    await answers_again(product, ada.card)
    await oracle(product)


async def test_connections_that_are_reset_cost_one_answer_at_most(
    product: Product, wire: DatabaseWire, count: Count
) -> None:
    ada = await holder(product)
    assert (await pay(product, ada.card, 1999))["approved"] is True

    await wire.cut()
    count("connections to the database reset")

    for amount in (2999, 3999):
        bought = await pay(product, ada.card, amount)
        await answer(product, bought["id"])
    assert bought["approved"] is True
    await oracle(product)

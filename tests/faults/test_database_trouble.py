"""The database does not do its part: every purchase is declined in time, and all goes on after."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from tests.faults.arming import answer_to, reason_of
from tests.oracle import oracle
from tests.product import Product
from tests.situations import holder, intents, pay
from tests.waiting import until

# As PostgreSQL says it itself when there is no room left, and when it must not wait any longer.
FULL = """
CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
END $$;
CREATE TRIGGER trouble BEFORE INSERT ON authorization_request
FOR EACH ROW EXECUTE FUNCTION trouble()
"""
DEADLOCK = FULL.replace("53100", "40P01").replace("could not extend file", "deadlock detected")
CANCELED = FULL.replace("53100", "57014").replace("could not extend file", "statement timeout")
OVER = "DROP TRIGGER trouble ON authorization_request; DROP FUNCTION trouble()"


@asynccontextmanager
async def troubled(product: Product, begin: str, end: str) -> AsyncIterator[None]:
    await product.as_owner(begin)
    try:
        yield
    finally:
        await product.as_owner(end)


async def is_known(product: Product, authorization: str, reason: str) -> bool:
    rows = await product.rows("SELECT 1 FROM authorization_request")
    return bool(rows) and await reason_of(product, authorization) == reason


@pytest.mark.parametrize("begin", [FULL, DEADLOCK, CANCELED], ids=["full", "deadlock", "canceled"])
async def test_a_question_that_cannot_be_stored_is_declined_and_nothing_is_charged(
    product: Product, begin: str
) -> None:
    ada = await holder(product)
    async with troubled(product, begin, OVER):
        bought = await pay(product, ada.card, 1999)

    answer = await answer_to(product, bought["id"])
    assert (answer["reason"], answer["approved"]) == ("webhook_declined", False)
    assert await intents(product, ada.customer.stripe_customer_id) == []
    again = await pay(product, ada.card, 2999)
    assert again["approved"] is True
    await oracle(product)


async def test_a_database_that_only_reads_declines_until_it_writes_again(product: Product) -> None:
    ada = await holder(product)
    database = urlsplit(product.settings.owner_url).path.removeprefix("/")
    read_only = f'ALTER DATABASE "{database}" SET default_transaction_read_only = on'
    over = f"BEGIN READ WRITE; {read_only.replace(' = on', ' = off')}; COMMIT"
    async with troubled(product, read_only, over):
        await product.authorizer.store.connections.expire()
        bought = await pay(product, ada.card, 1999)

    assert bought["approved"] is False
    assert (await answer_to(product, bought["id"]))["reason"] == "webhook_declined"
    await until(lambda: is_known(product, bought["id"], "our_error"), why="it is recorded later")
    assert (await pay(product, ada.card, 2999))["approved"] is True
    await oracle(product)


class TestConnectionsThatAreAllTaken:
    async def test_decline_in_time_and_the_other_pages_go_on(self, product: Product) -> None:
        ada = await holder(product)
        lent = product.authorizer.store.connections
        for _ in range(lent.size):
            await lent.turns.take(0)

        bought, ready = await asyncio.gather(
            pay(product, ada.card, 1999), product.web.get("/health/ready")
        )
        for _ in range(lent.size):
            lent.turns.give()

        assert ready.status_code == 200
        answer = await answer_to(product, bought["id"])
        assert (answer["reason"], answer["approved"]) == ("webhook_declined", False)
        assert answer["duration_ms"] < 1_700
        await until(lambda: is_known(product, bought["id"], "too_slow"), why="it is recorded later")
        await oracle(product)


class TestAnotherPartThatHasTakenEveryConnectionOfItsOwn:
    async def test_does_not_slow_a_purchase(self, product: Product) -> None:
        ada = await holder(product)
        engine = product.parts.sessions.kw["bind"]
        open_ones = [await engine.connect() for _ in range(15)]

        bought = await pay(product, ada.card, 1999)
        for connection in open_ones:
            await connection.close()

        assert bought["approved"] is True
        assert (await answer_to(product, bought["id"]))["duration_ms"] < 1_000
        await oracle(product)

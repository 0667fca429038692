"""Staff close a debt while a card is charged with it: it is closed once, with true books."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.domain.funding.receivables import write_off
from app.domain.identity.audit import SYSTEM
from app.domain.identity.states import Role
from app.domain.states import IllegalMove
from tests.acting import opened
from tests.back_office import csrf_token_on, signed_in
from tests.books import balances, book_problems
from tests.integration.test_pages_act_refund import approve
from tests.integration.test_portal_funding import act
from tests.integration.test_portal_paying import DEBTS, PAYMENTS, answer, begin, in_debt, intent_on
from tests.portal import entered
from tests.product import Product
from tests.situations import link_token
from tests.waiting import until

LOCKED_OUT = """
    SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
    AND wait_event_type = 'Lock' AND query LIKE '%receivable%'
"""
Doing = Callable[[], Coroutine[Any, Any, Any]]


async def in_this_order(product: Product, first: Doing, second: Doing) -> list[Any]:
    """Have two wait for the debt's row, one behind the other, and let them go; give what came."""
    doing = []
    async with product.parts.sessions.begin() as session:
        await session.execute(text("SELECT 1 FROM receivable FOR UPDATE"))
        for one in (first, second):
            doing.append(asyncio.create_task(one()))

            async def all_wait() -> bool:
                return len(await product.rows(LOCKED_OUT)) == len(doing)

            await until(all_wait)
    return await asyncio.gather(*doing, return_exceptions=True)


@asynccontextmanager
async def confirmed_and_given_up(product: Product) -> AsyncIterator[tuple[Doing, Doing]]:
    """Give what confirms a payment of a debt, and what gives it up; both end in true books."""
    ada, path = await in_debt(product)
    debt = UUID(path.rpartition("/")[2])
    async with entered(product, ada.customer) as client:
        address = await begin(client, path, ada.sources[0].id)
        intent = await intent_on(client, address)

        async def confirm() -> None:
            await answer(product, intent, yes=True)
            await act(client, f"{address}/finish")

        async def give_up() -> None:
            now = product.parts.clock.now()
            await write_off(product.parts.sessions, debt, "moved away", actor=SYSTEM, now=now)

        yield confirm, give_up
    await product.settled()
    found = await balances(product)
    assert [found.get((account, "posted"), 0) for account in ("1100", "5100", "2000")] == [0, 0, 0]
    assert await book_problems(product) == []


async def test_what_is_written_off_just_before_its_payment_is_booked_is_recovered(
    product: Product,
) -> None:
    async with confirmed_and_given_up(product) as (confirm, give_up):
        assert await in_this_order(product, give_up, confirm) == [None, None]
    assert [row["state"] for row in await product.rows(DEBTS)] == ["recovered"]


async def test_what_is_paid_just_before_it_is_written_off_is_collected(product: Product) -> None:
    async with confirmed_and_given_up(product) as (confirm, give_up):
        _, refused = await in_this_order(product, confirm, give_up)
        with pytest.raises(IllegalMove, match="the debt is collected already"):
            raise refused
    assert [row["state"] for row in await product.rows(DEBTS)] == ["collected"]


async def test_a_card_that_is_linked_while_a_debt_is_given_up_is_linked(product: Product) -> None:
    ada, path = await in_debt(product)
    debt, now = UUID(path.rpartition("/")[2]), product.parts.clock.now()

    async def give_up() -> None:
        await write_off(product.parts.sessions, debt, "moved away", actor=SYSTEM, now=now)

    async def another() -> str:
        return (await link_token(product, ada.customer, "pm_card_mastercard")).brand

    assert await in_this_order(product, give_up, another) == [None, "mastercard"]
    await product.settled()
    [left] = await product.rows("SELECT state, next_attempt_at FROM receivable")
    assert left == {"state": "written_off", "next_attempt_at": None}
    assert await book_problems(product) == []


async def test_a_debt_is_not_noted_as_paid_outside_while_its_customer_pays_it(
    product: Product,
) -> None:
    ada, path = await in_debt(product)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(entered(product, ada.customer))
        finance = await stack.enter_async_context(signed_in(product, Role.FINANCE))
        owner = await stack.enter_async_context(signed_in(product, Role.OWNER))
        form = await opened(finance, "debt-paid-outside", path.rpartition("/")[2])
        place = (await form.send(statement="ADA BYRON 4711")).headers["location"]
        address = await begin(client, path, ada.sources[0].id)
        await intent_on(client, address)
        token = {"csrf_token": csrf_token_on(await owner.get(place))}
        refused = await owner.post(f"{place.partition('?')[0]}/approve", data=token)
        assert refused.status_code == 409
        assert "a payment of it by card is under way" in refused.text
        await act(client, f"{address}/stop")
        assert await approve(owner, place) == 303
        assert "Nothing is open" in (await client.get(path)).text
    await product.settled()
    assert [row["state"] for row in await product.rows(PAYMENTS)] == ["canceled"]
    assert [row["state"] for row in await product.rows(DEBTS)] == ["paid_outside"]
    assert await book_problems(product) == []

"""Two members decide on refunds of one purchase, or its merchant gives it back meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
from sqlalchemy import text

from app.domain.identity.states import Role
from tests.acting import act, opened
from tests.back_office import csrf_token_on, signed_in
from tests.books import book_problems
from tests.integration.test_pages_act_refund import approve, bought
from tests.product import Product
from tests.situations import refund
from tests.waiting import until

GIVEN = "SELECT purpose, principal_minor FROM refund ORDER BY id"
LOCKED_OUT = """
    SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
    AND wait_event_type = 'Lock' AND query LIKE '%card_authorization%'
"""


async def test_two_members_who_saw_the_same_do_not_both_give_it_back(product: Product) -> None:
    _, key = await bought(product, 100_00)
    async with two_members(product) as (one, other):
        forms = [await opened(who, "refund-purchase", key) for who in (one, other)]
        async with product.parts.sessions.begin() as session:
            await session.execute(text("SELECT 1 FROM card_authorization FOR UPDATE"))
            sending = [asyncio.create_task(form.send(amount="30.00", fee="no")) for form in forms]

            async def both_wait() -> bool:
                return len(await product.rows(LOCKED_OUT)) == len(forms)

            await until(both_wait)
        sent = await asyncio.gather(*sending)
    assert sorted(answer.status_code for answer in sent) == [303, 409]
    [late] = [answer.text for answer in sent if answer.status_code == 409]
    assert "By now we have given back on our own 30.00, no longer 0.00." in late
    assert await given(product) == [("goodwill", 30_00)]


async def test_what_the_merchant_gave_back_meanwhile_is_not_given_again(product: Product) -> None:
    name, key = await bought(product, 200_00)
    async with two_members(product) as (support, finance):
        sent = await act(support, "refund-purchase", key, amount="100.00", fee="no")
        place = sent.headers["location"]
        assert "By now" not in (await finance.get(place)).text
        await refund(product, name, 100_00)
        await product.settled()
        told = (await finance.get(place)).text
        assert "By now the merchant has given back 100.00, no longer 0.00;" in told
        assert "refuse it, and ask anew" in told
        assert await approve(finance, place) == 409
        assert await given(product) == [("merchant_refund", 100_00)]
        token = csrf_token_on(await finance.get(place))
        form = {"csrf_token": token, "note": "the merchant did"}
        assert (await finance.post(f"{place}/refuse", data=form)).status_code == 303
        assert "By now" not in (await finance.get(place)).text
        sent = await act(support, "refund-purchase", key, amount="90.00", fee="no")
        assert await approve(finance, sent.headers["location"]) == 303
    assert await given(product) == [("merchant_refund", 100_00), ("goodwill", 90_00)]


async def test_a_refund_asked_for_while_an_earlier_one_is_on_its_way_is_approved(
    product: Product,
) -> None:
    _, key = await bought(product, 200_00)
    async with two_members(product) as (support, finance):
        await act(support, "refund-purchase", key, amount="10.00", fee="yes")
        sent = await act(support, "refund-purchase", key, amount="100.00", fee="no")
        await product.settled()
        assert await approve(finance, sent.headers["location"]) == 303
    assert await given(product) == [("goodwill", 10_00), ("goodwill", 100_00)]


async def test_none_is_given_alone_while_one_waits_for_approval(product: Product) -> None:
    _, key = await bought(product, 100_00)
    async with two_members(product) as (support, finance):
        stale = await opened(finance, "refund-purchase", key)
        sent = await act(support, "refund-purchase", key, amount="60.00", fee="no")
        refused = await stale.send(amount="35.00", fee="no")
        assert refused.status_code == 409
        assert "waits for somebody to approve it" in refused.text
        assert await given(product) == []
        assert await approve(finance, sent.headers["location"]) == 303
    assert await given(product) == [("goodwill", 60_00)]


@asynccontextmanager
async def two_members(
    product: Product,
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """Sign in one of support, and one of finance who may give refunds too."""
    async with AsyncExitStack() as stack:
        support = await stack.enter_async_context(signed_in(product, Role.SUPPORT))
        both = signed_in(product, Role.SUPPORT, Role.FINANCE)
        yield support, await stack.enter_async_context(both)


async def given(product: Product) -> list[tuple[str, int]]:
    """Wait until all is settled and give what went back, by purpose; the books are true."""
    await product.settled()
    assert await book_problems(product) == []
    return [(row["purpose"], row["principal_minor"]) for row in await product.rows(GIVEN)]

"""Where it went what a merchant gave back: the customer's page and letter say what is true."""

import httpx
import pytest

from app.domain.funding.receivables import give_up, pay_outside
from app.domain.identity.audit import SYSTEM
from app.domain.identity.reasons import Reason
from app.domain.identity.states import Role
from tests.acting import act
from tests.back_office import signed_in
from tests.books import book_problems
from tests.integration.test_portal_dashboard import words_on
from tests.integration.test_portal_purchases import id_of, signed_in_holder
from tests.portal import letters
from tests.product import Product
from tests.situations import (
    LATER_DECLINES,
    Holder,
    behave,
    helper,
    holder,
    pay,
    refund,
    take_refund_back,
)

ONWARD = "goes on to your linked card"
HAD = "set against what you had from us before."
OWED = "set against what you owed."


async def taken(product: Product, ada: Holder, asked_minor: int, more_minor: int = 0) -> str:
    """Buy something; what the merchant takes beyond that is refused."""
    name: str = (await pay(product, ada.card, asked_minor))["id"]
    await product.settled()
    if more_minor:
        await behave(product, ada.sources[0].stripe_payment_method_id, LATER_DECLINES)
    await helper(product, name, "capture", capture_amount=asked_minor + more_minor)
    await product.settled()
    return name


async def given_back(
    product: Product, client: httpx.AsyncClient, name: str, minor: int
) -> tuple[str, str]:
    """Have a merchant give back; what its customer reads on the page, and in the letter."""
    await refund(product, name, minor)
    await product.settled()
    assert await book_problems(product) == []
    page = words_on((await client.get(f"/purchases/{await id_of(product, name)}")).text)
    *_, letter = await letters(product, "purchase_refunded")
    return page, letter["text"]


@pytest.mark.parametrize("fee", ["yes", "no"])
async def test_what_the_customer_had_from_us_does_not_go_on(product: Product, fee: str) -> None:
    ada = await holder(product)
    async with signed_in_holder(product, ada) as client:
        name = await taken(product, ada, 40_00)
        async with signed_in(product, Role.SUPPORT) as support:
            key = await id_of(product, name)
            done = await act(support, "refund-purchase", key, amount="40.00", fee=fee)
            assert done.status_code == 303
        await product.settled()
        for told in await given_back(product, client, name, 40_00):
            assert f"It is {HAD}" in told
            assert (f"$2.50 of our fee {ONWARD}" in told) == (fee == "no")
            assert told.count(ONWARD) == (fee == "no")


@pytest.mark.parametrize("given_up", [False, True])
async def test_what_the_customer_owed_does_not_go_on(product: Product, *, given_up: bool) -> None:
    ada = await holder(product)
    async with signed_in_holder(product, ada) as client:
        name = await taken(product, ada, 100_00, more_minor=20_00)
        [debt] = await product.rows("SELECT id FROM receivable")
        if given_up:
            now = product.parts.clock.now()
            async with product.parts.sessions.begin() as session:
                await give_up(session, debt["id"], actor=SYSTEM, now=now, reason="a test")
        page, letter = await given_back(product, client, name, 20_00)
    for told in (page, letter):
        assert f"It is {OWED}" in told
        assert ONWARD not in told
    assert "What the merchant gave back has settled it." in page
    assert "It was paid later." not in page


async def test_what_goes_beyond_a_debt_goes_on(product: Product) -> None:
    ada = await holder(product)
    async with signed_in_holder(product, ada) as client:
        name = await taken(product, ada, 100_00, more_minor=20_00)
        for told in await given_back(product, client, name, 50_00):
            assert f"$20.00 of it is {OWED} The rest {ONWARD}, with $1.65 of our fee." in told


async def test_what_was_paid_to_our_bank_account_goes_back_there(product: Product) -> None:
    ada = await holder(product)
    async with signed_in_holder(product, ada) as client:
        name = await taken(product, ada, 100_00, more_minor=20_00)
        [debt] = await product.rows("SELECT id FROM receivable")
        async with product.parts.sessions.begin() as session:
            await pay_outside(
                session,
                debt["id"],
                actor=SYSTEM,
                now=product.parts.clock.now(),
                reason=Reason("other", "a test"),
                expected_minor=20_00,
            )
        for told in await given_back(product, client, name, 120_00):
            assert "$20.00 of it goes back to the bank account that you had paid us from." in told
            assert f"The rest {ONWARD}, with $5.50 of our fee." in told


async def test_what_is_given_back_after_another_was_taken_back_goes_on(product: Product) -> None:
    ada = await holder(product)
    name = await taken(product, ada, 100_00)
    back = await refund(product, name, 40_00)
    await product.settled()
    await take_refund_back(product, back)
    await product.settled()
    async with signed_in_holder(product, ada) as client:
        page, letter = await given_back(product, client, name, 30_00)
    assert page.count(f"It {ONWARD}.") == 2
    assert "We pass it on to your linked card, with our fee on it" in letter

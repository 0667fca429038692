"""A purchase's line of time: each row says what was true at its moment, and no more."""

import re

import httpx

from app.domain.identity.states import Role
from tests.back_office import signed_in
from tests.integration.test_pages_home import NO_FUNDS, said
from tests.integration.test_pages_purchase import act, opened
from tests.product import Product
from tests.situations import behave, holder, pay

ROW = re.compile(r'<tr data-kind="(\w+)">.*?<a href="[^"]*">([^<]*)</a>', re.DOTALL)


def told_of(page: httpx.Response, kind: str) -> list[str]:
    """Give what the rows of a kind say, from the top."""
    return [what for found, what in ROW.findall(page.text) if found == kind]


async def test_a_hold_is_held_first_and_captured_later_in_a_row_of_its_own(
    product: Product,
) -> None:
    bought = (await pay(product, (await holder(product)).card, 1999))["id"]
    async with signed_in(product, Role.SUPPORT) as client:
        before = told_of(await opened(client, bought), "charge")
        await act(client, bought, "capture")
        await product.settled()
        page = await opened(client, bought)
    held = "21.49 on visa ···· 4242, attempt 1: held"
    assert before == [held]
    assert told_of(page, "charge") == [held, "21.49 on visa ···· 4242: captured"]
    kinds = [kind for kind, _ in ROW.findall(page.text) if kind != "webhook"]
    # The linked card is asked before the answer, and it is taken after the merchant took it.
    assert kinds.index("charge") < kinds.index("answer") < kinds.index("merchant")
    last = len(kinds) - 1 - kinds[::-1].index("charge")
    assert kinds.index("merchant") < last
    assert re.search(r"issuing_transaction\.created · acted on \d+\.\d s later", page.text)


async def test_a_part_that_is_taken_and_a_hold_that_is_let_go_say_so(product: Product) -> None:
    ada = await holder(product)
    parted, reversed_ = [(await pay(product, ada.card, 1999))["id"] for _ in range(2)]
    async with signed_in(product, Role.SUPPORT) as client:
        await act(client, parted, "capture", amount="10.00")
        await act(client, reversed_, "reverse")
        await product.settled()
        part = told_of(await opened(client, parted), "charge")
        gone = told_of(await opened(client, reversed_), "charge")
    assert part[1:] == ["21.49 on visa ···· 4242: 11.00 of it captured, the rest released"]
    assert gone[1:] == ["21.49 on visa ···· 4242: the hold is released"]


async def test_what_is_asked_for_later_is_asked_first_and_answered_then(product: Product) -> None:
    """Beyond the hold: a charge of its own, that the bank refuses once the card has no funds."""
    ada = await holder(product)
    bought = (await pay(product, ada.card, 1999))["id"]
    taken = (await pay(product, ada.card, 1999))["id"]
    async with signed_in(product, Role.SUPPORT) as client:
        await act(client, taken, "capture", amount="25.00")
        await product.settled()
        paid = told_of(await opened(client, taken), "charge")
        await behave(product, ada.sources[0].stripe_payment_method_id, NO_FUNDS)
        await act(client, bought, "capture", amount="25.00")
        await product.settled()
        page = await opened(client, bought)
    refused = told_of(page, "charge")
    beyond = "what merchants took beyond it: asked, no answer yet"
    assert beyond in paid[2], paid
    assert paid[3].endswith("on visa ···· 4242: charged"), paid
    assert beyond in refused[2], refused
    assert refused[3].endswith("declined, the bank: insufficient funds"), refused
    assert told_of(page, "debt") == ["the customer owes 5.01"]


async def test_a_bank_that_refused_at_once_and_money_given_back(product: Product) -> None:
    poor = await holder(product, sources=(NO_FUNDS,))
    declined = (await pay(product, poor.card, 1999))["id"]
    ada = await holder(product, email="bea@example.com")
    bought = (await pay(product, ada.card, 1999))["id"]
    async with signed_in(product, Role.SUPPORT) as client:
        await act(client, bought, "capture")
        await act(client, bought, "refund", amount="4.00")
        await product.settled()
        [told] = told_of(await opened(client, declined), "charge")
        page = await opened(client, bought)
    assert told.endswith(", attempt 1: declined, the bank: insufficient funds")
    assert told_of(page, "refund") == [
        "we ask to give back 4.30, 0.30 of it our fee: the merchant gave it back"
    ]
    assert told_of(page, "journal").count("the refund went to the linked card") == 1
    assert "refund.created" in page.text
    assert told_of(page, "charge")[-1] == "21.49 on visa ···· 4242: captured"
    assert "the refund went to the linked card" in said(page)

"""What staff do about debts and unmatched refunds, through the pages; it ends in true books."""

import asyncio
from contextlib import AsyncExitStack
from uuid import UUID

from app.domain.funding.receivables import pay_outside
from app.domain.identity.audit import SYSTEM
from app.domain.identity.reasons import Reason
from app.domain.identity.states import Role
from tests.acting import act, field_problem, opened
from tests.back_office import csrf_token_on, signed_in
from tests.books import balances, book_problems
from tests.oracle import kept_by_purchase, oracle
from tests.product import Product
from tests.situations import (
    LATER_DECLINES,
    VISA,
    Holder,
    behave,
    helper,
    holder,
    pay,
    refund,
    take_refund_back,
    unlinked_refund,
)

WHY = Reason("other", "a test")


async def indebted(product: Product) -> tuple[Holder, str, str]:
    """Give a customer who owes 20.00 for a tip, the purchase and the debt."""
    ada = await holder(product)
    bought: str = (await pay(product, ada.card, 10_000))["id"]
    await product.settled()
    await behave(product, ada.sources[0].stripe_payment_method_id, LATER_DECLINES)
    await helper(product, bought, "capture", capture_amount=12_000)
    await oracle(product, owed=[bought])
    [debt] = await product.rows("SELECT id FROM receivable")
    return ada, bought, str(debt["id"])


async def test_a_debt_is_tried_now_and_paid(product: Product) -> None:
    ada, bought, debt = await indebted(product)
    async with signed_in(product, Role.SUPPORT) as support:
        record = (await support.get(f"/admin/receivables/details/{debt}")).text
        assert f"/admin/act/collect-debt/{debt}" in record
        assert "write-off-debt" not in record
        form = await opened(support, "collect-debt", debt)
        assert (await form.send()).status_code == 303
        stale = await opened(support, "collect-debt", debt)
        await behave(product, ada.sources[0].stripe_payment_method_id, VISA)
        again = await opened(support, "collect-debt", debt)
        assert (await again.send()).status_code == 303
        assert (await again.send()).status_code == 303
        assert (await stale.send()).status_code == 409
        assert "The debt is collected." in (await support.get(stale.path)).text
    await oracle(product)
    assert await kept_by_purchase(product) == {bought: 12_000 + 650}
    told = await product.rows(
        "SELECT count(*) FROM audit_entry WHERE action = 'receivable.try_now'"
    )
    assert told == [{"count": 2}]


async def test_a_write_off_wants_four_eyes_and_is_recovered(product: Product) -> None:
    ada, bought, debt = await indebted(product)
    async with AsyncExitStack() as stack:
        finance = await stack.enter_async_context(signed_in(product, Role.FINANCE))
        second = await stack.enter_async_context(signed_in(product, Role.FINANCE, Role.RISK))
        support = await stack.enter_async_context(signed_in(product, Role.SUPPORT))
        assert (await support.get(f"/admin/act/write-off-debt/{debt}")).status_code == 403
        form = await opened(finance, "write-off-debt", debt)
        assert "20.00, as bad debt" in form.page.text
        assert field_problem(await form.send(reason=""), "reason")
        asked = await form.send()
        assert asked.status_code == 303
        place = asked.headers["location"].partition("?")[0]
        assert "waits for somebody" in (await finance.get(form.path)).text
        assert (await balances(product)).get(("5100", "posted"), 0) == 0
        for client, status in ((finance, 403), (second, 303), (second, 409)):
            page = await client.get(place)
            token = {"csrf_token": csrf_token_on(page)}
            sent = await client.post(f"{place}/approve", data=token)
            assert sent.status_code == status
        assert (await balances(product))["5100", "posted"] == 2_000
        await oracle(product, owed=[bought])
        await behave(product, ada.sources[0].stripe_payment_method_id, VISA)
        assert (await act(finance, "recover-debt", debt)).status_code == 303
    await oracle(product)
    assert (await balances(product)).get(("5100", "posted"), 0) == 0
    assert await kept_by_purchase(product) == {bought: 12_000 + 650}


async def test_a_debt_paid_to_our_bank_is_closed_by_two(product: Product) -> None:
    _, bought, debt = await indebted(product)
    async with AsyncExitStack() as stack:
        finance = await stack.enter_async_context(signed_in(product, Role.FINANCE))
        second = await stack.enter_async_context(signed_in(product, Role.OWNER))
        form = await opened(finance, "debt-paid-outside", debt)
        assert field_problem(await form.send(statement=""), "statement")
        asked = await form.send(statement="ADA BYRON 4711")
        place = asked.headers["location"].partition("?")[0]
        again = (await finance.get(f"/admin/act/write-off-debt/{debt}")).text
        assert "waits for somebody" in again
        page = await second.get(place)
        assert "ADA BYRON 4711" in page.text
        sent = await second.post(f"{place}/approve", data={"csrf_token": csrf_token_on(page)})
        assert sent.status_code == 303
        assert "The debt is paid outside." in (await finance.get(form.path)).text
    await oracle(product, owed=[bought])
    found = await balances(product)
    assert (found["1030", "posted"], found.get(("1100", "posted"), 0)) == (2_000, 0)

    # The card that paid 100.00 has it back first; no card can have the rest.
    await refund(product, bought, 11_000)
    await product.settled()
    found = await balances(product)
    assert (found["2100", "posted"], found.get(("2000", "posted"), 0)) == (-1_000, 0)
    [kept] = await product.rows("SELECT not_handled FROM card_authorization")
    assert kept["not_handled"] == (
        "a merchant gave back 10.00 of a debt that was paid outside: pay it back there"
    )


async def test_an_unmatched_refund_is_given_to_a_purchase(product: Product) -> None:
    ada = await holder(product)
    bought = []
    for _ in range(2):
        name: str = (await pay(product, ada.card, 2_000))["id"]
        await helper(product, name, "capture")
        await product.settled()
        bought.append(name)
    moved = await unlinked_refund(product, ada.card, 2_000)
    await product.settled()
    [row] = await product.rows(
        "SELECT id FROM card_transaction WHERE stripe_transaction_id = :name", name=moved
    )
    async with AsyncExitStack() as stack:
        finance = await stack.enter_async_context(signed_in(product, Role.FINANCE))
        support = await stack.enter_async_context(signed_in(product, Role.SUPPORT))
        assert (await support.get(f"/admin/act/assign-refund/{row['id']}")).status_code == 403
        record = await finance.get(f"/admin/transactions/details/{row['id']}")
        assert f"/admin/act/assign-refund/{row['id']}" in record.text
        form = await opened(finance, "assign-refund", row["id"])
        assert bought[0] in form.page.text
        wrong = await form.send(purchase="iauth_of_somebody_else")
        assert (wrong.status_code, field_problem(wrong, "purchase")) == (
            422,
            "Choose one of the list.",
        )
        assert (await form.send(purchase=bought[1])).status_code == 303
        assert (await form.send(purchase=bought[1])).status_code == 303
        assert "belongs to a purchase already" in (await finance.get(form.path)).text
    await product.settled()
    assert await book_problems(product) == []
    assert await kept_by_purchase(product) == {bought[0]: 2_150, bought[1]: 0}


async def test_what_takes_an_unmatched_refund_back_is_given_to_its_purchase(
    product: Product,
) -> None:
    ada = await holder(product)
    bought: str = (await pay(product, ada.card, 2_000))["id"]
    await helper(product, bought, "capture")
    await product.settled()
    elsewhere = {"merchant_data[name]": "Somebody Else", "merchant_data[network_id]": "987"}
    came = await unlinked_refund(product, ada.card, 2_000, **elsewhere)
    await take_refund_back(product, {"id": came})
    await product.settled()
    given, taken = [
        row["id"]
        for row in await product.rows(
            "SELECT id FROM card_transaction WHERE unmatched ORDER BY amount_minor DESC"
        )
    ]
    async with signed_in(product, Role.FINANCE) as finance:
        early = await finance.get(f"/admin/act/assign-refund/{taken}")
        assert "Say first which purchase the refund belongs to" in early.text
        form = await opened(finance, "assign-refund", given)
        assert (await form.send(purchase=bought)).status_code == 303
        await product.settled()
        assert await kept_by_purchase(product) == {bought: 0}

        form = await opened(finance, "assign-refund", taken)
        assert "Refund of 20.00 by Somebody Else, taken back" in form.page.text
        assert (await form.send(purchase=bought)).status_code == 303
        await product.settled()
    assert await book_problems(product) == []
    assert await kept_by_purchase(product) == {bought: 2_150}


async def test_two_cannot_take_the_same_refund_back_at_once(product: Product) -> None:
    ada = await holder(product)
    bought: str = (await pay(product, ada.card, 10_000))["id"]
    await helper(product, bought, "capture")
    await product.settled()
    elsewhere = {"merchant_data[name]": "Somebody Else", "merchant_data[network_id]": "987"}
    for _ in range(2):
        came = await unlinked_refund(product, ada.card, 4_000, **elsewhere)
        await take_refund_back(product, {"id": came})
    await product.settled()
    one, _, *takings = [
        str(row["id"])
        for row in await product.rows(
            "SELECT id FROM card_transaction WHERE unmatched ORDER BY amount_minor DESC, id"
        )
    ]
    async with AsyncExitStack() as stack:
        finance = await stack.enter_async_context(signed_in(product, Role.FINANCE))
        owner = await stack.enter_async_context(signed_in(product, Role.OWNER))
        form = await opened(finance, "assign-refund", one)
        assert (await form.send(purchase=bought)).status_code == 303
        await product.settled()
        forms = [
            await opened(client, "assign-refund", taking)
            for client, taking in zip((finance, owner), takings, strict=True)
        ]
        sent = await asyncio.gather(*(form.send(purchase=bought) for form in forms))
        assert sorted(answer.status_code for answer in sent) == [303, 409]
    await product.settled()
    assert await book_problems(product) == []
    assert await kept_by_purchase(product) == {bought: 10_550}


async def test_no_fee_is_asked_for_on_what_was_paid_to_our_bank(product: Product) -> None:
    ada, bought, debt = await indebted(product)
    now = product.parts.clock.now()
    async with product.parts.sessions.begin() as session:
        await pay_outside(
            session, UUID(debt), actor=SYSTEM, now=now, reason=WHY, expected_minor=2_000
        )
    await behave(product, ada.sources[0].stripe_payment_method_id, VISA)
    await helper(product, bought, "capture", capture_amount=1_000)
    await oracle(product, owed=[bought])
    # 105.50, and 10.00 with 5 % on them: nothing on the 20.00.
    assert await kept_by_purchase(product) == {bought: 10_550 + 1_050}


async def test_more_taken_back_than_was_given_is_told_to_staff(product: Product) -> None:
    ada = await holder(product)
    bought = []
    for _ in range(2):
        name: str = (await pay(product, ada.card, 2_000))["id"]
        await helper(product, name, "capture")
        await product.settled()
        bought.append(name)
    own = await refund(product, bought[0], 2_000)
    elsewhere = {"merchant_data[name]": "Somebody Else", "merchant_data[network_id]": "987"}
    came = await unlinked_refund(product, ada.card, 2_000, **elsewhere)
    await take_refund_back(product, {"id": came})
    await product.settled()
    unmatched = "SELECT id FROM card_transaction WHERE unmatched ORDER BY amount_minor DESC"
    async with signed_in(product, Role.FINANCE) as finance:
        for row, wrong in zip(await product.rows(unmatched), reversed(bought), strict=True):
            form = await opened(finance, "assign-refund", row["id"])
            assert (await form.send(purchase=wrong)).status_code == 303
            await product.settled()
    await take_refund_back(product, own)
    await product.settled()

    told = "SELECT stripe_authorization_id AS name, not_handled FROM card_authorization"
    found = {row["name"]: row["not_handled"] for row in await product.rows(told)}
    assert found == {
        bought[0]: "merchants took back 20.00 more of refunds than they gave",
        bought[1]: None,
    }

"""Refunds that a bank sends back: what staff are told, what the customer reads and is charged."""

import re
from contextlib import AsyncExitStack
from uuid import UUID

from app.domain.funding.receivables import pay_outside
from app.domain.identity.audit import SYSTEM
from app.domain.identity.reasons import Reason
from app.domain.identity.states import Role
from tests.acting import field_problem, opened
from tests.back_office import csrf_token_on, signed_in
from tests.books import balances
from tests.integration.test_portal_dashboard import words_on
from tests.integration.test_portal_purchases import id_of, signed_in_holder
from tests.journeys.settlement.by_hand import until_there
from tests.product import Product
from tests.situations import (
    LATER_DECLINES,
    VISA,
    Holder,
    behave,
    helper,
    holder,
    intents,
    pay,
    refund,
    take_refund_back,
)
from tests.waiting import until

SENDS_BACK = "pm_card_refundFail"
ALL_SENT_BACK = "SELECT bool_and(state = 'failed') AS all FROM refund HAVING count(*) = :many"


async def captured(
    product: Product, amount_minor: int, *, token: str = SENDS_BACK
) -> tuple[Holder, str]:
    """Give a customer and a purchase of 100.00 of which a merchant took this much."""
    ada = await holder(product, sources=(token,))
    name: str = (await pay(product, ada.card, 100_00))["id"]
    await product.settled()
    if token == VISA:
        await behave(product, ada.sources[0].stripe_payment_method_id, LATER_DECLINES)
    await helper(product, name, "capture", capture_amount=amount_minor)
    await product.settled()
    return ada, name


async def paid_outside(product: Product) -> tuple[Holder, str, UUID]:
    """Give a customer who paid a tip of 20.00 to our bank account, the purchase and the debt."""
    ada, name = await captured(product, 120_00, token=VISA)
    await until_there(product, "receivable", ada.customer.id)
    [debt] = await product.rows("SELECT id FROM receivable")
    async with product.parts.sessions.begin() as session:
        await pay_outside(
            session,
            debt["id"],
            actor=SYSTEM,
            now=product.parts.clock.now(),
            reason=Reason("other", "a test of ours"),
            expected_minor=20_00,
        )
    return ada, name, debt["id"]


async def sent_back(product: Product, many: int = 1) -> None:
    """Wait until the bank has sent so many refunds back."""

    async def are_back() -> bool:
        found = await product.rows(ALL_SENT_BACK, many=many)
        return bool(found and found[0]["all"])

    await until(are_back, seconds=30, why="the bank sends them back")
    await product.settled()


async def told(product: Product) -> str | None:
    """Give what staff are told that nobody has handled."""
    [row] = await product.rows("SELECT not_handled FROM card_authorization")
    words: str | None = row["not_handled"]
    return words


async def read_by(product: Product, ada: Holder, name: str) -> str:
    """Give the words of the purchase's page, as its customer has it."""
    async with signed_in_holder(product, ada) as client:
        return words_on((await client.get(f"/purchases/{await id_of(product, name)}")).text)


async def test_what_the_bank_sent_back_is_not_charged_again_when_its_merchant_takes_it_back(
    product: Product,
) -> None:
    ada, name = await captured(product, 100_00)
    given = await refund(product, name, 100_00)
    await sent_back(product)
    assert "We are looking for another way to pay it to you." in await read_by(product, ada, name)

    await take_refund_back(product, given)
    await product.settled()

    found = await intents(product, ada.customer.stripe_customer_id)
    assert [one["amount_received"] for one in found] == [105_50]
    books = await balances(product)
    assert {books[code, "posted"] for code in ("2000", "2100", "4010")} == {0}
    assert await told(product) is None
    page = await read_by(product, ada, name)
    assert "The merchant took it back before it could be paid to you." in page
    assert re.search(r"You are not charged again \$105\.50", page)
    assert "another way" not in page


async def test_all_that_the_bank_sent_back_is_told_as_one_sum(product: Product) -> None:
    _, name = await captured(product, 120_00)
    given = await refund(product, name, 120_00)
    await sent_back(product, many=2)
    assert await told(product) == (
        "the bank sent back a refund of 126.50: pay it to the customer another way"
    )

    await take_refund_back(product, given)
    await product.settled()
    assert await told(product) is None
    assert (await balances(product))["2100", "posted"] == 0


async def test_what_the_bank_sent_back_is_told_beside_a_debt_to_be_paid_back(
    product: Product,
) -> None:
    ada, name, _ = await paid_outside(product)
    await behave(product, ada.sources[0].stripe_payment_method_id, SENDS_BACK)
    await refund(product, name, 110_00)
    await sent_back(product)

    assert await told(product) == (
        "a merchant gave back 10.00 of a debt that was paid outside: pay it back there;"
        " the bank sent back a refund of 105.50: pay it to the customer another way"
    )


async def noted(product: Product, slug: str, row: object, place: str) -> None:
    """Have one member note that it was paid to the customer, and another approve it."""
    async with AsyncExitStack() as stack:
        finance = await stack.enter_async_context(signed_in(product, Role.FINANCE))
        second = await stack.enter_async_context(signed_in(product, Role.OWNER))
        support = await stack.enter_async_context(signed_in(product, Role.SUPPORT))
        assert (await support.get(f"/admin/act/{slug}/{row}")).status_code == 403
        path = f"/admin/{place}/details/{row}"
        assert f"/admin/act/{slug}/{row}" in (await finance.get(path)).text
        form = await opened(finance, slug, row)
        assert field_problem(await form.send(statement=""), "statement")
        asked = await form.send(statement="ADA BYRON 4711")
        where = asked.headers["location"].partition("?")[0]
        assert "waits for somebody" in (await finance.get(form.path)).text
        page = await second.get(where)
        assert "ADA BYRON 4711" in page.text
        token = {"csrf_token": csrf_token_on(page)}
        assert (await second.post(f"{where}/approve", data=token)).status_code == 303
        assert "Nothing of it is owed to the customer." in (await finance.get(form.path)).text
        assert slug not in (await finance.get(path)).text


async def test_a_refund_that_was_sent_back_is_noted_as_paid_and_then_charged_again(
    product: Product,
) -> None:
    ada, name = await captured(product, 100_00)
    given = await refund(product, name, 100_00)
    await sent_back(product)
    [row] = await product.rows("SELECT id, purchase_id FROM refund")
    await noted(product, "refund-paid-outside", row["id"], "refunds")

    assert await told(product) is None
    books = await balances(product)
    assert (books["2100", "posted"], books["1030", "posted"]) == (0, -105_50)
    page = await read_by(product, ada, name)
    assert "We have paid it to you another way." in page
    assert re.search(r"Paid to you another way \$105\.50 It came from our bank account", page)

    await take_refund_back(product, given)
    await product.settled()
    found = await intents(product, ada.customer.stripe_customer_id)
    assert sorted(one["amount_received"] for one in found) == [105_50, 105_50]
    assert await told(product) is None


async def test_what_was_taken_back_meanwhile_is_not_noted_as_paid(product: Product) -> None:
    _, name = await captured(product, 100_00)
    given = await refund(product, name, 100_00)
    await sent_back(product)
    [row] = await product.rows("SELECT id FROM refund")
    async with AsyncExitStack() as stack:
        finance = await stack.enter_async_context(signed_in(product, Role.FINANCE))
        second = await stack.enter_async_context(signed_in(product, Role.OWNER))
        stale = await opened(finance, "refund-paid-outside", row["id"])
        form = await opened(finance, "refund-paid-outside", row["id"])
        asked = await form.send(statement="ADA BYRON 4711")
        where = asked.headers["location"].partition("?")[0]
        await take_refund_back(product, given)
        await product.settled()

        token = {"csrf_token": csrf_token_on(await second.get(where))}
        refused = await second.post(f"{where}/approve", data=token)
        assert refused.status_code == 409
        assert "nothing of it is owed to the customer any more" in refused.text
        assert (await stale.send(statement="ADA BYRON 4711")).status_code == 409
    assert (await balances(product)).get(("1030", "posted"), 0) == 0


async def test_what_a_merchant_gave_back_of_a_debt_paid_outside_is_noted_as_paid_back(
    product: Product,
) -> None:
    ada, name, debt = await paid_outside(product)
    await refund(product, name, 110_00)
    await product.settled()
    assert "10.00 of a debt that was paid outside" in str(await told(product))

    await noted(product, "debt-paid-back", debt, "receivables")

    assert await told(product) is None
    books = await balances(product)
    assert (books["2100", "posted"], books["1030", "posted"]) == (0, 10_00)
    assert re.search(r"Paid to you another way \$10\.00", await read_by(product, ada, name))

    # What comes back of it later is told anew.
    await refund(product, name, 7_00)
    await product.settled()
    assert "7.00 of a debt that was paid outside" in str(await told(product))

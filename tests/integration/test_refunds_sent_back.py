"""Refunds that a bank sends back: what staff are told, what the customer reads and is charged."""

import re

from app.domain.funding.receivables import pay_outside
from app.domain.identity.audit import SYSTEM
from app.domain.identity.reasons import Reason
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
    await behave(product, ada.sources[0].stripe_payment_method_id, SENDS_BACK)
    await refund(product, name, 110_00)
    await sent_back(product)

    assert await told(product) == (
        "a merchant gave back 10.00 of a debt that was paid outside: pay it back there;"
        " the bank sent back a refund of 105.50: pay it to the customer another way"
    )

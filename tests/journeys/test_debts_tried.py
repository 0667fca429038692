"""Which linked cards are tried for what merchants took, and whether they are tried again later."""

from tests.books import book_problems
from tests.controls import later
from tests.journeys.settlement.by_hand import until_there
from tests.oracle import kept_by_purchase, oracle
from tests.product import Product
from tests.situations import VISA, behave, force_capture, helper, holder, link_token, pay

LOST = "pm_card_visa_chargeDeclinedLostCard"
NO_FUNDS = "pm_card_visa_chargeDeclinedInsufficientFunds"
MASTERCARD = "pm_card_mastercard"
DEBTS = "SELECT state, attempts, decline_code FROM receivable"
NEVER = "SELECT 1 FROM charge WHERE advice_code = 'do_not_try_again'"


async def test_a_tip_is_charged_to_a_card_that_paid_since_its_bank_said_never_again(
    product: Product,
) -> None:
    ada = await holder(product)
    await behave(product, ada.sources[0].stripe_payment_method_id, LOST)
    assert not (await pay(product, ada.card, 10_00))["approved"]
    await behave(product, ada.sources[0].stripe_payment_method_id, VISA)
    bought = await pay(product, ada.card, 50_00)
    assert bought["approved"]
    await helper(product, bought["id"], "capture", capture_amount=60_00)
    await oracle(product)
    assert await product.rows(DEBTS) == []
    assert (await kept_by_purchase(product))[bought["id"]] == 60_00 + 3_50


async def test_a_bank_that_said_never_again_last_is_not_asked_for_more(product: Product) -> None:
    ada = await holder(product)
    bought = await pay(product, ada.card, 50_00)
    await behave(product, ada.sources[0].stripe_payment_method_id, LOST)
    assert not (await pay(product, ada.card, 10_00))["approved"]
    await helper(product, bought["id"], "capture", capture_amount=60_00)
    await oracle(product, owed=[bought["id"]])
    assert await product.rows(DEBTS) == [{"state": "open", "attempts": 0, "decline_code": None}]
    assert len(await product.rows(NEVER)) == 1


async def test_a_debt_is_paid_by_the_same_card_linked_again(product: Product) -> None:
    ada = await holder(product)
    await behave(product, ada.sources[0].stripe_payment_method_id, LOST)
    await force_capture(product, ada.card, 30_00)
    await product.settled()
    lost = {"state": "open", "attempts": 1, "decline_code": "lost_card"}
    assert await product.rows(DEBTS) == [lost]
    again = await link_token(product, ada.customer, VISA)
    assert again.id == ada.sources[0].id
    await until_there(product, "receivable", ada.customer.id, "state = 'collected'")
    await product.settled()
    assert await book_problems(product) == []


async def test_a_lost_second_card_ends_no_tries_of_the_first(product: Product) -> None:
    ada = await holder(product, sources=(VISA, MASTERCARD))
    first, second = (one.stripe_payment_method_id for one in ada.sources)
    await behave(product, first, NO_FUNDS)
    await behave(product, second, LOST)
    await force_capture(product, ada.card, 30_00)
    await product.settled()
    poor = {"state": "open", "decline_code": "insufficient_funds"}
    assert await product.rows(DEBTS) == [{**poor, "attempts": 1}]
    await later(product, days=3)
    await until_there(product, "receivable", ada.customer.id, "attempts = 2")
    assert await product.rows(DEBTS) == [{**poor, "attempts": 2}]
    await behave(product, first, VISA)
    await later(product, days=5)
    await until_there(product, "receivable", ada.customer.id, "state = 'collected'")
    await product.settled()
    assert await book_problems(product) == []

"""A debt that was given up, and is paid in the end."""

from app.domain.funding.receivables import try_now, write_off
from app.domain.identity.audit import SYSTEM
from tests.books import balances
from tests.oracle import kept_by_purchase, oracle
from tests.product import Product
from tests.situations import LATER_DECLINES, VISA, behave, helper, holder, pay


async def test_what_was_written_off_is_recovered_once_a_card_pays(product: Product) -> None:
    ada = await holder(product)
    saved = ada.sources[0].stripe_payment_method_id
    bought = (await pay(product, ada.card, 10_000))["id"]
    await product.settled()
    await behave(product, saved, LATER_DECLINES)
    await helper(product, bought, "capture", capture_amount=12_000)
    await oracle(product, owed=[bought])
    [debt] = await product.rows("SELECT id, amount_minor FROM receivable")
    assert debt["amount_minor"] == 2_000

    sessions, now = product.parts.sessions, product.parts.clock.now
    await write_off(sessions, debt["id"], "moved away", actor=SYSTEM, now=now())
    assert (await balances(product))["5100", "posted"] == 2_000
    await behave(product, saved, VISA)
    await try_now(sessions, debt["id"], "came back", actor=SYSTEM, now=now())
    await product.parts.settler.settle(bought)

    await oracle(product)
    assert await kept_by_purchase(product) == {bought: 12_000 + 650}
    assert (await balances(product)).get(("5100", "posted"), 0) == 0
    [debt] = await product.rows("SELECT state FROM receivable")
    assert debt == {"state": "recovered"}

"""What merchants give back, and what they take without asking."""

from collections.abc import Sequence
from typing import Any

from app.domain.identity.audit import SYSTEM
from app.domain.issuing.states import CardState
from app.domain.issuing.unlinked import UnlinkedTransactions
from tests.cards import move_card
from tests.journeys.settlement.by_hand import until_there
from tests.product import Product
from tests.situations import (
    LATER_DECLINES,
    VISA,
    Holder,
    behave,
    force_capture,
    helper,
    holder,
    pay,
    refund,
    take_refund_back,
    unlinked_refund,
)

WAITS = "authorization_id IS NULL AND not_handled IS NOT NULL"


async def forced_without_authorization(product: Product, email: str) -> Sequence[str]:
    """14."""
    ada = await holder(product, email=email)
    return [await force_capture(product, ada.card, 50_00)]


async def forced_and_nobody_pays(product: Product, email: str) -> Sequence[str]:
    """14, and the linked card refuses."""
    ada = await holder(product, email=email, sources=(LATER_DECLINES,))
    return [await force_capture(product, ada.card, 50_00)]


async def forced_after_a_decline(product: Product, email: str) -> Sequence[str]:
    """15: the merchant was told no, and took the money all the same."""
    ada = await holder(product, email=email, purchase_limit_minor=20_00)
    declined = await pay(product, ada.card, 50_00)
    assert not declined["approved"]
    await _take_all_the_same(product, declined["id"])
    return [declined["id"]]


async def forced_after_a_reversal(product: Product, email: str) -> Sequence[str]:
    """8 and 15: the merchant let go, and took the money all the same."""
    ada = await holder(product, email=email)
    name = (await pay(product, ada.card, 50_00))["id"]
    await helper(product, name, "reverse")
    await until_there(product, "charge", ada.customer.id, "state IN ('canceled', 'refunded')")
    await _take_all_the_same(product, name)
    return [name]


async def forced_on_a_replaced_card(product: Product, email: str) -> Sequence[str]:
    """35: the old number is charged when it is closed."""
    ada = await holder(product, email=email, cards=2)
    await _close(product, ada)
    return [await force_capture(product, ada.card, 50_00)]


async def forced_in_euros(product: Product, email: str) -> Sequence[str]:
    """38: it is in the books, and waits for a person."""
    ada = await holder(product, email=email)
    return [await force_capture(product, ada.card, 50_00, currency="eur")]


async def refunded_in_full(product: Product, email: str) -> Sequence[str]:
    """16."""
    name, _ = await _captured(product, email)
    await refund(product, name, 100_00)
    return [name]


async def refunded_in_part(product: Product, email: str) -> Sequence[str]:
    """16."""
    name, _ = await _captured(product, email)
    await refund(product, name, 40_00)
    return [name]


async def refunded_half_a_cent_of_fee(product: Product, email: str) -> Sequence[str]:
    """16: of a fee of 1.00 on 10.00, 0.25 is 2.5 cents."""
    name, _ = await _captured(product, email, 10_00)
    await refund(product, name, 25)
    return [name]


async def refunded_in_three_parts(product: Product, email: str) -> Sequence[str]:
    """16: the parts of the fee that go back make the whole of it."""
    name, _ = await _captured(product, email)
    for amount in (33_33, 33_33, 33_34):
        await refund(product, name, amount)
    return [name]


async def refunded_while_it_was_owed(product: Product, email: str) -> Sequence[str]:
    """4 and 16: the merchant gives back the tip that nobody has paid."""
    ada = await holder(product, email=email)
    name = (await pay(product, ada.card, 100_00))["id"]
    await behave(product, ada.sources[0].stripe_payment_method_id, LATER_DECLINES)
    await helper(product, name, "capture", capture_amount=120_00)
    await until_there(product, "receivable", ada.customer.id)
    await refund(product, name, 20_00)
    return [name]


async def refund_taken_back(product: Product, email: str) -> Sequence[str]:
    """16, and the merchant reverses its refund, which the customer has had already."""
    name, ada = await _captured(product, email)
    given = await refund(product, name, 40_00)
    await until_there(product, "refund", ada.customer.id, "state = 'succeeded'")
    await take_refund_back(product, given)
    return [name]


async def refund_taken_back_and_nobody_pays(product: Product, email: str) -> Sequence[str]:
    """The same, and the linked card refuses to give it again."""
    name, ada = await _captured(product, email)
    given = await refund(product, name, 40_00)
    await until_there(product, "refund", ada.customer.id, "state = 'succeeded'")
    await behave(product, ada.sources[0].stripe_payment_method_id, LATER_DECLINES)
    await take_refund_back(product, given)
    return [name]


async def refund_that_names_nothing(product: Product, email: str) -> Sequence[str]:
    """17: it fits one purchase of the card."""
    name, ada = await _captured(product, email)
    await until_there(product, "card_transaction", ada.customer.id)
    await unlinked_refund(product, ada.card, 40_00)
    return [name]


async def refund_that_a_person_assigns(product: Product, email: str) -> Sequence[str]:
    """17: it fits none, until a person says which."""
    name, ada = await _captured(product, email)
    await until_there(product, "card_transaction", ada.customer.id)
    elsewhere = {"merchant_data[name]": "Somebody Else", "merchant_data[network_id]": "987"}
    given = await unlinked_refund(product, ada.card, 25_00, **elsewhere)
    await until_there(product, "card_transaction", ada.customer.id, WAITS)
    unlinked = UnlinkedTransactions(product.parts.sessions, product.parts.settler)
    await unlinked.assign(given, name, "a test", actor=SYSTEM)
    return [name]


async def refund_that_fits_nothing(product: Product, email: str) -> Sequence[str]:
    """17: it waits for a person."""
    ada = await holder(product, email=email)
    await unlinked_refund(product, ada.card, 15_00)
    await until_there(product, "card_transaction", ada.customer.id, WAITS)
    return []


async def refund_to_a_closed_card(product: Product, email: str) -> Sequence[str]:
    """18."""
    name, ada = await _captured(product, email)
    await _close(product, ada)
    await refund(product, name, 100_00)
    return [name]


async def refund_that_the_bank_sends_back(product: Product, email: str) -> Sequence[str]:
    """18: the linked card is gone; what the customer is owed stays owed."""
    name, _ = await _captured(product, email, token="pm_card_refundFail")
    await refund(product, name, 100_00)
    return [name]


async def refund_that_the_bank_sends_back_and_the_merchant_takes_back(
    product: Product, email: str
) -> Sequence[str]:
    """18, and the merchant reverses its refund, which the customer never had."""
    name, ada = await _captured(product, email, token="pm_card_refundFail")
    given = await refund(product, name, 100_00)
    await until_there(product, "refund", ada.customer.id, "state = 'failed'")
    await take_refund_back(product, given)
    return [name]


async def refund_that_pends(product: Product, email: str) -> Sequence[str]:
    """16, over a bank that takes its time."""
    name, _ = await _captured(product, email, token="pm_card_pendingRefund")
    await refund(product, name, 100_00)
    return [name]


async def refund_in_another_currency(product: Product, email: str) -> Sequence[str]:
    """19: bought for 90.00 euros, given back in euros when they were worth less dollars."""
    ada = await holder(product, email=email)
    euros: dict[str, Any] = {"merchant_amount": 90_00, "merchant_currency": "eur"}
    name = (await pay(product, ada.card, 100_00, **euros))["id"]
    await helper(product, name, "capture")
    await refund(product, name, 98_50)
    return [name]


async def _captured(
    product: Product, email: str, amount_minor: int = 100_00, token: str = VISA
) -> tuple[str, Holder]:
    ada = await holder(product, email=email, sources=(token,))
    name: str = (await pay(product, ada.card, amount_minor))["id"]
    await helper(product, name, "capture")
    return name, ada


async def _take_all_the_same(product: Product, authorization: str) -> None:
    path = f"issuing/authorizations/{authorization}/force_capture"
    await product.control(path, {"amount": 50_00})


async def _close(product: Product, ada: Holder) -> None:
    path = f"/v1/issuing/cards/{ada.card.stripe_card_id}"
    await product.call("POST", path, status="canceled")
    await move_card(product, ada.card, CardState.CLOSED)

"""Which purchases staff can choose from for a refund that names none, and what they are told."""

import re
from typing import Any

from app.domain.identity.states import Role
from app.domain.issuing.models import Card
from tests.acting import Form, opened
from tests.back_office import signed_in
from tests.books import book_problems
from tests.oracle import kept_by_purchase
from tests.product import Product
from tests.situations import helper, holder, pay, unlinked_refund
from tests.waiting import until

ELSEWHERE = {"merchant_data[name]": "Zuni Cafe", "merchant_data[network_id]": "987"}
AGO = "UPDATE {table} SET occurred_at = occurred_at - interval '{days} days'"


async def taken(product: Product, card: Card, amount_minor: int, **merchant: str) -> str:
    """Buy something, at Blue Bottle unless elsewhere; give the purchase's name."""
    name: str = (await pay(product, card, amount_minor, **merchant))["id"]
    await helper(product, name, "capture")
    await product.settled()
    return name


async def waiting(product: Product, card: Card, amount_minor: int) -> Any:
    """Have a refund of Blue Bottle's wait for its purchase; give its id."""
    name = await unlinked_refund(product, card, amount_minor)
    waits = "SELECT id FROM card_transaction WHERE not_handled IS NOT NULL"
    waits += " AND stripe_transaction_id = :name"

    async def there() -> bool:
        return bool(await product.rows(waits, name=name))

    await until(there)
    [row] = await product.rows(waits, name=name)
    return row["id"]


def options(form: Form) -> list[str]:
    return re.findall(r'<option value="(iauth[^"]*)"', form.page.text)


async def test_purchases_at_the_merchant_that_gave_come_first_in_the_list(
    product: Product,
) -> None:
    ada = await holder(product, cards=2)
    elsewhere = await taken(product, ada.cards[1], 40_00, **ELSEWHERE)
    older = await taken(product, ada.cards[0], 100_00)
    await product.as_owner(AGO.format(table="card_transaction", days=1))
    newer = await taken(product, ada.cards[0], 100_00)
    moved = await waiting(product, ada.cards[1], 40_00)
    async with signed_in(product, Role.FINANCE) as finance:
        form = await opened(finance, "assign-refund", moved)
        assert options(form) == [newer, older, elsewhere]
        assert "less left" not in form.page.text


async def test_a_purchase_of_more_than_a_year_ago_can_be_chosen(product: Product) -> None:
    ada = await holder(product)
    name = await taken(product, ada.card, 100_00)
    for table in ("card_transaction", "card_authorization"):
        await product.as_owner(AGO.format(table=table, days=370))
    moved = await waiting(product, ada.card, 40_00)
    async with signed_in(product, Role.FINANCE) as finance:
        form = await opened(finance, "assign-refund", moved)
        assert options(form) == [name]
        assert (await form.send(purchase=name)).status_code == 303
        await product.settled()
    assert await book_problems(product) == []
    assert await kept_by_purchase(product) == {name: 63_30}


async def test_what_a_refund_brings_beyond_a_purchase_is_told_before(product: Product) -> None:
    ada = await holder(product)
    name = await taken(product, ada.card, 20_00)
    moved = await waiting(product, ada.card, 40_00)
    async with signed_in(product, Role.FINANCE) as finance:
        form = await opened(finance, "assign-refund", moved)
        assert "Where the purchase has less left than 40.00, what is beyond" in form.page.text
        assert (await form.send(purchase=name)).status_code == 303
        await product.settled()
    [row] = await product.rows("SELECT not_handled FROM card_authorization")
    assert "20.00 more than it took: a person must say whose it is" in row["not_handled"]

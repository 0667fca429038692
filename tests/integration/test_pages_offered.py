"""A record offers what can be done to it now and nothing else; an action's page says why."""

import re
from typing import Any

import httpx
import pytest

from app.domain.identity.states import Role
from tests.back_office import signed_in
from tests.integration.test_pages_home import NO_FUNDS, said
from tests.product import Product
from tests.situations import Holder, helper, holder, pay

GAMBLING = {"merchant_data[category]": "betting_casino_gambling"}


async def offered(client: httpx.AsyncClient, where: str) -> set[str]:
    """Give the names of the actions that a record's page offers."""
    page = await client.get(where)
    assert page.status_code == 200, page.text
    return set(re.findall(r'href="/admin/act/([a-z-]+)/', page.text))


async def why_not(client: httpx.AsyncClient, slug: str, key: Any) -> str:
    return said(await client.get(f"/admin/act/{slug}/{key}")).partition("Not possible now")[2]


async def ours(product: Product, bought: dict[str, Any]) -> Any:
    query = "SELECT id FROM card_authorization WHERE stripe_authorization_id = :name"
    [row] = await product.rows(query, name=bought["id"])
    return row["id"]


async def test_a_refund_is_offered_where_something_was_taken(product: Product) -> None:
    ada = await holder(product)
    held = await pay(product, ada.card, 1999)
    reversed_ = await pay(product, ada.card, 1999)
    await helper(product, reversed_["id"], "reverse")
    declined = await pay(product, ada.card, 1999, **GAMBLING)
    taken = await pay(product, ada.card, 1999)
    await helper(product, taken["id"], "capture")
    await product.settled()
    async with signed_in(product, Role.FINANCE) as client:
        for bought, why in (
            (held, "The merchant can still take it or let it go"),
            (reversed_, "Nothing that the customer paid for it is left to give back."),
            (declined, "Nothing that the customer paid for it is left to give back."),
        ):
            key = await ours(product, bought)
            assert "refund-purchase" not in await offered(client, f"/admin/purchase/{key}")
            assert why in await why_not(client, "refund-purchase", key)
        key = await ours(product, taken)
        assert "refund-purchase" in await offered(client, f"/admin/purchase/{key}")


async def _blocked(product: Product) -> tuple[Holder, dict[str, Any]]:
    ada = await holder(product, blocked_categories=["fast_food_restaurants"])
    bought = await pay(product, ada.card, 1999)
    assert bought["approved"] is False
    await product.settled()
    return ada, bought


async def test_what_staff_can_let_pass_is_offered_until_it_is_allowed(product: Product) -> None:
    ada, bought = await _blocked(product)
    key = await ours(product, bought)
    async with signed_in(product, Role.RISK) as client:
        assert "allow-once" in await offered(client, f"/admin/purchase/{key}")
        page = await client.get(f"/admin/act/allow-once/{key}")
        form = dict(re.findall(r'name="(csrf_token|once|seen)" value="([^"]*)"', page.text))
        form |= {"reason": "customer_asked", "note": "Is at the till", "sure": "yes"}
        assert (await client.post(f"/admin/act/allow-once/{key}", data=form)).status_code == 303
        assert "allow-once" not in await offered(client, f"/admin/purchase/{key}")
        page = await client.get(f"/admin/purchase/{key}")
        assert "Allowed once the next try may pass until " in said(page)
        assert "It is allowed already, until" in await why_not(client, "allow-once", key)
        # Used up, it can be given once more.
        assert (await pay(product, ada.card, 1999))["approved"] is True
        assert "allow-once" in await offered(client, f"/admin/purchase/{key}")
        assert "the next try may pass" not in said(await client.get(f"/admin/purchase/{key}"))


STOPS = {
    "the card is closed now": "UPDATE card SET state = 'closed'",
    "the card is frozen now": "UPDATE card SET state = 'frozen', frozen_by = 'staff'",
    "the customer is frozen now": "UPDATE customer SET state = 'frozen'",
}


@pytest.mark.parametrize("why", STOPS)
async def test_no_allowance_is_offered_where_the_card_could_not_buy(
    product: Product, why: str
) -> None:
    _, bought = await _blocked(product)
    key = await ours(product, bought)
    await product.as_owner(STOPS[why])
    async with signed_in(product, Role.RISK) as client:
        assert "allow-once" not in await offered(client, f"/admin/purchase/{key}")
        assert f"T{why[1:]}" in await why_not(client, "allow-once", key)


async def test_no_allowance_is_offered_while_all_is_stopped_or_for_others_refusals(
    product: Product,
) -> None:
    _, bought = await _blocked(product)
    poor = await holder(product, email="bea@example.com", sources=(NO_FUNDS,))
    by_bank = await pay(product, poor.card, 1999)
    path = f"/v1/issuing/cards/{poor.card.stripe_card_id}"
    assert (await product.call("POST", path, status="inactive"))["status"] == "inactive"
    by_stripe = await pay(product, poor.card, 1999)
    await product.settled()
    async with signed_in(product, Role.RISK) as client:
        for one, why in ((by_bank, "insufficient funds"), (by_stripe, "nobody can let that pass")):
            key = await ours(product, one)
            assert "allow-once" not in await offered(client, f"/admin/purchase/{key}")
            assert why in await why_not(client, "allow-once", key)
        page = await client.get("/admin/act/stop-all/new")
        form = dict(re.findall(r'name="(csrf_token|once|seen)" value="([^"]*)"', page.text))
        form |= {"reason": "incident", "note": "All of it", "sure": "yes", "mode": "enforced"}
        done = await client.post("/admin/act/stop-all/new", data=form)
        assert done.status_code == 303, done.text
        key = await ours(product, bought)
        assert "allow-once" not in await offered(client, f"/admin/purchase/{key}")
        assert "All purchases are stopped at the moment" in await why_not(client, "allow-once", key)
        # What a merchant, a category or a country are stopped with is offered all the same.
        assert "stop-merchant" in await offered(client, f"/admin/purchase/{key}")


async def test_a_card_of_a_frozen_customer_is_not_replaced_and_nobody_is_signed_out_twice(
    product: Product,
) -> None:
    ada = await holder(product)
    where = f"/admin/cards/details/{ada.card.id}"
    async with signed_in(product, Role.SUPPORT) as client:
        assert "replace-card" in await offered(client, where)
        assert "sign-out-customer" not in await offered(
            client, f"/admin/customer/{ada.customer.id}"
        )
        told = await why_not(client, "sign-out-customer", ada.customer.id)
        assert "The customer is signed in nowhere." in told
        await product.as_owner("UPDATE customer SET state = 'frozen'")
        assert "replace-card" not in await offered(client, where)
        told = await why_not(client, "replace-card", ada.card.id)
        assert "The customer is frozen and cannot hold cards." in told

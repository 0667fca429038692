"""The page of linked cards: order, health, what depends on a card, and taking one out."""

import html

import httpx
import pytest

from tests.portal import entered, form_token_on, hidden_on, setup_on
from tests.product import Product
from tests.situations import LATER_DECLINES, VISA, behave, force_capture, helper, holder, pay
from tests.waiting import until

MASTERCARD = "pm_card_mastercard"
AMEX = "pm_card_amex"
ORDER = "SELECT last4 FROM funding_source WHERE state = 'active' ORDER BY is_default DESC, priority"


async def act(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    token = form_token_on(await client.get("/settings"))
    return await client.post(path, data={"form_token": token, **fields})


async def confirm(product: Product, client: httpx.AsyncClient, path: str) -> None:
    """Have the bank confirm a linked card; its question is left out."""
    page = await client.get(path)
    fields = {name: hidden_on(page, name) for name in ("form_token", "once", "shown", "confirms")}
    begun = await client.post("/funding/link", data=fields | {"agree": "yes"})
    address = begun.headers["location"]
    setup = await setup_on(client, address)
    assert "data-confirms" in (await client.get(address)).text
    await product.call("POST", f"/v1/setup_intents/{setup}/confirm")
    done = await act(client, f"{address}/finish")
    assert done.headers["location"] == "/funding?done=confirmed"


async def test_the_order_of_trying_is_changed(product: Product) -> None:
    ada = await holder(product, sources=(VISA, MASTERCARD, AMEX))
    async with entered(product, ada.customer) as client:
        page = await client.get("/funding")
        assert page.text.index("4242") < page.text.index("4444") < page.text.index("0005")
        for source, way, order in (
            (2, "first", ["0005", "4242", "4444"]),
            (0, "down", ["0005", "4444", "4242"]),
            (0, "up", ["0005", "4242", "4444"]),
            (0, "sideways", ["0005", "4242", "4444"]),
        ):
            sent = await act(client, f"/funding/{ada.sources[source].id}/order", way=way)
            assert sent.headers["location"] == "/funding?done=order"
            assert [row["last4"] for row in await product.rows(ORDER)] == order


async def test_a_card_is_removed_and_the_next_takes_its_place(product: Product) -> None:
    ada = await holder(product, sources=(VISA, MASTERCARD), cards=2)
    first = ada.sources[0]
    async with entered(product, ada.customer) as client:
        asked = html.unescape((await client.get(f"/funding/{first.id}/remove")).text)
        assert "charged to Mastercard •••• 4444" in asked
        assert "Card 1" in asked
        assert "Card 2" in asked
        done = await act(client, f"/funding/{first.id}/remove")
        assert done.headers["location"] == "/funding?done=removed"
        assert "4242" not in (await client.get("/funding")).text
        again = await act(client, f"/funding/{first.id}/remove")
        assert again.status_code == 404
    assert [row["last4"] for row in await product.rows(ORDER)] == ["4444"]

    async def forgotten() -> bool:
        path = f"/v1/payment_methods/{first.stripe_payment_method_id}"
        return (await product.call("GET", path))["customer"] is None

    await until(forgotten)
    bought = await pay(product, ada.card, 1000)
    assert bought["approved"]


async def test_a_card_that_alone_carries_a_hold_stays(product: Product) -> None:
    ada = await holder(product)
    [only] = ada.sources
    bought = await pay(product, ada.card, 1999)
    async with entered(product, ada.customer) as client:
        asked = await client.get(f"/funding/{only.id}/remove")
        assert "$21.49 is on hold on it for 1 purchase" in asked.text
        refused = await act(client, f"/funding/{only.id}/remove")
        assert refused.status_code == 409
        assert "Link another card first" in refused.text
        await helper(product, bought["id"], "reverse")
        await product.settled()
        done = await act(client, f"/funding/{only.id}/remove")
        assert done.status_code == 303
        assert "every purchase is declined" in (await client.get("/funding")).text


@pytest.mark.parametrize(
    ("token", "told"),
    [
        (LATER_DECLINES, "declined last time"),
        ("pm_card_authenticationRequired", "your bank wants to ask you"),
        ("pm_card_visa_chargeDeclinedLostCard", "cannot be charged"),
        ("pm_card_chargeDeclinedExpiredCard", "expired"),
    ],
)
async def test_a_card_says_how_its_bank_took_the_last_purchase(
    product: Product, token: str, told: str
) -> None:
    ada = await holder(product)
    async with entered(product, ada.customer) as client:
        assert "ready" in (await client.get("/funding")).text
        await behave(product, ada.sources[0].stripe_payment_method_id, token)
        assert not (await pay(product, ada.card, 1000))["approved"]
        assert told in (await client.get("/funding")).text


async def test_a_bank_that_asks_is_answered_and_the_card_pays_again(product: Product) -> None:
    ada = await holder(product)
    [source] = ada.sources
    saved = source.stripe_payment_method_id
    await behave(product, saved, "pm_card_authenticationRequired")
    assert not (await pay(product, ada.card, 1000))["approved"]
    async with entered(product, ada.customer) as client:
        path = f"/funding/link?confirms={source.id}"
        assert path in (await client.get("/funding")).text
        await confirm(product, client, path)
        assert "ready" in (await client.get("/funding")).text
    await product.control(f"payment_methods/{saved}/behaves_like", {"token": None})
    assert (await pay(product, ada.card, 1000))["approved"]


async def test_what_is_owed_is_charged_once_the_bank_has_confirmed(product: Product) -> None:
    ada = await holder(product)
    [source] = ada.sources
    saved = source.stripe_payment_method_id
    await behave(product, saved, "pm_card_authenticationRequired")
    await force_capture(product, ada.card, 3000)
    await product.settled()
    async with entered(product, ada.customer) as client:
        page = await client.get("/funding")
        assert "$32.00 is open" in page.text
        assert "your bank wants to ask you" in page.text
        await product.control(f"payment_methods/{saved}/behaves_like", {"token": None})
        await confirm(product, client, f"/funding/link?confirms={source.id}")

        async def paid() -> bool:
            return "is open" not in (await client.get("/funding")).text

        await until(paid)
    [debt] = await product.rows("SELECT state FROM receivable")
    assert debt["state"] == "collected"


async def test_another_customers_card_is_not_found(product: Product) -> None:
    ada = await holder(product)
    eve = await holder(product, email="eve@example.com")
    path = f"/funding/{ada.sources[0].id}"
    async with entered(product, eve.customer) as client:
        assert (await client.get(f"{path}/remove")).status_code == 404
        assert (await act(client, f"{path}/remove")).status_code == 404
        assert (await act(client, f"{path}/order", way="first")).status_code == 404
    assert len(await product.rows(ORDER)) == 2

"""A customer pays a debt: once, with the card chosen, and only by what Stripe says of it."""

import html
import re

import httpx

from tests.books import book_problems
from tests.integration.test_portal_funding import act
from tests.portal import entered
from tests.product import Product
from tests.situations import VISA, Holder, behave, force_capture, holder, intents
from tests.waiting import until

MASTERCARD = "pm_card_mastercard"
ASKS = "pm_card_authenticationRequired"
DEBTS = "SELECT state, attempts FROM receivable"
PAYMENTS = "SELECT * FROM charge WHERE on_session ORDER BY attempt"


async def in_debt(product: Product, sources: tuple[str, ...] = (VISA,)) -> tuple[Holder, str]:
    """Make a customer whose banks all want to ask first; give the page that pays the debt."""
    ada = await holder(product, sources=sources)
    for source in ada.sources:
        await behave(product, source.stripe_payment_method_id, ASKS)
    await force_capture(product, ada.card, 3000)
    await product.settled()
    [debt] = await product.rows("SELECT id FROM receivable WHERE state = 'open'")
    return ada, f"/funding/pay/{debt['id']}"


async def begin(client: httpx.AsyncClient, path: str, source: object) -> str:
    chosen = await act(client, path, source=str(source))
    assert chosen.status_code == 303, chosen.text
    return chosen.headers["location"]


async def intent_on(client: httpx.AsyncClient, address: str) -> str:
    page = await client.get(address)
    found = re.search(r'data-secret="(pi_\w+?)_secret_', page.text)
    assert found, page.text
    return found[1]


async def answer(product: Product, intent: str, *, yes: bool) -> None:
    """Confirm as the browser does, and answer the bank's question."""
    asked = await product.call("POST", f"/v1/payment_intents/{intent}/confirm")
    assert asked["status"] == "requires_action", asked
    await product.control(f"intents/{intent}/authenticate", {"succeed": yes})


async def test_a_debt_is_paid_by_what_stripe_says(product: Product) -> None:
    ada, path = await in_debt(product)
    async with entered(product, ada.customer) as client:
        assert path in (await client.get("/funding")).text
        shown = await client.get(path)
        assert "$30.00" in shown.text
        assert "$32.00" in shown.text
        assert "Choose the card" in (await act(client, path, source="none")).text
        first = await begin(client, path, ada.sources[0].id)
        assert await begin(client, path, ada.sources[0].id) == first
        intent = await intent_on(client, first)
        assert await intent_on(client, first) == intent
        await nobody_else_finds(product, path, first)
        # Neither a page that says so nor a question that is open makes it paid.
        assert (await act(client, f"{first}/finish")).headers["location"] == first
        assert [row["state"] for row in await product.rows(PAYMENTS)] == ["unknown"]
        await answer(product, intent, yes=True)
        done = await act(client, f"{first}/finish")
        assert done.headers["location"] == "/funding?done=paid"
        assert "is open" not in (await client.get("/funding")).text
        assert "It is paid" in (await client.get(first)).text
        assert (await act(client, path, source=str(ada.sources[0].id))).status_code == 409
        assert "Nothing is open" in (await client.get(path)).text
    await product.settled()
    assert [row["state"] for row in await product.rows(DEBTS)] == ["collected"]
    taken = await intents(product, ada.customer.stripe_customer_id)
    assert [one["amount_received"] for one in taken if one["status"] == "succeeded"] == [3200]
    assert await book_problems(product) == []


async def nobody_else_finds(product: Product, path: str, address: str) -> None:
    eve = await holder(product, email="eve@example.com")
    async with entered(product, eve.customer) as client:
        for theirs in (path, address):
            assert (await client.get(theirs)).status_code == 404
        assert (await act(client, path, source=str(eve.sources[0].id))).status_code == 404
        assert (await act(client, f"{address}/finish")).status_code == 404
        assert (await act(client, f"{address}/stop")).status_code == 404


async def test_a_payment_whose_page_was_closed_is_found_by_stripes_event(product: Product) -> None:
    ada, path = await in_debt(product)
    async with entered(product, ada.customer) as client:
        intent = await intent_on(client, await begin(client, path, ada.sources[0].id))
    await answer(product, intent, yes=True)

    async def collected() -> bool:
        return [row["state"] for row in await product.rows(DEBTS)] == ["collected"]

    await until(collected)
    await product.settled()
    assert await book_problems(product) == []


async def test_a_refusal_leaves_it_open_and_another_card_pays(product: Product) -> None:
    ada, path = await in_debt(product, (VISA, MASTERCARD))
    async with entered(product, ada.customer) as client:
        refused = await begin(client, path, ada.sources[0].id)
        intent = await intent_on(client, refused)
        await answer(product, intent, yes=False)
        assert (await act(client, f"{refused}/finish")).headers["location"] == refused
        page = await client.get(refused)
        assert "question was not answered with yes" in html.unescape(page.text)
        assert "is still open" in page.text
        assert "your bank wants to ask you" in (await client.get("/funding")).text
        # Whoever kept the page can do nothing with it any more.
        again = await product.call("POST", f"/v1/payment_intents/{intent}/confirm")
        assert "error" in again
        other = await begin(client, path, ada.sources[1].id)
        assert other != refused
        await answer(product, await intent_on(client, other), yes=True)
        await act(client, f"{other}/finish")
        trail = await client.get(f"/purchases/{(await product.rows(PAYMENTS))[0]['purchase_id']}")
        assert "Not paid with Visa" in trail.text
    await product.settled()
    assert [row["state"] for row in await product.rows(PAYMENTS)] == ["canceled", "captured"]
    assert [row["state"] for row in await product.rows(DEBTS)] == ["collected"]
    assert await book_problems(product) == []


async def test_what_is_abandoned_ends_and_only_then_is_tried_otherwise(product: Product) -> None:
    ada, path = await in_debt(product, (VISA, MASTERCARD))
    async with entered(product, ada.customer) as client:
        stopped = await begin(client, path, ada.sources[0].id)
        await intent_on(client, stopped)
        await act(client, f"{stopped}/stop")
        assert "It was not confirmed." in (await client.get(stopped)).text
        left = await begin(client, path, ada.sources[0].id)
        intent = await intent_on(client, left)
        replaced = await begin(client, path, ada.sources[1].id)
        assert (await product.call("GET", f"/v1/payment_intents/{intent}"))["status"] == "canceled"
        await intent_on(client, replaced)
    # Linked cards pay again, and the debt is due: nothing is charged while a payment is open.
    for source in ada.sources:
        await behave(product, source.stripe_payment_method_id, VISA)
    await product.as_owner("UPDATE receivable SET next_attempt_at = opened_at")
    purchase = (
        await product.rows("SELECT stripe_authorization_id AS name FROM card_authorization")
    )[0]
    await product.parts.settler.settle(purchase["name"])
    assert await product.rows(DEBTS) == [{"state": "open", "attempts": 1}]
    # Its time is up: it is ended, and what waited for it goes on.
    await product.as_owner("UPDATE charge SET created_at = created_at - interval '30 minutes'")
    await product.parts.settler.settle(purchase["name"])
    assert [row["state"] for row in await product.rows(PAYMENTS)] == ["canceled"] * 3
    assert await product.rows(DEBTS) == [{"state": "collected", "attempts": 1}]

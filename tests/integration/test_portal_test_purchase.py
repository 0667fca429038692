"""A test purchase by the customer: paid once and shown, and no such thing where Stripe is real."""

import asyncio
import html
import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from app.domain.identity.throttle import TEST_PURCHASE, count_attempt
from tests.factories import CardFactory, CustomerFactory
from tests.permissions import NOTHING
from tests.portal import browser, entered, form_token_on, hidden_on
from tests.product import Product
from tests.situations import Holder, holder

REAL = {"STRIPE_API_BASE": "https://api.stripe.com", "REPAIR_WAIT_SECONDS": "90"}
TRAIL = "SELECT * FROM audit_entry WHERE action = 'test_purchase.pay'"
PURCHASES = "SELECT * FROM card_authorization"
ASKED = "/v1/test_helpers/issuing/authorizations"


async def form_of(client: httpx.AsyncClient, ada: Holder, **changed: str) -> dict[str, str]:
    """Open the card's page and give the form as it is shown, with what is changed."""
    page = await client.get(f"/cards/{ada.card.id}")
    shown = {name: hidden_on(page, name) for name in ("form_token", "once")}
    amount = re.search(r'name="amount" type="text" value="([^"]+)"', page.text)
    assert amount
    return shown | {"merchant": "Blue Bottle", "amount": amount[1]} | changed


def address_of(ada: Holder) -> str:
    return f"/cards/{ada.card.id}/test-purchase"


async def test_paying_leads_to_the_purchase_that_it_made(product: Product) -> None:
    ada = await holder(product)
    async with entered(product, ada.customer) as client:
        paid = await client.post(address_of(ada), data=await form_of(client, ada))
        assert paid.status_code == 303, paid.text
        page = await client.get(paid.headers["location"])
        assert "Held on your own card" in page.text
        assert "$21.49" in page.text
        assert "Blue Bottle" in (await client.get("/purchases")).text
    [purchase], [entry] = await product.rows(PURCHASES), await product.rows(TRAIL)
    assert paid.headers["location"] == f"/purchases/{purchase['id']}"
    assert entry["subject_id"] == str(purchase["id"])
    assert entry["after"] == {"amount_minor": 1999, "merchant": "Blue Bottle"}
    assert entry["actor_kind"] == "customer"


async def test_a_decline_is_led_to_as_well_and_says_why(product: Product) -> None:
    ada = await holder(product)
    async with entered(product, ada.customer) as client:
        casino = await form_of(client, ada, merchant="Lucky Casino", amount="50")
        declined = await client.post(address_of(ada), data=casino)
        assert "Why it was declined" in (await client.get(declined.headers["location"])).text
        frozen = await form_of(client, ada)
        token = {"form_token": frozen["form_token"]}
        await client.post(f"/cards/{ada.card.id}/freeze", data=token)
        await product.settled()
        declined = await client.post(address_of(ada), data=frozen)
        assert "frozen" in (await client.get(declined.headers["location"])).text
    assert len(await product.rows(PURCHASES)) == 2


async def test_a_form_sent_twice_is_paid_once(product: Product) -> None:
    ada = await holder(product)
    async with entered(product, ada.customer) as client:
        form = await form_of(client, ada)
        sent = [client.post(address_of(ada), data=form) for _ in range(3)]
        answers = [*await asyncio.gather(*sent), await client.post(address_of(ada), data=form)]
        # While the first is under way, Stripe may refuse the others for longer than they are tried.
        assert {answer.status_code for answer in answers[:-1]} <= {303, 503}
        assert answers[-1].status_code == 303
        led = {one.headers["location"] for one in answers if one.status_code == 303}
        assert len(led) == 1
        other = await client.post(address_of(ada), data=form | {"amount": "20.00"})
    assert other.status_code == 422
    assert "Stripe refused this" in other.text
    assert len(await product.rows(PURCHASES)) == 1


@pytest.mark.parametrize(
    ("field", "typed", "wanted"),
    [
        ("amount", "nineteen", "Write an amount like 19.99."),
        ("amount", "", "Write an amount like 19.99."),
        ("amount", "-5", "Write an amount like 19.99."),
        ("amount", "1000000", "No merchant asks for more than 999,999.99."),
        ("merchant", "Rare <Shop>", "Choose a merchant."),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_and_the_rest_is_kept(
    product: Product, field: str, typed: str, wanted: str
) -> None:
    ada = await holder(product)
    async with entered(product, ada.customer) as client:
        form = await form_of(client, ada, merchant="Whole Foods", amount="12.34")
        answer = await client.post(address_of(ada), data=form | {field: typed})
    assert answer.status_code == 422
    place = re.search(rf'id="{field}-wanted">([^<]+)<', answer.text)
    assert place
    assert html.unescape(place[1]) == wanted
    if field == "amount":
        assert '<option value="Whole Foods" selected>' in answer.text
        assert f'name="amount" type="text" value="{typed}"' in answer.text
    else:
        assert 'value="12.34"' in answer.text
    assert hidden_on(answer, "once") != form["once"]
    assert await product.rows(PURCHASES) == []


@pytest.mark.parametrize("fault", [{"action": "drop_after"}, {"action": "status", "status": 409}])
async def test_no_answer_keeps_the_form_so_that_sending_it_again_pays_once(
    product: Product, fault: dict[str, Any]
) -> None:
    ada = await holder(product)
    lost = {"method": "POST", "path": ASKED, "times": 3} | fault
    async with entered(product, ada.customer) as client:
        form = await form_of(client, ada)
        await product.control("faults", lost)
        unclear = await client.post(address_of(ada), data=form)
        assert unclear.status_code == 503
        assert hidden_on(unclear, "once") == form["once"]
        assert (await client.post(address_of(ada), data=form)).status_code == 303
    assert len(await product.rows(PURCHASES)) == 1


async def test_who_buys_again_and_again_has_to_wait(product: Product) -> None:
    ada, now = await holder(product), datetime.now(UTC)
    async with product.parts.sessions.begin() as session:
        for _ in range(TEST_PURCHASE.most_per_subject):
            await count_attempt(session, TEST_PURCHASE, str(ada.customer.id), "198.51.100.1", now)
    async with entered(product, ada.customer) as client:
        late = await client.post(address_of(ada), data=await form_of(client, ada))
    assert late.status_code == 429
    assert "Too many attempts" in late.text
    assert int(late.headers["retry-after"]) > 0
    assert await product.rows(PURCHASES) == []


async def test_another_customers_card_is_not_found(product: Product) -> None:
    ada = await holder(product)
    eve = await holder(product, email="eve@example.com")
    async with entered(product, eve.customer) as client:
        form = await form_of(client, eve)
        assert (await client.post(address_of(ada), data=form)).status_code == 404
    assert await product.rows(PURCHASES) == []


@pytest.mark.parametrize("product_settings", [REAL])
async def test_where_money_could_be_real_nothing_of_it_exists(product: Product) -> None:
    customer = CustomerFactory.build()
    card = CardFactory.build(customer_id=customer.id)
    async with product.parts.sessions.begin() as session:
        session.add(customer)
        await session.flush()
        session.add(card)
    async with entered(product, customer) as client, browser(product) as stranger:
        page = await client.get(f"/cards/{card.id}")
        assert "Freeze" in page.text
        assert "test purchase" not in page.text
        token = {"form_token": form_token_on(page)}
        for asks in (client, stranger):
            for path in (f"/cards/{card.id}/test-purchase", f"/cards/{NOTHING}/test-purchase"):
                assert (await asks.get(path)).status_code == 404
                assert (await asks.post(path, data=token)).status_code == 404
    assert await product.rows(PURCHASES) == []

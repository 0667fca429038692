"""The test purchase: what was typed is paid once, or said to be wrong and kept."""

import html
import re
from datetime import timedelta

import httpx
import pytest

from app.domain.identity.models import Customer
from app.domain.identity.states import Role
from app.domain.issuing.models import Card
from tests.back_office import COOKIE, SAME_ORIGIN, csrf_token_on, member, session_of, signed_in
from tests.integration.test_pages_home import NO_FUNDS
from tests.product import Product
from tests.situations import Holder, holder, pay

LIVE = {
    "STRIPE_SECRET_KEY": "sk_live_of_a_test",
    "MAIL_URL": "smtps://mail.example.com",
    "STRIPE_API_BASE": "https://api.stripe.com",
    "APP_URL": "https://office.example.com",
    "REPAIR_WAIT_SECONDS": "90",
}
TRAIL = "SELECT * FROM audit_entry WHERE action = 'test_purchase.pay'"
PURCHASES = "SELECT * FROM card_authorization"


async def form_of(client: httpx.AsyncClient, ada: Holder, **changed: str) -> dict[str, str]:
    """Open the page and give its form, filled in with a coffee."""
    page = await client.get("/admin/test")
    once = re.search(r'name="once" value="([0-9a-f]{32})"', page.text)
    assert once
    return {
        "csrf_token": csrf_token_on(page),
        "once": once[1],
        "card": ada.card.stripe_card_id,
        "merchant": "Blue Bottle",
        "category": "fast_food_restaurants",
        "country": "US",
        "amount": "19.99",
    } | changed


async def test_paying_opens_the_purchase_that_it_made(product: Product) -> None:
    ada = await holder(product)
    async with signed_in(product, Role.SUPPORT) as client:
        paid = await client.post("/admin/test", data=await form_of(client, ada))
        assert paid.status_code == 303, paid.text
        page = await client.get(paid.headers["location"])
    assert "19.99 USD at Blue Bottle" in page.text
    [entry] = await product.rows(TRAIL)
    [purchase] = await product.rows(PURCHASES)
    assert paid.headers["location"] == f"/admin/purchase/{purchase['id']}"
    assert entry["subject_id"] == str(purchase["id"])
    assert entry["after"] == {"amount_minor": 1999, "merchant": "Blue Bottle"}
    assert (entry["actor_kind"], entry["address"]) == ("staff", "127.0.0.1")


async def test_a_form_sent_twice_is_paid_once(product: Product) -> None:
    ada = await holder(product)
    async with signed_in(product, Role.SUPPORT) as client:
        form = await form_of(client, ada)
        first = await client.post("/admin/test", data=form)
        again = await client.post("/admin/test", data=form)
        assert first.headers["location"] == again.headers["location"]
        other = await client.post("/admin/test", data=form | {"amount": "20.00"})
    assert other.status_code == 422
    assert "Stripe refused this" in other.text
    assert len(await product.rows(PURCHASES)) == 1


WRONG = {
    "amount": ("nineteen", "“nineteen” is not an amount like 19.99"),
    "card": ("ic_nobodys", "Choose a card."),
    "merchant": (" ", "The merchant wants a name"),
    "category": ("coffee", "“coffee” is not one of Stripe's categories."),
    "country": ("ZZ", "“ZZ” is no country's two letters, like US."),
    "once": ("", "This form is incomplete."),
}


@pytest.mark.parametrize("field", WRONG)
async def test_what_is_wrong_is_said_and_the_rest_is_kept(product: Product, field: str) -> None:
    ada = await holder(product)
    wrong, sentence = WRONG[field]
    async with signed_in(product, Role.SUPPORT) as client:
        form = await form_of(client, ada, amount="12.34", merchant="Rare <Shop>")
        answer = await client.post("/admin/test", data=form | {field: wrong})
    assert answer.status_code == 422
    assert sentence in answer.text.replace("&#39;", "'")
    if field != "amount":
        assert 'value="12.34"' in answer.text
    if field != "merchant":
        assert 'value="Rare &lt;Shop&gt;"' in answer.text
    assert await product.rows(PURCHASES) == []
    assert await product.rows(TRAIL) == []


async def test_a_decline_that_stripe_made_by_itself_is_opened_too(product: Product) -> None:
    ada = await holder(product, purchase_limit_minor=10_00)
    async with signed_in(product, Role.SUPPORT) as client:
        paid = await client.post("/admin/test", data=await form_of(client, ada))
        page = await client.get(paid.headers["location"])
    assert "Over a limit mirrored at Stripe" in page.text
    assert "spending_controls" in page.text


async def test_no_answer_keeps_the_form_so_that_sending_it_again_pays_once(
    product: Product,
) -> None:
    ada = await holder(product)
    lost = {
        "method": "POST",
        "path": "/v1/test_helpers/issuing/authorizations",
        "action": "drop_after",
        "times": 3,
    }
    async with signed_in(product, Role.SUPPORT) as client:
        form = await form_of(client, ada)
        await product.control("faults", lost)
        unclear = await client.post("/admin/test", data=form)
        assert unclear.status_code == 503
        assert f'name="once" value="{form["once"]}"' in unclear.text
        assert (await client.post("/admin/test", data=form)).status_code == 303
    assert len(await product.rows(PURCHASES)) == 1


async def test_an_auditor_looks_and_does_not_pay(product: Product) -> None:
    ada = await holder(product)
    async with signed_in(product, Role.AUDITOR) as client:
        page = await client.get("/admin/test")
        assert "Your roles let you look, not pay." in page.text
        refused = await client.post(
            "/admin/test", data={"csrf_token": csrf_token_on(page), "once": "0" * 32}
        )
    assert refused.status_code == 403
    async with signed_in(product, Role.SUPPORT) as client:
        form = await form_of(client, ada, csrf_token="0" * 64)
        assert (await client.post("/admin/test", data=form)).status_code == 403
    assert await product.rows(PURCHASES) == []


async def test_nobody_gets_there_without_signing_in(product: Product) -> None:
    page = await product.web.get("/admin/test")
    assert page.headers["location"] == "/admin/login?next=/admin/test"
    sent = await product.web.post("/admin/test", data={"amount": "1"}, headers=SAME_ORIGIN)
    assert sent.headers["location"] == "/admin/login"


@pytest.mark.parametrize("product_settings", [LIVE])
async def test_with_a_live_key_nothing_of_it_exists(product: Product) -> None:
    await member(product, Role.OWNER)
    token = await session_of(product, "grace@example.com")
    headers = SAME_ORIGIN | {"Cookie": f"__Host-{COOKIE}={token}"}
    home = await product.web.get("/admin/", headers=headers)
    assert home.status_code == 200
    assert "/admin/test" not in home.text
    assert "simulation" not in home.text
    for method, address in (
        ("GET", "/admin/test"),
        ("POST", "/admin/test"),
        ("POST", "/admin/purchase/iauth_1/capture"),
    ):
        answer = await product.web.request(method, address, headers=headers, content=b"")
        assert answer.status_code == 404, address


def alert(page: httpx.Response) -> str:
    found = re.search(r'role="alert">([^<]*)<', page.text)
    return found[1] if found else ""


async def test_what_nobody_was_asked_about_is_played_on_a_card(product: Product) -> None:
    ada = await holder(product)
    async with signed_in(product, Role.SUPPORT) as client:
        form = await form_of(client, ada)
        forced = await client.post("/admin/test/unasked/force-capture", data=form)
        again = await client.post("/admin/test/unasked/force-capture", data=form)
        assert forced.headers["location"] == again.headers["location"]
        page = await client.get(forced.headers["location"])
        assert "forced capture" in page.text
        assert "The books of this purchase" in page.text
        fitting = await form_of(client, ada)
        refund = await client.post("/admin/test/unasked/unlinked-refund", data=fitting)
        assert refund.headers["location"] == forced.headers["location"]
        strange = await form_of(client, ada, merchant="Nobody", amount="ten")
        refused = await client.post("/admin/test/unasked/unlinked-refund", data=strange)
        assert (refused.status_code, alert(refused)) == (422, "“ten” is not an amount like 19.99")
        assert 'value="ten"' in refused.text
        assert 'value="Nobody"' in refused.text
        lost = await client.post(
            "/admin/test/unasked/unlinked-refund", data=strange | {"amount": "3.00"}
        )
        assert lost.headers["location"].startswith("/admin/transactions/list?search=ipi_")
    actions = await product.rows("SELECT action FROM audit_entry WHERE action LIKE 'test_%'")
    assert sorted(row["action"] for row in actions) == [
        *["test_purchase.force_capture"] * 2,
        *["test_purchase.unlinked_refund"] * 2,
    ]


async def test_a_purchase_is_gone_on_with_and_its_card_and_books_stand_beside(
    product: Product,
) -> None:
    ada = await holder(product)
    async with signed_in(product, Role.SUPPORT) as client:
        paid = await client.post("/admin/test", data=await form_of(client, ada))
        purchase = paid.headers["location"].rpartition("/")[2]
        filled = await form_of(client, ada)
        form = {name: filled[name] for name in ("csrf_token", "once")}
        there = f"/admin/test/purchase/{purchase}"
        wrong = await client.post(f"{there}/capture", data=form | {"amount": "much", "more": "yes"})
        assert (wrong.status_code, alert(wrong)) == (422, "“much” is not an amount like 19.99")
        assert 'value="much"' in wrong.text
        assert 'value="yes" checked' in wrong.text
        assert 'name="amount" value="19.99"' in wrong.text  # the other form keeps its own
        done = await client.post(f"{there}/capture", data=form | {"amount": "24.00"})
        assert done.headers["location"] == f"/admin/test?purchase={purchase}"
        page = await client.get(done.headers["location"])
        assert (await client.post(f"{there}/explode", data=form)).status_code == 404
    text = " ".join(re.sub(r"<[^>]*>", " ", page.text).split())
    assert (
        "Captured 24.00 USD Refunded 0.00 USD Net charged 25.70 USD Net fee earned 1.70 USD" in text
    )
    assert "The linked card Held now 0.00 USD Charged 25.70 USD" in text
    assert "2000 Customer funds (clearing) posted 24.00 24.00 0.00" in text


async def test_the_time_is_moved_on_by_whole_days(product: Product) -> None:
    ada = await holder(product)
    bought = await client_pays(product, ada)
    async with signed_in(product, Role.SUPPORT) as client:
        form = await form_of(client, ada)
        for days in ("", "0", "-1", "1.5", "401", "soon"):
            refused = await client.post("/admin/test/clock", data=form | {"days": days})
            assert refused.status_code == 422, days
            assert "is not a number of days from 1 to 400." in alert(refused)
        assert product.parts.clock.offset == timedelta(0)
        moved = await client.post(
            "/admin/test/clock", data=form | {"days": "8", "purchase": bought}
        )
        assert moved.headers["location"] == f"/admin/test?purchase={bought}"
    assert product.parts.clock.offset == timedelta(days=8)
    await product.settled()
    [row] = await product.rows("SELECT state FROM card_authorization")
    assert row["state"] == "expired"


async def client_pays(product: Product, ada: Holder) -> str:
    bought: str = (await pay(product, ada.card, 1999))["id"]
    await product.settled()
    return bought


def cards_on(page: httpx.Response) -> list[str]:
    """Give the cards that can be chosen, in order."""
    found = page.text.partition('name="card"')[2].partition("</select>")[0]
    return [html.unescape(one) for one in re.findall(r"<option[^>]*>([^<]*)<", found)]


async def test_cards_stand_by_name_and_say_what_the_bank_behind_them_answers(
    product: Product,
) -> None:
    zoe = await holder(product, email="zoe@example.com", sources=(NO_FUNDS, "pm_card_mastercard"))
    ada = await holder(product, email="ada@example.com", cards=2)
    none = await holder(product, email="bea@example.com", sources=())
    for name, one in (("Zoe", zoe), ("Ada", ada), ("Bea", none)):
        async with product.parts.sessions.begin() as session:
            (await session.get_one(Customer, one.customer.id)).first_name = name
    async with signed_in(product, Role.SUPPORT) as client:
        told = cards_on(await client.get("/admin/test"))
        assert [one.partition(" ····")[0] for one in told] == [
            "Ada Byron — Card 1",
            "Ada Byron — Card 2",
            "Bea Byron — Card 1",
            "Zoe Byron — Card 1",
        ]
        assert told[1].endswith("(active)")
        assert told[2].endswith("(active) · no linked card")
        assert told[3].endswith("(active) · bank says insufficient funds")
        # Another card of Zoe's is tried first from now on.
        async with product.parts.sessions.begin() as session:
            (await session.get_one(Card, zoe.card.id)).funding_source_id = zoe.sources[1].id
        assert cards_on(await client.get("/admin/test"))[3].endswith("(active)")

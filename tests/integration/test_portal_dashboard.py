"""The front page's quote and the customer's home, on real purchases."""

import html
import re

from app.domain.identity.audit import SYSTEM
from app.domain.identity.credentials import DEMO_EMAIL, keep_demo_credential
from tests.portal import browser, customer, send
from tests.product import Product
from tests.situations import holder, pay


def words_on(text: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text)))


async def test_the_front_page_says_what_a_purchase_costs(product: Product) -> None:
    async with browser(product) as client:
        assert "$100.00 costs you $105.50" in (await client.get("/")).text
        page = words_on((await client.get("/?amount=19.99")).text)
        assert "$19.99 costs you $21.49" in page
        assert "Our fee $1.50" in page
        for amount, sentence in {
            "10": "$10.00 costs you $11.00",
            "0.10": "$0.10 costs you $0.61",
            "1,234.5": "$1,234.50 costs you $1,296.73",
        }.items():
            told = (await client.get("/quote", params={"amount": amount})).json()
            assert told["sentence"] == sentence
        for amount in ("", "x", "-1", "0", "1e5", "99999999999", "1.234", "<b>"):
            told = await client.get("/quote", params={"amount": amount})
            assert told.status_code == 422
            assert told.json()["sentence"].startswith("Write an amount")
            page_text = (await client.get("/", params={"amount": amount})).text
            assert "<b>" not in page_text


async def test_the_price_is_the_one_in_force(product: Product) -> None:
    await product.as_owner(
        "INSERT INTO price_plan (id, name, effective_from, percent_bps, fixed_minor,"
        " minimum_minor, currency) VALUES"
        " (gen_random_uuid(), 'new', now() - interval '1 hour', 300, 25, 0, 'usd'),"
        " (gen_random_uuid(), 'later', now() + interval '1 day', 900, 99, 0, 'usd')"
    )
    async with browser(product) as client:
        assert "$100.00 costs you $103.25" in (await client.get("/")).text
        assert "Our fee is 3 % of the amount and 0.25 USD" in (await client.get("/terms")).text


async def test_the_home_tells_of_the_month_and_of_each_purchase(product: Product) -> None:
    ada = await holder(product)
    await keep_demo_credential(
        product.parts.sessions,
        ada.customer.id,
        "a password of the tests",
        actor=SYSTEM,
        now=product.parts.clock.now(),
    )
    taken = await pay(product, ada.card, 10_000, "<b>Zuni</b> Cafe")
    await product.call("POST", f"/v1/test_helpers/issuing/authorizations/{taken['id']}/capture")
    await pay(product, ada.card, 2_000, "Blue Bottle")
    await pay(product, ada.card, 99_999_900, "Too Much")
    await product.settled()
    async with browser(product) as client:
        await send(client, "/sign-in/demo", {}, opened="/sign-in")
        page = await client.get("/dashboard")
    assert "<b>Zuni" not in page.text
    told = words_on(page.text)
    assert "Open a card Link a card Freeze a card" in told
    assert re.search(r"Spent in \w+ \$100\.00 1 purchase taken", told)
    assert re.search(r"Fees in \w+ \$5\.50", told)
    assert re.search(r"On hold \$21\.50 released by \d+ \w+ or later, if not taken", told)
    assert "$105.50 $100.00 + $5.50 fee completed" in told
    assert re.search(r"On hold now Blue Bottle Released by \d+ \w+ if not taken \$21\.50", told)
    assert "Too Much was declined: $999,999.00" in told
    assert re.search(r"As a table .* Day Spent Fees \d+ \w+ \$100\.00 \$5\.50 By day of UTC", told)
    assert "declined" in told
    assert f"•••• {ada.sources[0].last4}" in told
    assert DEMO_EMAIL not in told


async def test_a_new_customer_is_led_on(product: Product) -> None:
    async with customer(product) as client:
        told = words_on((await client.get("/dashboard")).text)
    assert "Hello, Ada" in told
    assert "Link the card that pays" in told
    assert "Link a card Open a card" in told
    assert "Freeze a card" not in told
    assert "Nothing bought yet" in told

"""The home: its figures are what was made, of the business's day, and lead to their rows."""

import html
import re
from datetime import timedelta

import httpx
import pytest

from app.domain.identity.states import Role
from tests.back_office import signed_in
from tests.product import Product
from tests.situations import helper, holder, pay
from tests.waiting import until

NO_FUNDS = "pm_card_visa_chargeDeclinedInsufficientFunds"


def said(page: httpx.Response) -> str:
    """Give the text of a page as it reads."""
    assert page.status_code == 200, page.text
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page.text)).split())


def links(page: httpx.Response, text: str) -> list[str]:
    return [html.unescape(href) for href in re.findall(rf'href="([^"]+)">\s*{text}', page.text)]


async def made(product: Product) -> None:
    """Two captures, an open purchase, a card check, two declines by a bank and one by a limit."""
    ada = await holder(product, purchase_limit_minor=100_00)
    bob = await holder(product, email="bob@example.com", sources=(NO_FUNDS,))
    for amount in (1999, 1000):
        bought = await pay(product, ada.card, amount)
        await helper(product, bought["id"], "capture")
    await pay(product, ada.card, 43_20, "Whole Foods")
    await pay(product, ada.card, 0, "Netflix")
    await pay(product, bob.card, 20_00, "Shoe Shop")
    await pay(product, bob.card, 30_00, "Shoe Shop")
    await pay(product, ada.card, 250_00, "Hotel")
    await product.settled()


async def test_the_figures_are_what_was_made(product: Product) -> None:
    await made(product)
    async with signed_in(product, Role.FINANCE) as client:
        page = await client.get("/admin/")
    text = said(page)
    # 1.50 on 19.99 and 1.00 on 10.00 are earned; 2.66 on 43.20 is still open.
    assert "Gross profit 2.50 USD Fees on 2 captures of 29.99 USD" in text
    assert "Still expected 2.66 USD Fees agreed on 1 open purchase" in text
    assert "Approval rate 57.1 % 4 of 7 requests approved" in text
    assert "Active cards 2 Now." in text
    assert "bank: insufficient funds the customer's bank 50.00 USD 2" in text
    assert "Nothing waits for a person." in text
    assert "Whole Foods 43.20 USD held 45.86 USD approved Ada Byron , Card 1" in text
    assert "Netflix 0.00 USD — approved Ada Byron , Card 1" in text


async def test_every_figure_leads_to_as_many_rows_as_it_counts(product: Product) -> None:
    await made(product)
    counts = {
        "2.50 USD": 2,
        "2.66 USD": 1,
        "57.1 %": 7,
        "2": 2,
        "bank: insufficient funds": 2,
    }
    async with signed_in(product, Role.FINANCE) as client:
        page = await client.get("/admin/")
        for text, count in counts.items():
            [address, *_] = links(page, text)
            rows = (await client.get(address)).text.partition("<tbody>")[2]
            assert rows.count("<tr>") == count, address


async def test_yesterdays_profit_is_not_todays(product: Product) -> None:
    await made(product)
    await product.control("clock", {"advance_seconds": 86_400})
    await until(lambda: product.parts.clock.offset > timedelta(hours=23))
    async with signed_in(product, Role.FINANCE) as client:
        text = said(await client.get("/admin/"))
    assert "Gross profit 0.00 USD Fees on 0 captures" in text
    assert "Nothing was declined today." in text
    assert "on the simulation's moved clock" in text
    assert "Still expected 2.66 USD" in text


@pytest.mark.parametrize("product_settings", [{"BUSINESS_TIMEZONE": "Pacific/Kiritimati"}])
async def test_the_day_is_the_businesss(product: Product) -> None:
    await made(product)
    async with signed_in(product, Role.FINANCE) as client:
        text = said(await client.get("/admin/"))
    assert "midnight to midnight Pacific/Kiritimati" in text
    assert "Gross profit 2.50 USD" in text


async def test_an_empty_day_says_so(product: Product) -> None:
    async with signed_in(product, Role.AUDITOR) as client:
        text = said(await client.get("/admin/"))
    assert "Gross profit 0.00 USD" in text
    assert "Approval rate — 0 of 0 requests" in text
    assert "Nothing was declined today." in text
    assert "No purchase yet." in text


FAILED = """
INSERT INTO inbound_event (id, stripe_event_id, type, occurred_at, payload, state, attempts)
VALUES (gen_random_uuid(), 'evt_failed', 'issuing_card.updated', now(), '{}', 'failed', 8)
"""


async def test_what_waits_is_counted_and_leads_to_the_purchase(product: Product) -> None:
    bought = await pay(product, (await holder(product)).card, 1999)
    await product.settled()
    await product.as_owner(FAILED)
    await product.as_owner("UPDATE card_authorization SET not_handled = 'a rest is open'")
    async with signed_in(product, Role.SUPPORT) as client:
        page = await client.get("/admin/")
        text = said(page)
        assert "Not handled yet 1 Outcome not certain yet 0 Failed events 1" in text
        [address] = links(page, "Blue Bottle, 19.99 USD")
        assert bought["id"] in (await client.get(address)).text
        failed = await client.get("/admin/events/list?state=failed")
        assert "issuing_card.updated" in failed.text

"""A member of staff pays with a test card, and finds the purchase, its profit and a decline."""

import os
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, async_playwright, expect

from app.domain.identity.audit import SYSTEM
from app.domain.identity.staff import add_staff
from app.domain.identity.states import Role
from tests.browser.test_sandbox_pages import FLAGS
from tests.product import Product
from tests.situations import holder, link_token, pay

PASSWORD = "correct horse battery"
NO_FUNDS = "pm_card_visa_chargeDeclinedInsufficientFunds"


@pytest.fixture
async def page(product: Product) -> AsyncIterator[Page]:
    """Give a page of a browser, on a product where an owner may sign in by one click."""
    async with product.parts.sessions.begin() as session:
        email = "owner@example.com"
        await add_staff(
            session, email, "Olga Owner", PASSWORD, [Role.OWNER], actor=SYSTEM, demo=True
        )
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=os.environ["CHROME"], args=list(FLAGS)
        )
        page = await browser.new_page(base_url=product.settings.app_url)
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        await browser.close()
        assert complaints == []


async def sign_in(page: Page) -> None:
    await page.goto("/admin/")
    await page.get_by_role("button", name="Olga Owner").click()
    await expect(page.get_by_role("heading", name="Profit", exact=True, level=1)).to_be_visible()


async def test_a_purchase_is_paid_captured_and_seen_as_profit(product: Product, page: Page) -> None:
    await holder(product)
    await sign_in(page)
    await page.get_by_role("link", name="Test purchase", exact=True).first.click()
    await page.get_by_role("button", name="Coffee 19.99").click()
    await page.get_by_role("button", name="Pay", exact=True).click()

    await expect(page.get_by_role("heading", name="19.99 USD at Blue Bottle")).to_be_visible()
    await expect(page.get_by_text("Approved and funded")).to_be_visible()
    held = page.locator("dl.money div", has_text="Held on the linked card now")
    await expect(held).to_contain_text("21.49 USD")
    await expect(page.locator("[data-live]")).to_contain_text("held 21.49 USD")

    await page.get_by_role("button", name="Capture").click()
    charged = page.locator("dl.money div", has_text="Charged to the linked card")
    await expect(charged).to_contain_text("21.49 USD")
    earned = page.locator("dl.money div", has_text="Profit earned")
    await expect(earned).to_contain_text("1.50 USD")

    await page.get_by_role("link", name="Home", exact=True).first.click()
    profit = page.locator(".figure", has_text="Earned, gross")
    await expect(profit).to_contain_text("1.50 USD")
    await page.locator(".figure", has_text="Volume").get_by_role("link").first.click()
    await expect(page.locator("table.rows tbody tr")).to_have_count(1)
    await page.get_by_role("link", name="Purchases", exact=True).first.click()
    await expect(page.locator("table.rows tbody tr")).to_contain_text("Blue Bottle")


async def test_going_on_with_a_purchase_card_and_books_follow(product: Product, page: Page) -> None:
    ada = await holder(product)
    bought = await pay(product, ada.card, 1999)
    await product.settled()
    await sign_in(page)
    await page.goto("/admin/test")
    await page.get_by_role("link", name="Blue Bottle, 19.99 USD").click()
    card, books = page.locator("#linked-card"), page.locator("#books")
    await expect(card).to_contain_text("held 21.49 USD")

    capture = page.locator("form[data-act=capture]")
    await capture.get_by_label("Amount to capture").fill("twenty")
    await capture.get_by_role("button").click()
    await expect(page.get_by_role("alert")).to_contain_text("“twenty” is not an amount like 19.99")
    await expect(capture.get_by_label("Amount to capture")).to_have_value("twenty")

    await capture.get_by_label("Amount to capture").fill("24.00")
    await capture.get_by_role("button").click()
    await expect(card).to_contain_text("captured 4.21 USD")
    await expect(books.locator("tr", has_text="4000 Fee revenue")).to_contain_text("-1.70")
    await expect(books.locator("tr[data-clearing=open]")).to_have_count(0)

    # What happens elsewhere is followed without a click.
    [taken] = (await product.call("GET", "/v1/issuing/transactions"))["data"]
    await product.call("POST", f"/v1/test_helpers/issuing/transactions/{taken['id']}/refund")
    await expect(books.locator("tr", has_text="4010 Fee returned")).to_contain_text("1.70")

    await page.goto(f"/admin/purchase/{bought['id']}")
    await expect(page.locator(".line-of-time tfoot")).to_contain_text("24.0024.000.00")
    await page.get_by_role("link", name="Trial balance").first.click()
    await expect(page.locator("table[data-layer=posted] tfoot")).to_contain_text("0.00 USD")


async def test_a_decline_says_why_and_whose_decision_it_was(product: Product, page: Page) -> None:
    ada = await holder(product, sources=())
    await link_token(product, ada.customer, NO_FUNDS)
    await sign_in(page)

    await page.goto("/admin/test")
    await page.get_by_label("Amount, USD").fill("nineteen")
    await page.get_by_role("button", name="Pay", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("is not an amount like 19.99")
    await expect(page.get_by_label("Amount, USD")).to_have_value("nineteen")

    await page.get_by_label("Amount, USD").fill("42.00")
    await page.get_by_role("button", name="Pay", exact=True).click()
    await expect(page.locator(".why")).to_have_text("Bank: insufficient funds")
    await expect(page.get_by_text("the customer's bank", exact=True)).to_be_visible()

    await page.get_by_role("link", name="Declines", exact=True).first.click()
    await page.get_by_role("link", name="bank: insufficient funds").first.click()
    row = page.locator("table.rows tbody tr")
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text("bank: insufficient funds")
    await expect(row).to_contain_text("42.00 USD")

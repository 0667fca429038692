"""A member of staff pays with a test card, and finds the purchase, its profit and a decline."""

import os
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, async_playwright, expect

from app.domain.identity.audit import SYSTEM
from app.domain.identity.staff import DEMO_DOMAIN, add_staff
from app.domain.identity.states import Role
from tests.browser.test_sandbox_pages import FLAGS
from tests.product import Product
from tests.situations import holder, link_token

PASSWORD = "correct horse battery"
NO_FUNDS = "pm_card_visa_chargeDeclinedInsufficientFunds"


@pytest.fixture
async def page(product: Product) -> AsyncIterator[Page]:
    """Give a page of a browser, on a product where an owner may sign in by one click."""
    async with product.parts.sessions.begin() as session:
        email = f"owner{DEMO_DOMAIN}"
        await add_staff(session, email, "Olga Owner", PASSWORD, [Role.OWNER], actor=SYSTEM)
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
    await expect(page.get_by_role("heading", name="Today", exact=True)).to_be_visible()


async def test_a_purchase_is_paid_captured_and_seen_as_profit(product: Product, page: Page) -> None:
    await holder(product)
    await sign_in(page)
    await expect(page.get_by_text("No purchase yet.")).to_be_visible()

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
    profit = page.locator(".figure", has_text="Gross profit")
    await expect(profit).to_contain_text("1.50 USD")
    await profit.get_by_role("link").click()
    await expect(page.locator("table.rows tbody tr")).to_have_count(1)
    await page.get_by_role("link", name="Purchases", exact=True).first.click()
    await expect(page.locator("table.rows tbody tr")).to_contain_text("Blue Bottle")


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
    row = page.locator("table.rows tbody tr")
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text("bank: insufficient funds")
    await expect(row).to_contain_text("42.00 USD")

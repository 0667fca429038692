"""Open pages in a real browser: a purchase appears by itself, also where no event comes through."""

from typing import Any

from playwright.async_api import Page, expect

from tests.browser.test_portal_pages import chromium, opened
from tests.integration.test_portal_purchases import keep_sign_in
from tests.product import Product
from tests.situations import helper, holder, pay

__all__ = ["chromium"]
A_BUSY_MACHINE_SECONDS = 8.0
"""It takes half a second, and a second at most, where nothing else runs."""


async def enter(page: Page) -> None:
    await page.goto("/sign-in")
    await page.get_by_role("button", name="Sign in as customer@example.com").click()
    await page.wait_for_url("**/dashboard")


async def test_a_purchase_appears_on_open_pages_and_can_be_followed(
    product: Product, chromium: Any
) -> None:
    ada = await holder(product)
    await keep_sign_in(product, ada)
    page = await opened(chromium, product)
    await enter(page)
    async with page.expect_request("**/live"):
        await page.reload()
    bought = await pay(product, ada.card, 1_234, "Blue Bottle")
    latest = page.locator("#live-latest")
    await expect(latest.get_by_role("link", name="Blue Bottle")).to_be_visible(
        timeout=A_BUSY_MACHINE_SECONDS * 1000
    )
    await expect(page.locator(".toast")).to_contain_text("Blue Bottle, $12.34")
    await expect(page.locator("#live-figures")).to_contain_text("$13.46")

    await latest.get_by_role("link", name="Blue Bottle").click()
    await expect(page.get_by_role("heading", name="What happened")).to_be_visible()
    await helper(product, bought["id"], "capture")
    await expect(page.locator("#live-purchase")).to_contain_text(
        "Blue Bottle took the money", timeout=A_BUSY_MACHINE_SECONDS * 1000
    )


async def test_where_no_event_comes_through_the_page_asks(product: Product, chromium: Any) -> None:
    ada = await holder(product)
    await keep_sign_in(product, ada)
    page = await opened(chromium, product)
    await page.route("**/live", lambda route: route.fulfill(status=204))
    async with page.expect_response("**/live/newest"):
        await enter(page)
    await pay(product, ada.card, 99_999_900, "Too Much")
    await expect(page.locator("#live-latest")).to_contain_text("Too Much", timeout=20_000)
    await expect(page.locator("#live-attention")).to_contain_text("Too Much was declined")

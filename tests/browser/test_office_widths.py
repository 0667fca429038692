"""No page of the back office is wider than the window, and what scrolls in it, the keyboard moves.

The window is a small laptop's.
"""

import os

from playwright.async_api import Page, ViewportSize, async_playwright, expect

from app.domain.identity.states import Role
from tests.browser.desks import desk
from tests.browser.test_sandbox_pages import FLAGS
from tests.product import Product
from tests.situations import behave, force_capture, helper, holder, pay

NO_FUNDS = "pm_card_visa_chargeDeclinedInsufficientFunds"
LAPTOP: ViewportSize = {"width": 1280, "height": 800}
TABLET: ViewportSize = {"width": 600, "height": 800}
LONG = "THE INTERNATIONAL HOUSE OF PANCAKES AND WAFFLES OF SAN FRANCISCO"
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
SCROLLERS = """() => [...document.querySelectorAll(".table-scroll, .record pre")]
  .filter((one) => one.scrollWidth > one.clientWidth)
  .map((one) => [one.tabIndex, one.getAttribute("role"), one.getAttribute("aria-label")])"""


async def test_the_owner_walks_all_pages_on_a_small_laptop(product: Product) -> None:
    bought = await a_wide_day(product)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=os.environ["CHROME"], args=list(FLAGS)
        )
        async with desk(product, browser, Role.OWNER) as olga:
            page = olga.page
            await page.set_viewport_size(LAPTOP)
            for place in [*await menu_of(page), f"/admin/purchase/{bought}"]:
                await page.goto(place)
                await expect(page.locator("h1.page-heading")).to_be_visible()
                assert await page.evaluate(OVERFLOW) == 0, place
                for tab_index, role, label in await page.evaluate(SCROLLERS):
                    assert (tab_index, role, bool(label)) == (0, "region", True), place
            await page.goto("/admin/purchases/list")
            assert await page.evaluate(SCROLLERS) == []
            await a_narrow_table_is_scrolled(page)
        await browser.close()


async def a_wide_day(product: Product) -> str:
    """Leave long names, amounts, a debt, a decline and a failed letter; give a purchase's id."""
    ada = await holder(product)
    bought = await pay(product, ada.card, 123_45, LONG)
    await helper(product, bought["id"], "capture", capture_amount=150_00)
    await product.settled()
    source = ada.sources[0].stripe_payment_method_id
    await behave(product, source, NO_FUNDS)
    await pay(product, ada.card, 77_00, LONG)
    await force_capture(product, ada.card, 8_00)
    await product.settled()
    return str(bought["id"])


async def menu_of(page: Page) -> list[str]:
    lines = page.locator(".menu-wide .menu-lines a")
    found = [str(await line.get_attribute("href")) for line in await lines.all()]
    assert len(found) > 30
    return found


async def a_narrow_table_is_scrolled(page: Page) -> None:
    """Where a window is too narrow for a table, Tab comes to it and an arrow moves it."""
    await page.set_viewport_size(TABLET)
    assert await page.evaluate(OVERFLOW) == 0
    table = page.get_by_role("region", name="Purchases: scrolls sideways")
    await expect(table).to_have_attribute("tabindex", "0")
    await table.focus()
    await page.keyboard.press("ArrowRight")
    await page.wait_for_function("(one) => one.scrollLeft > 0", arg=await table.element_handle())
    await page.set_viewport_size(LAPTOP)
    await expect(page.get_by_role("region")).to_have_count(0)

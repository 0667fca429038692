"""Every page of the portal, in light and dark: axe finds nothing, nothing shifts, all is small."""

import re
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from app.portal.routes import PAGES
from tests.browser.test_portal_pages import WIDEST, chromium, opened
from tests.integration.test_portal_purchases import (
    id_of,
    keep_sign_in,
    play_every_status,
)
from tests.product import Product
from tests.situations import LATER_DECLINES, behave, force_capture, holder, pay

__all__ = ["chromium"]
AXE = Axe().axe_script
RUN = "(options) => axe.run(options).then((found) => found.violations)"
STEADY = ("/", "/dashboard", "/purchases")
MOST_BYTES = 60_000
LARGEST_SHIFT = 0.005
EVERYTHING = {"resultTypes": ["violations"]}
CONTRAST = EVERYTHING | {"runOnly": ["color-contrast"]}
NOT_PAGES = {"/quote", "/live", "/live/newest", "/purchases.csv", "/static/{mark:str}/{name:str}"}
SHIFTED = """
new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) sum += one.value;
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 200);
})
"""
OUR_BYTES = """
performance.getEntriesByType("resource")
  .filter((one) => new URL(one.name).pathname.match(/[.](css|js)$/))
  .reduce((sum, one) => sum + one.decodedBodySize, 0)
"""


async def test_no_page_keeps_anybody_out(product: Product, chromium: Any) -> None:
    """One walk through all of them: starting a browser costs more than looking at a page."""
    ada = await holder(product)
    await play_every_status(product, ada)
    declined = await pay(product, ada.card, 99_999_900, "A Merchant With A Very Long Name Indeed")
    await behave(product, ada.sources[0].stripe_payment_method_id, LATER_DECLINES)
    await force_capture(product, ada.card, 3000)
    await product.settled()
    [debt] = await product.rows("SELECT id FROM receivable ORDER BY opened_at DESC LIMIT 1")
    await keep_sign_in(product, ada)
    size = {"width": 320, "height": 700}
    page = await opened(chromium, product, viewport=size, reduced_motion="reduce")
    await look(page, ["/", "/sign-up", "/sign-in", "/forgot", "/terms", "/mailbox", "/nothing"])
    await look(page, ["/reset?token=x", "/verify?token=x", "/confirm-email?token=x", "/reset"])
    await page.goto("/sign-in")
    await page.get_by_role("button", name="Sign in as customer@example.com").click()
    await page.wait_for_url("**/dashboard")
    own = {
        "purchase_id": await id_of(product, declined["id"]),
        "card_id": str(ada.card.id),
        "source_id": str(ada.sources[0].id),
        "debt_id": str(debt["id"]),
    }
    await page.goto(f"/funding/pay/{debt['id']}")
    await page.get_by_role("button", name="Go on to pay").click()
    await page.wait_for_url("**/payments/*")
    own["payment_id"] = page.url.rpartition("/")[2]
    await page.goto("/settings")
    await page.get_by_role("button", name="Set it up").click()
    paths = [re.sub(r"\{(\w+):uuid\}", lambda found: own[found[1]], path) for path in own_pages()]
    await look(page, paths)


def own_pages() -> list[str]:
    """Give the pages that a customer can open, but for the steps of linking."""
    shown = {
        path
        for page in PAGES
        for path in page.paths  # type: ignore[union-attr]  # all are handlers
        if "GET" in page.http_methods  # type: ignore[union-attr]
        and page.fn.__name__ not in {"back_to_the_page", "nothing_here"}  # type: ignore[union-attr]
    }
    return sorted(path for path in shown - NOT_PAGES if "linking_id" not in path)


async def look(page: Page, paths: list[str]) -> None:
    for path in paths:
        await page.emulate_media(color_scheme="light")
        await page.goto(path)
        assert await page.evaluate(WIDEST), path
        assert await page.evaluate(OUR_BYTES) < MOST_BYTES, path
        if path in STEADY:
            assert await page.evaluate(SHIFTED) < LARGEST_SHIFT, path
        await page.evaluate(AXE)
        found = await page.evaluate(RUN, EVERYTHING)
        await page.emulate_media(color_scheme="dark")
        found += await page.evaluate(RUN, CONTRAST)
        for one in found:
            raise AssertionError(path, one["id"], [node["target"] for node in one["nodes"]])

"""A debt is paid in a browser: the bank's question is left, refused and answered with yes."""

from typing import Any

from playwright.async_api import expect

from tests.browser.test_portal_journey import frame
from tests.browser.test_portal_pages import chromium, opened
from tests.integration.test_portal_paying import PAYMENTS, in_debt
from tests.integration.test_portal_purchases import keep_sign_in
from tests.product import Product

__all__ = ["chromium"]
CHALLENGE = "3D Secure challenge frame"


async def test_a_debt_is_paid_with_the_banks_question_in_between(
    product: Product, chromium: Any
) -> None:
    ada, _ = await in_debt(product)
    await keep_sign_in(product, ada)
    page = await opened(chromium, product)
    await page.goto("/sign-in")
    await page.get_by_role("button", name="Sign in as customer@example.com").click()
    await page.get_by_role("link", name="Pay now").click()
    await page.get_by_role("link", name="Pay $32.00 for Blue Bottle").click()
    await expect(page.get_by_text("$32.00", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Go on to pay $32.00").click()

    # Left in the middle of the question: it is open, and goes on from there.
    await page.get_by_role("button", name="Pay $32.00 now").click()
    await expect(frame(page, CHALLENGE).get_by_role("button", name="Fail")).to_be_visible()
    await page.goto("/funding")
    await expect(page.get_by_role("heading", name="$32.00 is open")).to_be_visible()
    await page.go_back()
    await page.get_by_role("button", name="Pay $32.00 now").click()
    await frame(page, CHALLENGE).get_by_role("button", name="Fail").click()
    await expect(page.get_by_role("heading", name="It was not paid")).to_be_visible()
    await expect(page.get_by_text("$32.00 for Blue Bottle is still open.")).to_be_visible()

    await page.get_by_role("link", name="Try again, or with another card").click()
    await page.get_by_role("button", name="Go on to pay $32.00").click()
    await page.get_by_role("button", name="Pay $32.00 now").dblclick()
    await frame(page, CHALLENGE).get_by_role("button", name="Complete").click()
    await expect(page.get_by_text("It is paid. Thank you.")).to_be_visible()
    await expect(page.get_by_text("is open")).to_have_count(0)
    states = [row["state"] for row in await product.rows(PAYMENTS)]
    assert states == ["canceled", "captured"]

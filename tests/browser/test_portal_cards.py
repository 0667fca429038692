"""What the pages of cards do by themselves: hide a number, ask a bank, look at fields."""

from typing import Any

from playwright.async_api import Page, expect

from app.domain.identity.passwords import hash_password
from tests.browser.test_portal_journey import PATIENCE_MS
from tests.browser.test_portal_pages import chromium, opened
from tests.portal import COOKIE, PASSWORD, entered
from tests.product import Product
from tests.situations import Holder, behave, holder, pay

__all__ = ["chromium"]

ASKS = "pm_card_authenticationRequired"


async def as_customer(product: Product, chromium: Any, ada: Holder) -> Page:
    """Open a browser of a customer whose password was given more than five minutes ago."""
    async with entered(product, ada.customer) as client:
        token = client.cookies[COOKIE]
    hashed = await hash_password(PASSWORD)
    await product.as_owner(f"UPDATE credential SET password_hash = '{hashed}'")  # noqa: S608
    await product.as_owner("UPDATE customer_session SET password_at = now() - interval '1 hour'")
    page = await opened(chromium, product)
    page.set_default_timeout(PATIENCE_MS)
    cookie = {"name": COOKIE, "value": token, "url": product.settings.app_url}
    await page.context.add_cookies([cookie])  # type: ignore[list-item]  # its keys are optional
    return page


async def test_a_number_is_shown_after_the_password_and_hides_itself(
    product: Product, chromium: Any
) -> None:
    ada = await holder(product)
    page = await as_customer(product, chromium, ada)
    await page.clock.install()
    await page.goto(f"/cards/{ada.card.id}")
    await page.get_by_role("link", name="Show the number").click()
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    show = page.get_by_role("button", name="Show the number")
    await expect(show).to_be_focused(timeout=PATIENCE_MS)
    await page.keyboard.press("Enter")
    shown = page.get_by_text("Hidden again in")
    await expect(shown).to_be_visible(timeout=PATIENCE_MS)
    await page.clock.run_for(61_000)
    await expect(shown).to_be_hidden(timeout=PATIENCE_MS)
    await expect(page.locator("[data-display=number] iframe")).to_have_count(0)

    await page.route("**/issuing_card_field", lambda route: route.abort())
    await show.click()
    await expect(page.locator("[data-display=number] iframe")).to_have_count(1, timeout=PATIENCE_MS)
    await page.clock.run_for(16_000)
    problem = page.get_by_text("Stripe did not show the number. Try again in a minute.")
    await expect(problem).to_be_visible(timeout=PATIENCE_MS)
    await expect(show).to_be_visible()


async def test_a_bank_is_asked_and_fields_say_at_once_what_is_wanted(
    product: Product, chromium: Any
) -> None:
    ada = await holder(product)
    saved = ada.sources[0].stripe_payment_method_id
    await behave(product, saved, ASKS)
    await pay(product, ada.card, 500)
    page = await as_customer(product, chromium, ada)
    await page.goto("/funding")
    await page.get_by_role("link", name="Confirm with my bank").click()
    await page.get_by_role("link", name="Give my password").click()
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.get_by_label("I agree.").check()
    await page.get_by_role("button", name="Go on to my bank").click()
    await page.get_by_role("button", name="Ask my bank").click()
    await expect(page.get_by_text("Your bank has confirmed the card.")).to_be_visible(
        timeout=PATIENCE_MS
    )
    await page.goto("/cards/new")
    await page.get_by_label("A day").fill("much")
    await page.get_by_label("A month").focus()
    wanted = page.get_by_text("Write an amount like 250.00.")
    await expect(wanted).to_be_visible()
    await page.get_by_label("A day").fill("70")
    await page.get_by_label("A month").focus()
    await expect(wanted).to_be_hidden()
    await page.get_by_label("Groceries").check()
    await expect(page.get_by_label("Only for these:")).to_be_checked()


async def test_a_test_purchase_leads_to_it_and_appears_on_open_pages(
    product: Product, chromium: Any
) -> None:
    ada = await holder(product)
    page = await as_customer(product, chromium, ada)
    other = await page.context.new_page()
    async with other.expect_request("**/live"):
        await other.goto("/purchases")
    await page.goto(f"/cards/{ada.card.id}")
    await page.get_by_label("Amount, USD").fill("much")
    await page.get_by_role("button", name="Pay").click()
    await expect(page.get_by_text("Write an amount like 19.99.")).to_be_visible()
    await expect(page.get_by_label("Amount, USD")).to_be_focused()
    await page.get_by_label("Amount, USD").fill("12.34")
    await page.get_by_label("Merchant").select_option("Whole Foods")
    await page.get_by_role("button", name="Pay").dblclick()
    await expect(page.get_by_role("heading", name="Whole Foods")).to_be_visible(timeout=PATIENCE_MS)
    await expect(page.get_by_text("Held on your own card", exact=True)).to_be_visible()
    listed = other.locator("#live-purchases").get_by_role("link", name="Whole Foods")
    await expect(listed).to_be_visible(timeout=PATIENCE_MS)
    assert len(await product.rows("SELECT 1 FROM card_authorization")) == 1

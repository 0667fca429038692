"""From sign-up to a second virtual card with nothing but a keyboard, Stripe's frames included."""

from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.browser.stripe_page import DIGITS
from tests.browser.test_portal_journey import ASKS_ONCE, PATIENCE_MS, frame
from tests.browser.test_portal_pages import chromium, opened
from tests.portal import EMAIL, IDENTITY, PASSWORD, letters, link_in
from tests.product import Product

__all__ = ["chromium"]

FARTHEST = 60
TYPINGS = 5
FOCUSED = "(one) => one === document.activeElement && document.hasFocus()"


async def reach(page: Page, wanted: Locator, key: str = "Tab") -> None:
    """Press Tab until what is wanted has the focus, wherever the focus is now."""
    await expect(wanted).to_be_visible()
    for _ in range(FARTHEST):
        if await wanted.evaluate(FOCUSED):
            return
        await page.keyboard.press(key)
    raise AssertionError(f"{FARTHEST} times {key} do not lead to {wanted}")


async def fill(page: Page, fields: dict[str, str], **among: Any) -> None:
    for label, typed in fields.items():
        await reach(page, page.get_by_label(label, exact=True, **among))
        await page.keyboard.type(typed)


async def fill_card(page: Page) -> None:
    """Go through Stripe's fields; a frame that was slow to take the focus is typed into again."""
    fields = frame(page, "Secure payment input frame")
    for label, typed in (
        ("Card number", ASKS_ONCE),
        ("Expiration date", "1234"),
        ("Security code", "739"),
        ("ZIP or postal code", "94110"),
    ):
        field = fields.get_by_label(label)
        for _ in range(TYPINGS):
            await reach(page, field)
            await page.keyboard.type(typed)
            if DIGITS.findall(await field.input_value()) == list(typed):
                break
            await page.keyboard.press("ControlOrMeta+A")
            await page.keyboard.press("Delete")


async def press(page: Page, name: str, role: Any = "button", key: str = "Enter") -> None:
    await reach(page, page.get_by_role(role, name=name, exact=True).first)
    await page.keyboard.press(key)


async def test_everything_up_to_a_card_is_done_by_keyboard_alone(
    product: Product, chromium: Any
) -> None:
    page = await opened(chromium, product)
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    try:
        await become_a_customer(product, page)
        await link_a_card(page)
        await fill(page, {"What is it for": "Groceries"})
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Your account is set up")).to_be_visible()
        await open_another(page)
    finally:
        expect.set_options(timeout=5_000)
    [_, card] = await product.rows("SELECT * FROM card ORDER BY created_at")
    assert (card["nickname"], card["daily_limit_minor"]) == ("Streaming", 7_500)
    assert (card["single_use"], card["lock_to_first_merchant"]) == (True, True)


async def become_a_customer(product: Product, page: Page) -> None:
    await page.goto("/")
    await press(page, "Open an account", "link")
    await page.wait_for_url("**/sign-up")
    await fill(page, {"E-mail address": EMAIL, "Password": PASSWORD})
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    [letter] = await letters(product, "verify_email")
    await page.goto(link_in(letter))
    await fill(page, {"Password": PASSWORD})
    await page.keyboard.press("Enter")
    await fill(page, {"First name": "Ada", "Last name": "Byron", "Date of birth": "12101990"})
    await fill(page, {"Phone number": IDENTITY["phone"]})
    await fill(page, {"Street and number": IDENTITY["address_line1"], "City": "San Francisco"})
    await fill(page, {"State": "CA", "ZIP code": "94110"})
    await page.keyboard.press("Enter")
    await reach(page, page.get_by_label("I agree to the terms and the fees."))
    await page.keyboard.press("Space")
    await press(page, "Agree and open my account")


async def link_a_card(page: Page) -> None:
    await reach(page, page.get_by_label("I agree."))
    await page.keyboard.press("Space")
    await press(page, "Go on to the card")
    await fill_card(page)
    await press(page, "Link this card")
    challenge = frame(page, "3D Secure challenge frame")
    await reach(page, challenge.get_by_role("button", name="Complete"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Your first virtual card")).to_be_visible()


async def open_another(page: Page) -> None:
    """Through the menu, with limits, a merchant lock and a single use."""
    await press(page, "Cards", "link")
    await expect(page.get_by_role("heading", name="Cards", exact=True)).to_be_visible()
    await press(page, "Open a card", "link")
    await fill(page, {"What is it for": "Streaming"})
    await reach(page, page.get_by_label("A day", exact=True))
    await page.keyboard.press("ControlOrMeta+A")
    await page.keyboard.type("75.00")
    await reach(page, page.get_by_label("At any"))
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_label("At the first one only")).to_be_checked()
    await reach(page, page.get_by_label("For a single purchase"))
    await page.keyboard.press("Space")
    await press(page, "Open the card")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Streaming")

"""The portal in a real browser: with scripts and without, narrow and wide, in every light."""

import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page, Request, async_playwright, expect

from tests.browser.test_sandbox_pages import FLAGS
from tests.card_data import card_data_in
from tests.portal import EMAIL, PASSWORD
from tests.product import Product

WIDEST = "document.documentElement.scrollWidth <= window.innerWidth"
OPEN_PAGES = ("/", "/sign-up", "/sign-in", "/forgot", "/reset?token=x", "/verify", "/terms")


@pytest.fixture
async def chromium() -> AsyncIterator[Any]:
    async with async_playwright() as started:
        browser = await started.chromium.launch(
            executable_path=os.environ["CHROME"], args=list(FLAGS)
        )
        browser.sent = []  # type: ignore[attr-defined]  # what `opened` hears of
        yield browser
        await browser.close()
        assert card_data_in(browser.sent) == set()  # type: ignore[attr-defined]


async def opened(chromium: Any, product: Product, **given: Any) -> Page:
    """Open a page that fails the test for every script's error and every refusal of the policy.

    So does a card's number or code in what it sends to our origin.
    """
    context = await chromium.new_context(base_url=product.settings.app_url, **given)
    page: Page = await context.new_page()
    page.set_default_timeout(10_000)
    origin = product.settings.app_url
    context.on("request", lambda asked: chromium.sent.extend(_sent_to(origin, asked)))
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.on("console", lambda said: _no_refusal(said.text))
    return page


def _sent_to(origin: str, asked: Request) -> list[str]:
    return [asked.url, asked.post_data or ""] if asked.url.startswith(origin) else []


def _no_refusal(said: str) -> None:
    assert "Content Security Policy" not in said


async def test_a_quote_follows_what_is_typed(product: Product, chromium: Any) -> None:
    page = await opened(chromium, product)
    await page.goto("/")
    await expect(page.get_by_text("$100.00 costs you $105.50")).to_be_visible()
    await page.get_by_label("A purchase of").fill("19.99")
    await expect(page.get_by_text("$19.99 costs you $21.49")).to_be_visible()
    await expect(page.get_by_role("button", name="Work out")).to_be_hidden()
    await page.get_by_label("A purchase of").fill("much")
    await expect(page.get_by_text("Write an amount like 19.99.")).to_be_visible()


async def test_everything_works_without_scripts(product: Product, chromium: Any) -> None:
    page = await opened(chromium, product, java_script_enabled=False)
    await page.goto("/")
    await page.get_by_label("A purchase of").fill("10")
    await page.get_by_role("button", name="Work out").click()
    await expect(page.get_by_text("$10.00 costs you $11.00")).to_be_visible()
    await page.goto("/sign-up")
    await page.get_by_label("E-mail address").fill("nobody")
    await page.get_by_role("button", name="Send me the confirmation").click()
    await expect(page.get_by_label("E-mail address")).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("E-mail address").fill(EMAIL)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Send me the confirmation").click()
    await expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_page_is_wider_than_a_small_phone(
    product: Product, chromium: Any, scheme: str
) -> None:
    size = {"width": 320, "height": 640}
    page = await opened(chromium, product, viewport=size, color_scheme=scheme)
    for path in OPEN_PAGES:
        await page.goto(path)
        assert await page.evaluate(WIDEST), path
    await page.goto("/sign-in")
    background = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(246, 247, 244)", "dark": "rgb(16, 21, 18)"}[scheme]

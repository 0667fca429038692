"""A stranger becomes a customer, shows the card and pays, and no number reaches us or is kept."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import FrameLocator, Page, Request, Response, expect
from sqlalchemy import text

from app.domain.identity.states import Role
from app.domain.issuing.models import Card
from stripe_sandbox.issuing.card_numbers import card_secrets
from stripe_sandbox.payments.published_cards import CARDS_BY_NUMBER
from tests.back_office import signed_in
from tests.browser.test_portal_pages import chromium, opened
from tests.card_data import card_data_in
from tests.integration.test_every_address import of_the_office
from tests.portal import EMAIL, IDENTITY, PASSWORD
from tests.product import Product
from tests.situations import helper, pay

__all__ = ["chromium"]

PATIENCE_MS = 30_000
ASKS_ONCE = "4000002500003155"
CVC = "739"
TITLE = "iframe[title='{}']"
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
_WORD = re.compile(r"(?<![0-9A-Za-z])(?<!\d[.,])[0-9A-Za-z]+(?![0-9A-Za-z]|[.,]\d)")


class Watch:
    """All that a browser sends to our origin, and what it is answered."""

    def __init__(self, page: Page, origin: str) -> None:
        self.origin = origin
        self.sent: list[str] = []
        self.answered: list[str] = []
        self.lost = 0
        self._reading: set[asyncio.Task[None]] = set()
        page.context.on("request", self._keep)
        page.context.on("response", self._listen)

    def _keep(self, request: Request) -> None:
        if request.url.startswith(self.origin):
            self.sent.append(f"{request.url}\n{request.headers}\n{request.post_data or ''}")

    def _listen(self, response: Response) -> None:
        if response.url.startswith(self.origin):
            self._reading.add(asyncio.create_task(self._read(response)))

    async def _read(self, response: Response) -> None:
        told = f"{response.url}\n{response.headers}"
        streamed = "event-stream" in response.headers.get("content-type", "")
        if not streamed and response.status not in {204, 303, 304}:
            try:
                told += await response.text()
            except PlaywrightError:  # the browser has left the page, and forgot what it was told
                self.lost += 1
        self.answered.append(told)

    async def carried(self, *secrets: str) -> set[str]:
        """Give the card numbers, and of these secrets those that stand by themselves.

        A part of an amount, like the 525 of 525.50, does not: any three digits are somewhere.
        The test cards that a simulation offers to be typed are told by us, and are nobody's.
        """
        await asyncio.gather(*self._reading)
        assert self.lost < len(self.answered) / 4
        everything = self.sent + self.answered
        words = {word for one in everything for word in _WORD.findall(one)}
        told = card_data_in(self.answered) - set(CARDS_BY_NUMBER)
        return card_data_in(self.sent) | told | (words & set(secrets) - set(CARDS_BY_NUMBER))


@pytest.fixture
async def page(product: Product, chromium: Any) -> AsyncIterator[Page]:
    page = await opened(chromium, product)
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    origin = product.settings.app_url
    permissions = ["clipboard-read", "clipboard-write"]
    await page.context.grant_permissions(permissions, origin=origin)
    await page.context.grant_permissions(permissions, origin=product.settings.stripe_api_base)
    yield page
    expect.set_options(timeout=5_000)


def test_the_scan_sees_what_it_looks_for() -> None:
    seen = card_data_in(
        [
            "4000 0099 9000 0006 and 4242-4242-4242-4242",
            '{"number": "5105105105105100"}',
            "\\x7b226e756d626572223a2022353130353130353130353130353130302220",
            'cvc="739"',
        ]
    )
    assert {"4242424242424242", "5105105105105100", "739"} <= seen
    assert (
        card_data_in(["iauth_4242424242424241", "4242424242424241", "0193b1f0-0000-7000"]) == set()
    )


async def test_from_sign_up_to_a_number_in_hand(
    product: Product, page: Page, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = Watch(page, product.settings.app_url)
    await become_a_customer(page)
    await link_a_card(page)

    await page.get_by_role("button", name="Open the card").click()
    await expect(page.get_by_text("Your account is set up")).to_be_visible()
    [card] = await product.rows("SELECT * FROM card")
    secrets = card_secrets(card["stripe_card_id"])
    await show_and_copy(page, secrets)

    await page.get_by_role("button", name="Freeze").click()
    await expect(page.get_by_role("button", name="Unfreeze")).to_be_visible()
    await expect(page.locator(".face")).to_have_attribute("data-state", "frozen")
    await page.get_by_label("What is it for").fill("Groceries")
    await page.get_by_role("button", name="Rename").click()
    await expect(page.get_by_text("The card has another name.")).to_be_visible()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Groceries")
    [card] = await product.rows("SELECT * FROM card")
    assert (card["state"], card["nickname"]) == ("frozen", "Groceries")

    await use_it(product, page, card["stripe_card_id"])
    assert min(len(watch.sent), len(watch.answered)) > 40
    known = (secrets["cvc"], secrets["number"], ASKS_ONCE)
    assert await watch.carried(CVC, *known) == set()
    logged = capsys.readouterr().out
    assert logged.count('"event":"request"') > 40
    kept, shown = await all_rows(product), await told_to_staff(product)
    for everything in (logged.splitlines(), kept, shown):
        assert card_data_in(everything) == set()
        assert not [one for one in everything if any(secret in one for secret in known[1:])]


async def become_a_customer(page: Page) -> None:
    await page.goto("/sign-up")
    await page.get_by_label("E-mail address").fill(EMAIL)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Send me the confirmation").click()
    await expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    link = page.locator("a[href*='/verify?token=']")
    while not await link.count():
        await page.goto("/mailbox")
    await link.click()
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    for name in ("first_name", "last_name", "birth_date", "phone", "address_line1", "city"):
        await page.locator(f"[name={name}]").fill(IDENTITY[name])
    await page.get_by_label("State").select_option(IDENTITY["region"])
    await page.get_by_label("ZIP code").fill(IDENTITY["postal_code"])
    await page.get_by_role("button", name="Keep and go on").click()
    await page.get_by_label("I agree to the terms and the fees.").check()
    await page.get_by_role("button", name="Agree and open my account").click()


async def link_a_card(page: Page) -> None:
    await page.get_by_label("I agree.").check()
    await page.get_by_role("button", name="Go on to the card").click()
    fields = frame(page, "Secure payment input frame")
    for label, typed in (
        ("Card number", ASKS_ONCE),
        ("Expiration date", "1234"),
        ("Security code", CVC),
        ("ZIP or postal code", "94110"),
    ):
        await fields.get_by_label(label).fill(typed)
    await expect(fields.get_by_label("Card number")).to_have_value("4000 0025 0000 3155")
    await page.get_by_role("button", name="Link this card").click()
    await frame(page, "3D Secure challenge frame").get_by_role("button", name="Complete").click()
    await expect(page.get_by_role("heading", name="Your first virtual card")).to_be_visible()


async def show_and_copy(page: Page, secrets: dict[str, str]) -> None:
    await page.get_by_role("button", name="Show the number").click()
    number = frame(page, "Secure card number display frame").locator("#value")
    grouped = re.sub(r"(.{4})(?=.)", r"\1 ", secrets["number"])
    await expect(number).to_have_text(grouped)
    await expect(frame(page, "Secure card CVC display frame").locator("#value")).to_have_text(
        secrets["cvc"]
    )
    await page.locator("[data-copy=number]").locator("iframe").wait_for()
    copy = page.frame_locator("[data-copy=number] iframe").get_by_role("button")
    await copy.click()
    await expect(page.get_by_text("Copied: the number.")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == secrets["number"]
    await page.evaluate("navigator.clipboard.writeText('')")
    assert secrets["number"] not in await page.content()
    await page.get_by_role("button", name="Hide", exact=True).click()
    await expect(page.locator(TITLE.format("Secure card number display frame"))).to_have_count(0)
    await expect(page.locator(".face [data-masked]").first).to_be_visible()


async def use_it(product: Product, page: Page, stripe_card_id: str) -> None:
    """Be declined while it is frozen, pay once it is not, see it live, and open it."""
    card = Card(stripe_card_id=stripe_card_id)
    assert not (await pay(product, card, 1_999, "Too Early"))["approved"]
    await page.get_by_role("button", name="Unfreeze").click()
    await expect(page.get_by_role("button", name="Freeze", exact=True)).to_be_visible()
    await page.goto("/dashboard")
    await product.settled()
    bought = await pay(product, card, 1_999, "Blue Bottle")
    assert bought["approved"]
    await page.locator("#live-latest").get_by_role("link", name="Blue Bottle").click()
    await expect(page.get_by_role("heading", name="What happened")).to_be_visible()
    await helper(product, bought["id"], "capture")
    await product.settled()
    for path in ("/purchases", "/funding", "/cards", "/settings", "/mailbox"):
        await page.goto(path)


async def told_to_staff(product: Product) -> list[str]:
    """Give what the back office shows in all its lists, their first records and files."""
    found = []
    async with signed_in(product, Role.OWNER) as client:
        for method, path in of_the_office(product):
            if method == "GET" and path.endswith(("/list", "/export")):
                page = await client.get(path)
                found.append(page.text)
                records = re.findall(r'href="(/admin/[a-z-]+/details/[^"]+)"', page.text)
                found += [(await client.get(record)).text for record in records[:1]]
    assert len(found) > 40
    return found


def frame(page: Page, title: str) -> FrameLocator:
    return page.frame_locator(TITLE.format(title))


async def all_rows(product: Product) -> list[str]:
    """Give every row of every table as text."""
    async with product.parts.sessions() as session:
        tables = [str(name) for (name,) in await session.execute(text(TABLES))]
        found: list[str] = []
        for name in tables:
            rows = await session.execute(text(f'SELECT whole::text FROM "{name}" AS whole'))  # noqa: S608
            found += [str(row) for (row,) in rows]
    return found

"""A member of staff at their desk: a browser signed in, that counts what they click."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, ConsoleMessage, Locator, Page, expect

from app.domain.identity.states import Role
from tests.back_office import member
from tests.product import Product

MOST_CLICKS = 2


class Desk:
    """A member's browser at their home, counting what they click until a question is answered."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0

    async def home(self) -> None:
        await self.page.goto("/admin/")
        self.clicks = 0

    async def click(self, target: Locator) -> None:
        self.clicks += 1
        assert self.clicks <= MOST_CLICKS
        await target.click()

    async def search(self, term: str) -> None:
        """Go to the box by its key and search: one step, as one click is."""
        self.clicks += 1
        await self.page.keyboard.press("/")
        await self.page.keyboard.type(term)
        await self.page.keyboard.press("Enter")

    def figure(self, title: str) -> Locator:
        heading = self.page.get_by_role("heading", name=title, exact=True)
        return self.page.locator(".figure").filter(has=heading)

    async def reasoned(self, reason: str, note: str) -> None:
        """Say why, on the page of an action, and that one means it."""
        await self.page.get_by_label("Reason").select_option(reason)
        await self.page.get_by_label("Note", exact=True).fill(note)
        await self.page.get_by_label("I have read what will happen").check()

    async def act(self, name: str, reason: str, note: str, ends: str = "") -> None:
        """Do what an action's page is for; then a notice says `ends`."""
        await self.reasoned(reason, note)
        await self.page.get_by_role("button", name=name, exact=True).click()
        await expect(self.page.get_by_role("status").filter(has_text=ends).first).to_be_visible()


@asynccontextmanager
async def desk(product: Product, browser: Browser, role: Role) -> AsyncIterator[Desk]:
    """Sign a member in by one click, and see that no page complains."""
    email, name = f"{role.value}@example.com", f"{role.value.capitalize()} Member"
    await member(product, role, email=email, name=name, demo=True)
    page = await browser.new_page(base_url=product.settings.app_url)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if _amiss(said) else None)
    await page.goto("/admin/")
    await page.get_by_role("button", name=name).click()
    await expect(page.locator("h1.page-heading")).to_be_visible()
    yield Desk(page)
    assert complaints == []
    await page.close()


def _amiss(said: ConsoleMessage) -> bool:
    """Tell an error of a page from the browser's word on a form that was refused."""
    return said.type == "error" and "the server responded with a status of 4" not in said.text

"""A member of staff enrols an authenticator, and two agree on another one's roles, in a browser."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from app.domain.identity.one_time_codes import code_of
from app.domain.identity.states import Role
from tests.back_office import COOKIE, PASSWORD, member, session_of
from tests.browser.test_sandbox_pages import FLAGS
from tests.product import Product


@pytest.fixture
async def chrome() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=os.environ["CHROME"], args=list(FLAGS)
        )
        yield browser
        await browser.close()


async def opened(chrome: Browser, product: Product) -> Page:
    """Give a page of a browser of its own, that complains of every error in it."""
    context = await chrome.new_context(base_url=product.settings.app_url)
    page = await context.new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.on("console", lambda said: pytest.fail(said.text) if refused(said.text) else None)
    return page


def refused(said: str) -> bool:
    return "Content Security Policy" in said


async def give_password(page: Page, email: str) -> None:
    await page.goto("/admin/")
    await page.get_by_label("E-mail address").fill(email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()


async def test_the_first_sign_in_enrols_and_the_next_asks_for_a_code(
    product: Product, chrome: Browser
) -> None:
    await member(product, Role.ADMIN)
    page = await opened(chrome, product)
    await give_password(page, "grace@example.com")
    await expect(page.get_by_role("heading", name="Enrol an authenticator")).to_be_visible()
    await expect(page.locator(".qr svg")).to_be_visible()
    secret = (await page.locator("code.secret").inner_text()).replace(" ", "")
    await page.get_by_label("The six digits it shows now").fill(code_of(secret, datetime.now(UTC)))
    await page.get_by_role("button", name="Enrol and sign in").click()
    await expect(page.locator(".recovery-codes li")).to_have_count(10)
    spare = await page.locator(".recovery-codes code").first.inner_text()
    await page.get_by_role("link", name="I have kept them").click()
    await page.get_by_role("button", name="Sign out").first.click()

    await give_password(page, "grace@example.com")
    field = page.get_by_label("Six digits, or a recovery code")
    await field.fill("000 000")
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("Code: this is not the code")
    await field.fill(spare)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.get_by_role("link", name="Grace Hopper").first.click()
    await expect(page.get_by_text("9 left.")).to_be_visible()
    await expect(page.locator("table.rows tbody tr")).to_have_count(1)
    later = datetime.now(UTC) + timedelta(seconds=30)
    await page.get_by_label("Code of your authenticator").fill(code_of(secret, later))
    await page.get_by_role("button", name="New recovery codes").click()
    await expect(page.locator(".recovery-codes li")).to_have_count(10)


async def signed_in_page(chrome: Browser, product: Product, name: str, role: Role) -> Page:
    email = f"{name.lower()}@example.com"
    await member(product, role, email=email, name=name)
    page = await opened(chrome, product)
    token = await session_of(product, email)
    await page.context.add_cookies(
        [{"name": COOKIE, "value": token, "domain": "127.0.0.1", "path": "/"}]
    )
    return page


async def test_an_admin_asks_for_roles_and_an_owner_approves_them(
    product: Product, chrome: Browser
) -> None:
    await member(product, Role.SUPPORT)
    admin = await signed_in_page(chrome, product, "Ada", Role.ADMIN)
    owner = await signed_in_page(chrome, product, "Olga", Role.OWNER)
    await admin.goto("/admin/staff/list")
    await admin.get_by_role("link", name="Grace Hopper").first.click()
    await admin.get_by_role("link", name="Change roles").click()
    await admin.get_by_label("finance").check()
    await admin.get_by_label("Reason").select_option("changed_work")
    await admin.get_by_label("Note").fill("Helps finance in December")
    await admin.get_by_role("button", name="Ask for approval").click()
    await expect(admin.get_by_text("Another member has to decide.")).to_be_visible()

    await owner.goto("/admin/account")
    await expect(owner.locator(".count").first).to_have_text("1")
    await owner.get_by_role("link", name="Approvals").first.click()
    await owner.get_by_role("link", name="Change of roles").first.click()
    await expect(owner.get_by_text("Helps finance in December")).to_be_visible()
    await owner.get_by_role("button", name="Approve: change of roles").click()
    await expect(owner.locator(".state-large")).to_have_text("approved")
    await expect(owner.locator(".count")).to_have_count(0)
    [row] = await product.rows("SELECT roles FROM staff WHERE email = 'grace@example.com'")
    assert row["roles"] == ["finance", "support"]

"""The ten questions of a working day, each answered within two clicks from the role's own home.

Every figure is held against the ledger.
"""

import os
from datetime import timedelta
from zoneinfo import ZoneInfo

from playwright.async_api import async_playwright, expect

from app.domain.identity.states import Role
from app.domain.issuing.profit import By, profit, total
from app.domain.issuing.reports import business_day
from app.domain.ledger.accounts import Account
from app.domain.ledger.balances import trial_balance
from app.money import readable
from tests.browser.desks import Desk, desk
from tests.browser.test_sandbox_pages import FLAGS
from tests.product import Product
from tests.situations import behave, force_capture, helper, holder, pay, refund

NO_FUNDS = "pm_card_visa_chargeDeclinedInsufficientFunds"


async def test_ten_questions_are_answered_within_two_clicks(product: Product) -> None:
    await a_day(product)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=os.environ["CHROME"], args=list(FLAGS)
        )
        async with desk(product, browser, Role.FINANCE) as fiona:
            await finance_asks(product, fiona)
        async with desk(product, browser, Role.SUPPORT) as sam:
            await support_asks(sam)
        await browser.close()


async def a_day(product: Product) -> None:
    """One purchase given back whole, one on hold, one that a bank declined, and one owed."""
    ada = await holder(product)
    bob = await holder(product, email="bob@example.com", sources=(NO_FUNDS,))
    bought = await pay(product, ada.card, 1999)
    await helper(product, bought["id"], "capture")
    await product.settled()
    await refund(product, bought["id"], 1999)
    await pay(product, ada.card, 43_20, "Whole Foods")
    await pay(product, bob.card, 77_00, "Shoe Shop")
    await product.settled()
    for source in ada.sources:
        await behave(product, source.stripe_payment_method_id, NO_FUNDS)
    await force_capture(product, ada.card, 8_00)
    await product.settled()


async def finance_asks(product: Product, fiona: Desk) -> None:
    sessions, zone = product.parts.sessions, ZoneInfo("UTC")
    day = business_day(product.parts.clock.now(), zone)
    week = {"since": day.end - timedelta(days=7), "until": day.end}
    async with sessions() as session:
        books = total(await profit(session, **week, by=By.DAY, zone=zone))
        balances = await trial_balance(session, day.end)
    net = dict.fromkeys(Account, 0)
    for one in balances:
        net[one.account] += one.net_minor

    # 1: what was made, and net?
    await fiona.home()
    await expect(fiona.figure("Net profit")).to_contain_text(f"{readable(books.net_minor)} USD")
    gross = f"{readable(books.gross_minor)} USD"
    await expect(fiona.figure("Earned, gross")).to_contain_text(gross)
    expected = f"{readable(-net[Account.DEFERRED_FEE])} USD"
    await expect(fiona.figure("Still expected")).to_contain_text(expected)

    # 2: do the books equal Stripe?
    await expect(fiona.figure("Unexplained difference with Stripe")).to_contain_text("0.00 USD")

    # 3: how long does the float last?
    float_now = fiona.figure("Float")
    await expect(float_now).to_contain_text(f"{readable(net[Account.ISSUING_BALANCE])} USD")
    await expect(float_now).to_contain_text("days, until ")

    # 6: what is at risk?
    exposed = fiona.figure("Approved, not captured")
    await expect(exposed).to_contain_text("43.20 USD")
    await expect(exposed).to_contain_text("45.86 USD is held")

    # 4: who owes us?
    owed = fiona.figure("Owed by customers")
    await expect(owed).to_contain_text(f"{readable(net[Account.RECEIVABLE])} USD")
    await fiona.click(owed.get_by_role("link"))
    row = fiona.page.locator("table.rows tbody tr")
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text("Ada Byron")

    # 5: which traffic loses money?
    await fiona.home()
    await fiona.click(fiona.page.get_by_role("link", name="Purchases that lost money"))
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text(f"{readable(books.net_minor)} USD")


async def support_asks(sam: Desk) -> None:
    page = sam.page
    # 9: whose fault is it?
    await sam.home()
    whose = page.locator(".panel").filter(has=page.get_by_role("heading", name="By whose decision"))
    await expect(whose.locator("tbody tr")).to_contain_text("the customer's bank77.00 USD1")

    # 7: why was this declined, and what now?
    await sam.click(page.get_by_role("link", name="Shoe Shop").last)
    await expect(page.locator(".why")).to_have_text("Bank: insufficient funds")
    await expect(page.get_by_text("Next step", exact=True)).to_be_visible()

    # 8: what is this 45.86, and where is my refund?
    await sam.home()
    await sam.search("45.86")
    row = page.locator("table.rows tbody tr")
    for told in ("Whole Foods", "held on the linked card", "held 45.86 USD", "approved"):
        await expect(row).to_contain_text(told)
    await sam.click(row.get_by_role("link", name="Whole Foods"))
    await expect(page.get_by_role("heading", name="43.20 USD at Whole Foods")).to_be_visible()
    await sam.home()
    await sam.search("21.49")
    await expect(row).to_contain_text("21.49 USD, 20")

    # 10: what is mine to do?
    await sam.home()
    await sam.click(page.get_by_role("link", name="Open receivables"))
    item = page.locator("#receivables tbody tr")
    await expect(item).to_contain_text("Ada Byron")
    await expect(item).to_contain_text("8.00 USD")
    await sam.click(item.get_by_role("button", name="Take"))
    await expect(item).to_contain_text("Support Member")

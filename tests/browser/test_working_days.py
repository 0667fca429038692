"""A day of each role at the back office, on one product: from its home to what it has to do."""

import os
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

from playwright.async_api import Locator, Page, async_playwright, expect

from app.domain.identity.one_time_codes import code_of
from app.domain.identity.states import Role
from app.domain.issuing.differences import keep_run
from app.domain.issuing.reconciliation_facts import Difference, Kind
from tests.back_office import PASSWORD
from tests.browser.desks import Desk, desk
from tests.browser.test_sandbox_pages import FLAGS
from tests.product import Product
from tests.situations import Holder, helper, holder, pay

FEE = Difference(Kind.FEE, "charge", "pi_fee", 92, 95)


async def test_every_role_does_its_day(product: Product) -> None:
    ada = await a_day_before(product)
    async with async_playwright() as playwright, AsyncExitStack() as stack:
        browser = await playwright.chromium.launch(
            executable_path=os.environ["CHROME"], args=list(FLAGS)
        )
        desks = {
            role: await stack.enter_async_context(desk(product, browser, role)) for role in Role
        }
        await support_takes_a_call(product, desks[Role.SUPPORT])
        await support_lets_a_declined_purchase_pass(product, desks[Role.SUPPORT], ada)
        await finance_follows_the_money(product, desks[Role.FINANCE])
        await risk_watches_and_stops(product, desks[Role.RISK], ada)
        await an_admin_sets_a_price(product, desks[Role.ADMIN])
        await a_newcomer_joins(product, desks[Role.ADMIN], desks[Role.OWNER])
        await an_auditor_looks(product, desks[Role.AUDITOR])
        await browser.close()


async def a_day_before(product: Product) -> Holder:
    """Leave one purchase that was taken, one declined by the customer's own card, and a fee."""
    ada = await holder(product, blocked_categories=["fast_food_restaurants"])
    bought = await groceries(product, ada, 43_20)
    await helper(product, bought["id"], "capture")
    assert (await pay(product, ada.card, 12_00, "Burger Bar"))["approved"] is False
    await product.settled()
    now = datetime.now(UTC)
    await keep_run(
        product.parts.sessions, [FEE], since=None, began=now, ended=now, begun_by="a test"
    )
    return ada


async def groceries(
    product: Product, ada: Holder, minor: int, merchant: str = "Whole Foods"
) -> dict[str, Any]:
    told = {"category": "grocery_stores_supermarkets", "network_id": merchant.casefold()[:5]}
    more = {f"merchant_data[{field}]": value for field, value in told.items()}
    return await pay(product, ada.card, minor, merchant, **more)


async def support_takes_a_call(product: Product, sam: Desk) -> None:
    """A caller reads 45.86 off a bank statement: what is it, and can they have it back."""
    page = sam.page
    await sam.home()
    await sam.search("45.86")
    await page.locator("table.rows tbody tr").get_by_role("link", name="Whole Foods").click()
    await expect(page.locator(".why")).to_have_text("Approved and funded")
    await expect(money(page, "Charged to the linked card")).to_contain_text("45.86 USD")
    await page.get_by_role("link", name="Refund it").click()
    await expect(
        page.get_by_text("The merchant keeps what it took: the cost is ours.")
    ).to_be_visible()
    await page.get_by_label("Of what the merchant took").fill("50.00")
    await sam.reasoned("not_received", "The order never came")
    await page.get_by_role("button", name="Refund it").click()
    await expect(page.locator("#amount-problem")).to_contain_text("An amount from 0.00 to 43.20")
    await page.get_by_label("Of what the merchant took").fill("43.20")
    await page.get_by_role("button", name="Refund it").click()
    await expect(page.get_by_role("status").first).to_contain_text("The refund is on its way")
    await product.settled()
    await page.reload()
    await expect(money(page, "Given back to the linked card")).to_contain_text("45.86 USD")
    await page.get_by_role("link", name="Ada Byron").click()
    await page.get_by_label("A note for the others").fill("Refunded the lost order")
    await page.get_by_role("button", name="Add").click()
    await expect(page.locator(".desk-note")).to_contain_text("Support Member")


async def support_lets_a_declined_purchase_pass(product: Product, sam: Desk, ada: Holder) -> None:
    page = sam.page
    await sam.home()
    await page.get_by_role("link", name="Burger Bar").last.click()
    await expect(page.get_by_text("the customer's setting", exact=True)).to_be_visible()
    await page.get_by_role("link", name="Allow it once").click()
    await sam.act("Allow it once", "customer_asked", "Is at the till", "may pay there once")
    assert (await pay(product, ada.card, 12_00, "Burger Bar"))["approved"] is True
    await product.settled()


async def finance_follows_the_money(product: Product, fiona: Desk) -> None:
    """From the profit to one purchase and its postings; then a difference, and a file."""
    page = fiona.page
    await fiona.home()
    await expect(fiona.figure("Earned, gross")).to_contain_text("0.00 USD")
    await page.get_by_role("link", name="Purchases that lost money").click()
    row = page.locator("table.rows tbody tr").filter(has_text="Whole Foods")
    await row.get_by_role("link").first.click()
    postings = page.locator("#books")
    await expect(postings.locator("tr", has_text="5120 Refunds of our own")).to_contain_text(
        "43.20"
    )
    await expect(postings.locator("tr[data-clearing=open]")).to_have_count(0)

    await page.get_by_role("link", name="Differences", exact=True).first.click()
    row = page.locator("table.rows tbody tr", has_text="pi_fee")
    await row.get_by_role("link").first.click()
    await page.get_by_role("link", name="Resolve it").click()
    await fiona.act("Resolve it", "our_mistake", "Stripe rounds it up", "is resolved")

    await page.get_by_role("link", name="Charges", exact=True).first.click()
    async with page.expect_download() as waited:
        await page.get_by_role("link", name="Export").click()
    written = (await (await waited.value).path()).read_text()
    assert "45.86" in written


async def risk_watches_and_stops(product: Product, rita: Desk, ada: Holder) -> None:
    """Watch with a rule in shadow, block a merchant from a purchase, and stop everything."""
    page = rita.page
    await rita.home()
    await page.get_by_role("link", name="Rules", exact=True).first.click()
    await page.get_by_role("link", name="New: velocity").click()
    await page.get_by_label("Within minutes").fill("60")
    await page.get_by_label("At most purchases").fill("1")
    await page.get_by_label("Name", exact=True).fill("Few an hour")
    await rita.act("Add a rule", "policy", "Watch it for a week", "in force")
    assert (await groceries(product, ada, 9_00))["approved"] is True
    await product.settled()
    await page.get_by_role("link", name="Promote: let it refuse").click()
    await expect(page.locator(".act-facts")).to_contain_text("9.00")

    await page.get_by_role("link", name="Purchases", exact=True).first.click()
    await page.locator("tr", has_text="Whole Foods").get_by_role("link").first.click()
    await page.get_by_role("link", name="Block a merchant").click()
    await rita.act("Block a merchant", "fraud_suspected", "Never sends anything", "Stopped")
    assert (await groceries(product, ada, 5_00))["approved"] is False

    await page.get_by_role("link", name="Rules", exact=True).first.click()
    await page.get_by_role("link", name="Stop all purchases").click()
    await rita.act("Stop all purchases", "incident", "Something is wrong", "Stopped")
    assert (await groceries(product, ada, 5_00, "Safeway"))["approved"] is False
    await page.get_by_role("link", name="End the rule").click()
    await rita.act("End the rule", "incident_over", "It is over", "has ended")
    assert (await groceries(product, ada, 5_00, "Safeway"))["approved"] is True


async def an_admin_sets_a_price(product: Product, ann: Desk) -> None:
    page = ann.page
    await ann.home()
    await page.get_by_role("link", name="Prices", exact=True).first.click()
    await page.get_by_role("link", name="Set another price").click()
    await page.get_by_label("Name", exact=True).fill("New year")
    await page.get_by_label("From").fill("2999-01-01T00:00")
    await page.get_by_label("Percent of the amount").fill("4.50")
    await page.get_by_label("Fixed part").fill("0.60")
    await ann.act("Set another price", "price_change", "Agreed by the board", "begins at its time")
    [kept] = await product.rows("SELECT percent_bps FROM price_plan WHERE name = 'New year'")
    assert kept["percent_bps"] == 450


async def a_newcomer_joins(product: Product, ann: Desk, olga: Desk) -> None:
    """Invited by an admin, approved by an owner, and in by a password that only they have seen."""
    page, owner = ann.page, olga.page
    await page.get_by_role("link", name="Staff", exact=True).first.click()
    await page.get_by_role("link", name="Invite a member").click()
    await page.get_by_label("E-mail address").fill("nora@example.com")
    await page.get_by_label("Name", exact=True).fill("Nora New")
    await page.get_by_label("support").check()
    await ann.reasoned("joined", "Begins in December")
    await page.get_by_role("button", name="Ask for approval").click()
    await expect(page.get_by_text("Another member has to decide.")).to_be_visible()

    await olga.home()
    await owner.get_by_role("link", name="Approvals").first.click()
    await owner.get_by_role("link", name="New member").first.click()
    await owner.get_by_role("button", name="Approve: new member").click()
    await expect(owner.locator(".state-large")).to_have_text("approved")

    [letter] = await product.rows("SELECT secret FROM mail WHERE kind = 'staff_invitation'")
    await owner.get_by_role("button", name="Sign out").first.click()
    await owner.goto(f"/admin/login/join?token={letter['secret']}")
    for label in ("Password, at least", "The same once more"):
        await owner.get_by_label(label).fill(PASSWORD)
    await owner.get_by_role("button", name="Go on to the authenticator").click()
    secret = (await owner.locator("code.secret").inner_text()).replace(" ", "")
    shown = code_of(secret, datetime.now(UTC))
    await owner.get_by_label("The six digits it shows now").fill(shown)
    await owner.get_by_role("button", name="Enrol and sign in").click()
    await owner.get_by_role("link", name="I have kept them").click()
    await expect(owner.get_by_role("link", name="Nora New").first).to_be_visible()


async def an_auditor_looks(product: Product, olaf: Desk) -> None:
    """See everything, and find nothing that could be changed; the trail is whole."""
    page = olaf.page
    await olaf.home()
    await page.get_by_role("link", name="Trial balance").first.click()
    await expect(page.locator("table[data-layer=posted] tfoot")).to_contain_text("0.00 USD")
    await page.get_by_role("link", name="Audit", exact=True).first.click()
    for told in ("Support Member", "Finance Member", "Risk Member", "Admin Member"):
        await expect(page.locator("table.rows")).to_contain_text(told)
    await page.get_by_role("link", name="Purchases", exact=True).first.click()
    await page.locator("tr", has_text="Whole Foods").get_by_role("link").first.click()
    await expect(page.get_by_role("heading", name="The money")).to_be_visible()
    await expect(page.get_by_role("navigation", name="What can be done")).to_have_count(0)
    refused = await page.request.get("/admin/act/stop-all/new")
    assert refused.status == 403


def money(page: Page, title: str) -> Locator:
    return page.locator("dl.money div", has_text=title)

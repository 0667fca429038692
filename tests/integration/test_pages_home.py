"""The homes: their figures are what was made, of the business's days, and lead to their rows."""

import html
import re
from collections import defaultdict
from datetime import datetime, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

import httpx
import pytest

from app.domain.identity.states import Role
from app.domain.issuing.profit import By, profit, total
from app.domain.issuing.profit_days import follow
from app.domain.issuing.reports import business_day
from app.domain.ledger.accounts import AccountKind, kind_of
from app.domain.ledger.balances import trial_balance
from tests.back_office import csrf_token_on, signed_in
from tests.books import all_written
from tests.faults.arming import arm
from tests.product import Product
from tests.situations import helper, holder, pay
from tests.waiting import until

NO_FUNDS = "pm_card_visa_chargeDeclinedInsufficientFunds"


def said(page: httpx.Response) -> str:
    """Give the text of a page as it reads."""
    assert page.status_code == 200, page.text
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page.text)).split())


def links(page: httpx.Response, text: str) -> list[str]:
    return [html.unescape(href) for href in re.findall(rf'href="([^"]+)">\s*{text}', page.text)]


async def made(product: Product) -> None:
    """Two captures, an open purchase, a card check, two declines by a bank and one by a limit."""
    ada = await holder(product, purchase_limit_minor=100_00)
    bob = await holder(product, email="bob@example.com", sources=(NO_FUNDS,))
    for amount in (1999, 1000):
        bought = await pay(product, ada.card, amount)
        await helper(product, bought["id"], "capture")
    await pay(product, ada.card, 43_20, "Whole Foods")
    await pay(product, ada.card, 0, "Netflix")
    await pay(product, bob.card, 20_00, "Shoe Shop")
    await pay(product, bob.card, 30_00, "Shoe Shop")
    await pay(product, ada.card, 250_00, "Hotel")
    await product.settled()


async def test_the_figures_are_what_was_made(product: Product) -> None:
    await made(product)
    async with signed_in(product, Role.FINANCE) as client:
        text = said(await client.get("/admin/"))
        declined = await client.get("/admin/declines")
    # 1.50 on 19.99 and 1.00 on 10.00 are earned, 1.54 of it Stripe's; 2.66 on 43.20 is still open.
    assert "Net profit 0.96 USD +0.96 USD before: 0.00 USD Gross less all costs" in text
    assert "Earned, gross 2.50 USD +2.50 USD before: 0.00 USD Fees on captures less" in text
    assert "Still expected 2.66 USD Fees on open purchases now, of any day." in text
    assert "Volume 29.99 USD +29.99 USD before: 0.00 USD 2 captures by merchants" in text
    assert "Approval rate 57.1 % 4 of 7 requests" in text
    assert "Take rate 8.33 %" in text
    assert "Unexplained difference with Stripe 0.00 USD" in text
    assert "Approved, not captured 43.20 USD 1 open purchases now; 45.86 USD is held" in text
    text = said(declined)
    assert "Active cards 2 Now." in text
    # 2.50 of 50.00 and 12.50 of 250.00, and twice and once 0.50.
    assert "Fees not earned 16.50 USD" in text
    assert "bank: insufficient funds the customer's bank 50.00 USD 2" in text
    assert "the customer's bank 50.00 USD 2" in text
    assert "Nothing waits for a person." in text
    assert "visa credit US 50.00 USD 2" in text
    assert "Whole Foods 43.20 USD held 45.86 USD approved Ada Byron , Card 1" in text
    assert "Netflix 0.00 USD — approved Ada Byron , Card 1" in text


async def test_every_figure_leads_to_as_many_rows_as_it_counts(product: Product) -> None:
    await made(product)
    counts = {
        "/admin/profit": {"29.99 USD": 2, "57.1 %": 7, "43.20 USD": 2},
        "/admin/declines": {"57.1 %": 7, "3": 3, "2": 2, "bank: insufficient funds": 2},
    }
    async with signed_in(product, Role.FINANCE) as client:
        for home, figures in counts.items():
            page = await client.get(home)
            for text, count in figures.items():
                [address, *_] = links(page, text)
                rows = (await client.get(address)).text.partition("<tbody>")[2]
                assert rows.count("<tr>") == count, address


async def test_what_was_before_is_compared_with(product: Product) -> None:
    await made(product)
    await product.control("clock", {"advance_seconds": 86_400})
    await until(lambda: product.parts.clock.offset > timedelta(hours=23))
    today = product.parts.clock.now().date()
    async with signed_in(product, Role.FINANCE) as client:
        text = said(await client.get(f"/admin/?from={today}&to={today}"))
        declined = said(await client.get(f"/admin/declines?from={today}&to={today}"))
    assert "Earned, gross 0.00 USD -2.50 USD before: 2.50 USD" in text
    assert "on the simulation's moved clock" in text
    assert "Still expected 2.66 USD" in text
    assert "Nothing was declined in this period." in declined


@pytest.mark.parametrize("product_settings", [{"BUSINESS_TIMEZONE": "Pacific/Kiritimati"}])
async def test_the_days_are_the_businesss(product: Product) -> None:
    await made(product)
    today = datetime.now(ZoneInfo("Pacific/Kiritimati")).date()
    async with signed_in(product, Role.FINANCE) as client:
        text = said(await client.get(f"/admin/?from={today}&to={today}"))
    assert f"{today}, whole days of Pacific/Kiritimati, in USD" in text
    assert "Earned, gross 2.50 USD" in text


async def test_nothing_yet_says_so(product: Product) -> None:
    async with signed_in(product, Role.AUDITOR) as client:
        text = said(await client.get("/admin/"))
        declined = said(await client.get("/admin/declines"))
    assert "Net profit 0.00 USD no change" in text
    assert "Approval rate — 0 of 0 requests" in text
    assert "Nothing was declined in this period." in declined
    assert "No purchase yet." in declined


async def test_profit_equals_the_ledger_however_it_is_summed(product: Product) -> None:
    await made(product)
    sessions, zone = product.parts.sessions, ZoneInfo("UTC")
    day = business_day(product.parts.clock.now(), zone)
    since, until_ = day.start - timedelta(days=1), day.end + timedelta(days=1)
    for _ in range(2):  # as the journals tell it, and as the sums do that follow them
        async with sessions() as session:
            sums = {
                by: total(await profit(session, since=since, until=until_, by=by, zone=zone))
                for by in By
            }
            balances = await trial_balance(session, until_)
        kinds: dict[AccountKind, int] = defaultdict(int)
        for one in balances:
            kinds[kind_of(one.account)] += one.net_minor
        earned = -kinds[AccountKind.INCOME] - kinds[AccountKind.EXPENSE]
        assert {row.net_minor for row in sums.values()} == {earned} == {96}
        # Assets less liabilities less capital is what was earned.
        rest = kinds[AccountKind.ASSET] + kinds[AccountKind.LIABILITY] + kinds[AccountKind.EQUITY]
        assert rest == earned
        await all_written(product)
        await follow(sessions, zone)
        [kept] = await product.rows("SELECT count(*) AS rows FROM profit_day")
        assert kept["rows"] > 0


async def test_the_net_of_any_period_is_what_the_ledger_has_more_at_its_end(
    product: Product,
) -> None:
    await made(product)
    sessions, zone = product.parts.sessions, ZoneInfo("UTC")
    first = business_day(product.parts.clock.now(), zone)
    await product.control("clock", {"advance_seconds": 86_400})
    await until(lambda: product.parts.clock.offset > timedelta(hours=23))
    eve = await holder(product, email="eve@example.com")
    await helper(product, (await pay(product, eve.card, 70_00))["id"], "capture")
    await product.settled()
    ends = [first.start, first.end, first.end + timedelta(days=1), first.end + timedelta(days=2)]
    async with sessions() as session:
        # What stands on income and expenses before each end, as credits less debits.
        stood = [
            -sum(
                one.net_minor
                for one in await trial_balance(session, end)
                if kind_of(one.account) in {AccountKind.INCOME, AccountKind.EXPENSE}
            )
            for end in ends
        ]
        for (since, before), (until_, after) in combinations(zip(ends, stood, strict=True), 2):
            span = {"since": since, "until": until_}
            rows = await profit(session, **span, by=By.DAY, zone=zone)
            assert total(rows).net_minor == after - before, span
    assert len(set(stood)) == 3


FAILED = """
INSERT INTO inbound_event (id, stripe_event_id, type, occurred_at, payload, state, attempts)
VALUES (gen_random_uuid(), 'evt_failed', 'issuing_card.updated', now(), '{}', 'failed', 8)
"""


async def test_what_waits_is_taken_by_one_and_given_back(product: Product) -> None:
    bought = await pay(product, (await holder(product)).card, 1999)
    await product.settled()
    await product.as_owner(FAILED)
    await product.as_owner("UPDATE card_authorization SET not_handled = 'a rest is open'")
    [row] = await product.rows("SELECT id FROM card_authorization")
    item = {"key": str(row["id"])}
    take, leave = "/admin/queues/reviews/take", "/admin/queues/reviews/give-back"
    async with signed_in(product, Role.SUPPORT) as sam, signed_in(product, Role.RISK) as rik:
        home = said(await sam.get("/admin/"))
        assert "Purchases to review 1 nobody has taken one Failed events 1" in home
        page = await sam.get("/admin/queues")
        [address] = links(page, "Blue Bottle: a rest is open")
        assert bought["id"] in (await sam.get(address)).text
        for listed in links(page, "(?:Purchases to review|Failed events)<"):
            assert (await sam.get(listed)).text.partition("<tbody>")[2].count("<tr>") == 1
        mine, other = {"csrf_token": csrf_token_on(page)}, await rik.get("/admin/queues")
        assert (await sam.post(take, data=item)).status_code == 403
        assert (await sam.post(take, data=item | mine)).status_code == 303
        assert "Purchases to review 1 taken by Grace Hopper" in said(await rik.get("/admin/"))
        theirs = {"csrf_token": csrf_token_on(other)}
        taken = await rik.post(take, data=item | theirs)
        assert (taken.status_code, "Grace Hopper has taken this on" in taken.text) == (409, True)
        assert (await rik.post(leave, data=item | theirs)).status_code == 409
        assert (await sam.post(leave, data=item | mine)).status_code == 303
        gone = await sam.post(take, data=mine | {"key": "not there"})
        assert gone.status_code == 409
    trail = await product.rows(
        "SELECT action FROM audit_entry WHERE subject_kind = 'reviews' ORDER BY created_at"
    )
    assert [one["action"] for one in trail] == ["work.take", "work.give_back"]
    async with signed_in(product, Role.AUDITOR) as otto:
        page = await otto.get("/admin/queues")
        assert "Take</button>" not in page.text
        data = item | {"csrf_token": csrf_token_on(page)}
        assert (await otto.post(take, data=data)).status_code == 403


async def test_what_stripe_refused_is_no_banks_decline(product: Product) -> None:
    ada = await holder(product)
    await arm(product, "status", status=429)
    assert not (await pay(product, ada.card, 20_00))["approved"]
    await product.settled()
    async with signed_in(product, Role.SUPPORT) as client:
        text = said(await client.get("/admin/declines"))
    assert "Stripe's rate limit us 20.00 USD 1" in text
    assert "No bank declined anything." in text

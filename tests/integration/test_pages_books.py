"""The books' pages: every sum leads to its rows, and says its period, zone and source."""

import html
import re
from datetime import UTC, datetime, timedelta, timezone

import httpx
import pytest

from app.domain.identity.states import Role
from app.money import parse_amount
from tests.back_office import signed_in
from tests.integration.test_admin_lists import rows_of
from tests.integration.test_pages_home import said
from tests.product import Product
from tests.situations import Holder, force_capture, helper, holder, pay

PAGES = ("trial-balance", "receivables-by-age", "profit")
EMPTY = "Nothing was in the books then."
OWED = """
INSERT INTO receivable (id, customer_id, purchase_id, opened_at, amount_minor, lowered_minor,
                        currency, refund_reversed, state, attempts)
SELECT gen_random_uuid(), (SELECT id FROM customer), gen_random_uuid(),
       now() - make_interval(days => age), 1000 + age, age, 'usd', false, 'open', 1
  FROM unnest(ARRAY[0, 7, 8, 30, 31, 60, 61, 90, 91, 400]) AS age
"""


async def tipped_and_refunded(product: Product) -> Holder:
    """Capture 24.00 of 19.99 and let the merchant give 5.00 back; keep another one open."""
    ada = await holder(product)
    bought = await pay(product, ada.card, 1999)
    await helper(product, bought["id"], "capture", capture_amount=2400)
    [taken] = (await product.call("GET", "/v1/issuing/transactions"))["data"]
    path = f"/v1/test_helpers/issuing/transactions/{taken['id']}/refund"
    await product.call("POST", path, refund_amount=500)
    await pay(product, ada.card, 43_20, "Whole Foods")
    await product.settled()
    return ada


def cells(body: str) -> list[list[str]]:
    """Give the text of each cell of each row of a table's body."""
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.DOTALL)
    found = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL) for row in rows]
    return [[" ".join(re.sub(r"<[^>]*>", " ", c).split()) for c in row] for row in found]


def bodies(page: httpx.Response) -> list[str]:
    assert page.status_code == 200, page.text
    return re.findall(r"<tbody>(.*?)</tbody>", page.text, re.DOTALL)


def hrefs(text: str) -> list[str]:
    return [html.unescape(found) for found in re.findall(r'href="([^"]+)"', text)]


def minor(told: str) -> int:
    sign, amount = re.fullmatch(r"(-?)([\d,.]+)(?: USD)?", told).groups()  # type: ignore[union-attr]
    return parse_amount(amount) * (-1 if sign else 1)


def totals(page: httpx.Response) -> list[int]:
    """Give debit, credit and net of all rows of an account's page."""
    found = re.search(r'<dl class="totals">(.*?)</dl>', page.text, re.DOTALL)
    return [minor(one) for one in re.findall(r"<dd>([^<]*)</dd>", found[1])] if found else [0, 0, 0]


async def test_every_line_of_the_trial_balance_is_the_sum_of_its_postings(product: Product) -> None:
    await tipped_and_refunded(product)
    async with signed_in(product, Role.FINANCE) as client:
        page = await client.get("/admin/trial-balance")
        for body in bodies(page):
            debit = credit = 0
            for line, href in zip(cells(body), hrefs(body), strict=True):
                sums = [minor(one) for one in line[2:]]
                assert totals(await client.get(href)) == sums, line
                debit, credit = debit + sums[0], credit + sums[1]
            assert debit == credit > 0
    text = said(page)
    assert "2000 Customer funds (clearing) liability, cleared 29.00 USD 29.00 USD 0.00 USD" in text
    assert "4010 Fee returned on refunds income 0.35 USD 0.00 USD 0.35 USD" in text
    assert re.search(r"up to now, [\d-]+ [\d:]+, UTC\. Source: journals", text)


async def test_the_trial_balance_is_as_of_a_moment_of_the_business(product: Product) -> None:
    await tipped_and_refunded(product)
    moment = datetime.now(UTC)
    async with signed_in(product, Role.AUDITOR) as client:
        for at, empty in (
            (moment - timedelta(hours=1), True),
            (moment + timedelta(minutes=1), False),
        ):
            page = await client.get(f"/admin/trial-balance?at={at:%Y-%m-%dT%H:%M:%S}")
            assert (EMPTY in said(page)) is empty
            elsewhere = at.astimezone(timezone(timedelta(hours=14)))
            page = await client.get("/admin/trial-balance", params={"at": elsewhere.isoformat()})
            assert (EMPTY in said(page)) is empty
        for typed in ("yesterday", "99999-01-01", "0001-01-01T00:00"):
            refused = await client.get(f"/admin/trial-balance?at={typed}")
            assert refused.status_code == 422
            assert "is not a moment like 2026-11-24 14:02." in refused.text
            assert f'value="{typed}"' in refused.text


async def test_an_account_is_narrowed_and_its_journal_opened(product: Product) -> None:
    await tipped_and_refunded(product)
    [row] = await product.rows("SELECT id FROM card_authorization WHERE state = 'closed'")
    today = datetime.now(UTC).date()
    async with signed_in(product, Role.FINANCE) as client:
        for query, count in {
            "account=4000": 2,
            f"account=4000&purchase={row['id']}&time_from={today - timedelta(days=1)}": 2,
            f"account=4000&time_to={today - timedelta(days=2)}": 0,
            "account=4000&layer=held": 0,
            "account=2300&layer=held&rule=linked_card_held": 2,
            "account=4000&category=fast_food_restaurants&funding=credit": 2,
            "account=4000&funding=debit": 0,
            "account=4000&customer=-": 0,
            "account=9999": 0,
            "customer=nobody": 0,
        }.items():
            page = await client.get(f"/admin/entries/list?{query}")
            assert len(rows_of(page)) == count, query
        page = await client.get("/admin/entries/list?account=4010")
        journal = await client.get(hrefs(bodies(page)[0])[0])
    text = said(journal)
    assert "We owe the customer a refund" in text
    assert "4010 Fee returned on refunds 2100 Refunds payable posted 0.35 USD" in text
    assert f"/admin/purchase/{row['id']}" in journal.text


async def test_what_moved_our_money_is_matched_with_its_journal(product: Product) -> None:
    await tipped_and_refunded(product)
    async with signed_in(product, Role.FINANCE) as client:
        matched = rows_of(await client.get("/admin/balance-transactions/list?matched=yes"))
        unmatched = await client.get("/admin/balance-transactions/list?matched=no")
        refunds = rows_of(await client.get("/admin/refunds/list?purpose=merchant_refund"))
    assert any("refund -4.21 USD 0.00 USD -4.21 USD" in row for row in matched), matched
    assert any(row.endswith("the refund went to the linked card") for row in matched)
    assert rows_of(unmatched) == []
    assert [row for row in refunds if "1.14 USD 0.79 USD 0.35 USD succeeded" in row], refunds


async def test_debts_are_added_up_by_their_age(product: Product) -> None:
    await holder(product)
    await product.as_owner(OWED)
    async with signed_in(product, Role.FINANCE) as client:
        page = await client.get("/admin/receivables-by-age")
        [body] = bodies(page)
        lines = cells(body)
        behind = [await client.get(href) for href in hrefs(body)]
    assert [line[1:] for line in lines] == [["2", "1", "20.00 USD"]] * 5
    for rows in behind:
        assert sum("10.00 USD open" in row for row in rows_of(rows)) == len(rows_of(rows)) == 2
    assert "All open 10 100.00 USD" in said(page)


async def test_profit_adds_up_however_it_is_broken_down(product: Product) -> None:
    await tipped_and_refunded(product)
    async with signed_in(product, Role.FINANCE) as client:
        for by in ("day", "category", "customer", "funding", "country", "size"):
            page = await client.get(f"/admin/profit/accounts?by={by}")
            # 1.50 and 0.20 earned, 0.35 returned; 0.92 and 0.42 paid to Stripe; 2.66 to come.
            text = said(page)
            assert "Earned, gross 1.35 USD" in text, by
            assert "Costs 1.34 USD" in text
            assert "Net profit 0.01 USD" in text
            assert "Still expected 2.66 USD Fees on 1 open purchase now" in text
            rows = bodies(page)
            [line] = cells(rows[0])
            assert line[1:] == ["1.70", "0.35", "1.35", "1.34", "0.01"], by
            sums = [abs(totals(await client.get(href))[2]) for href in _entries(rows[0])]
            assert sums == [170, 35, 134], by
            assert cells(rows[1])[0][1:] == ["1", "2.66"]


async def test_what_was_taken_without_asking_is_of_the_size_that_was_taken(
    product: Product,
) -> None:
    ada = await holder(product)
    await force_capture(product, ada.card, 60_00)
    await product.settled()
    async with signed_in(product, Role.FINANCE) as client:
        [body] = bodies(await client.get("/admin/profit/accounts?by=size"))
        # 5 % and 0.50 earned; 2.9 % and 0.30 paid to Stripe.
        assert cells(body) == [["50.00 to 199.99", "3.50", "0.00", "3.50", "2.14", "1.36"]]
        sums = [abs(totals(await client.get(href))[2]) for href in _entries(body)]
    assert sums == [3_50, 0, 2_14]


def _entries(body: str) -> list[str]:
    return [href for href in hrefs(body) if href.startswith("/admin/entries/")]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("from=soon", "“soon” is not a day like 2026-11-24."),
        ("from=2026-02-01&to=2026-01-01", "2026-02-01 is after 2026-01-01."),
        ("from=1999-01-01&to=2026-01-01", "A period has 800 days at most."),
        ("by=mood", "“mood” is not one of day, funding, category, customer, country, size."),
    ],
)
async def test_a_period_that_is_none_is_one_sentence(
    product: Product, query: str, sentence: str
) -> None:
    async with signed_in(product, Role.FINANCE) as client:
        page = await client.get(f"/admin/profit/accounts?{query}")
    assert page.status_code == 422
    assert sentence in page.text


async def test_totals_are_for_those_who_answer_for_them(product: Product) -> None:
    may = {Role.FINANCE, Role.ADMIN, Role.AUDITOR, Role.OWNER}
    for role in Role:
        async with signed_in(product, role) as client:
            home = await client.get("/admin/")
            assert ("Net profit" in home.text) is (role in may)
            for page in PAGES:
                answer = await client.get(f"/admin/{page}")
                assert answer.status_code == (200 if role in may else 403), (role, page)
                assert (f'href="/admin/{page}"' in home.text) is (role in may)

"""Sums and files of lists: of exactly what the filters choose, and on the trail."""

import csv
import io

from app.admin.views.exporting import AT_ONCE, ROOM
from app.domain.identity.states import Role
from tests.back_office import signed_in
from tests.integration.test_pages_home import said
from tests.product import Product
from tests.situations import holder, pay

FORMULA = '=HYPERLINK("http://evil.example","x")'
MORE = """
INSERT INTO card_authorization (id, stripe_authorization_id, occurred_at, state, amount_minor,
                                currency, merchant_name, merchant_category, fence)
SELECT gen_random_uuid(), 'iauth_' || n, now() - interval '1 day', 'closed', 100, 'usd', 'Shop',
       'bakeries', 0 FROM generate_series(1, 1050) AS n
"""


async def test_a_file_is_exactly_what_the_filters_choose(product: Product) -> None:
    ada = await holder(product)
    for amount, merchant in ((1999, "Blue Bottle"), (43_20, FORMULA), (60_00, "Whole Foods")):
        await pay(product, ada.card, amount, merchant)
    await product.settled()
    query = "amount_from=20.00&amount_to=43.20"
    async with signed_in(product, Role.FINANCE) as client:
        page = await client.get(f"/admin/purchases/list?{query}")
        assert "1 row · Amount 43.20 USD" in said(page)
        assert f"/admin/purchases/export?{query.replace('&', '&amp;')}" in page.text
        answer = await client.get(f"/admin/purchases/export?{query}")
        everything = await client.get("/admin/purchases/list")
        assert "3 rows · Amount 123.19 USD" in said(everything)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="purchases-')
    head, *rows = csv.reader(io.StringIO(answer.text))
    assert head[:5] == ["Time", "Merchant", "Customer", "Card", "Amount"]
    [row] = [dict(zip(head, row, strict=True)) for row in rows]
    # The name is plain text to a spreadsheet, and the amount a number.
    assert (row["Merchant"], row["Amount"], row["Currency"]) == (f"'{FORMULA}", "43.20", "USD")
    assert row["Customer"] == "Ada Byron"
    [told] = await product.rows(
        "SELECT subject_id, after FROM audit_entry WHERE action = 'purchases.export'"
    )
    assert (told["subject_id"], told["after"]) == ("purchases", {"query": query})


async def test_a_long_list_is_written_while_it_is_read(product: Product) -> None:
    await product.as_owner(MORE)
    async with signed_in(product, Role.AUDITOR) as client:
        answer = await client.get("/admin/purchases/export?search=Shop&sortBy=created_at&sort=asc")
        rows = list(csv.reader(io.StringIO(answer.text)))
        assert len(rows) == 1 + 1050
        assert ROOM.taken == 0
        ROOM.taken = AT_ONCE
        try:
            refused = await client.get("/admin/purchases/export")
        finally:
            ROOM.taken = 0
        assert refused.status_code == 429


async def test_what_cannot_be_read_or_may_not_be_taken_is_no_file(product: Product) -> None:
    async with signed_in(product, Role.FINANCE) as client:
        for address, sentence in {
            "purchases/export?amount_from=much": "“much” is not an amount like 19.99",
            "purchases/export?time_from=soon": "“soon” is not a day like 2026-11-24.",
            "declines/export?reason=mood": "“mood” is not one of the choices.",
        }.items():
            answer = await client.get(f"/admin/{address}")
            assert answer.status_code == 422, address
            assert sentence in answer.text
            assert "text/html" in answer.headers["content-type"]
    ada = await holder(product)
    await pay(product, ada.card, 1999)
    await product.settled()
    async with signed_in(product, Role.SUPPORT) as client:
        # Totals of the company are not for support, those of one customer are.
        assert "1 row Time" in said(await client.get("/admin/purchases/list"))
        theirs = await client.get(f"/admin/purchases/list?customer={ada.customer.id}")
        assert "1 row · Amount 19.99 USD" in said(theirs)
        assert "/export" not in (await client.get("/admin/purchases/list")).text
        assert (await client.get("/admin/purchases/export")).status_code == 403
        assert (await client.get("/admin/staff/export")).status_code == 403
    exported = await product.rows("SELECT 1 FROM audit_entry WHERE action LIKE '%.export'")
    assert exported == []

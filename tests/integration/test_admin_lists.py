"""The lists over HTTP: they show what happened, and find it again."""

import html
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import httpx
import pytest

from app.admin.catalogue import VIEWS
from app.admin.views.masking import HIDDEN
from app.db import Sessions
from app.domain.identity.audit import SYSTEM
from app.domain.identity.states import Role
from app.domain.issuing.allowing import allow_once
from app.queue import enqueue
from tests.back_office import member, signed_in
from tests.factories import (
    ApprovalFactory,
    MailFactory,
    MirrorOrderFactory,
    ReconciliationDifferenceFactory,
)
from tests.product import Product
from tests.situations import Holder, helper, holder, pay

EVIL = "<b onclick=x>Evil & Co"
BROKE = "pm_card_visa_chargeDeclinedInsufficientFunds"


def rows_of(page: httpx.Response) -> list[str]:
    """Give the text of each row of the list on a page."""
    assert page.status_code == 200, page.text
    body = page.text.partition("<tbody>")[2].partition("</tbody>")[0]
    parts = (re.sub(r"<[^>]*>", " ", row) for row in body.split("<tr>")[1:])
    return [" ".join(html.unescape(row).split()) for row in parts]


async def busy_day(product: Product) -> Holder:
    """Make a little of everything: captured, approved, hostile, declined by a bank and by us."""
    ada = await holder(product, cards=2, purchase_limit_minor=500_00)
    broke = await holder(product, email="bob@example.com", sources=(BROKE,))
    captured = await pay(product, ada.card, 1999)
    await helper(product, captured["id"], "capture")
    await pay(product, ada.cards[1], 43_20, EVIL)
    await pay(product, broke.card, 43_21, "=HYPERLINK(1)")
    await pay(product, ada.card, 0, "Netflix")
    await product.settled()
    await wait_in_queue(product.parts.sessions)
    return ada


async def refunded_and_owed(product: Product, ada: Holder) -> None:
    """Let a merchant give all back, and another take more than the linked card has."""
    back, tipped = [await pay(product, ada.card, 20_00) for _ in range(2)]
    await helper(product, back["id"], "capture")
    listed = await product.call("GET", "/v1/issuing/transactions", limit=1)
    path = f"/v1/test_helpers/issuing/transactions/{listed['data'][0]['id']}/refund"
    assert (await product.call("POST", path))["type"] == "refund"
    saved = ada.sources[0].stripe_payment_method_id
    await product.control(f"payment_methods/{saved}/behaves_like", {"token": BROKE})
    await helper(product, tipped["id"], "capture", capture_amount=25_00)
    await product.settled()
    await product.control(f"payment_methods/{saved}/behaves_like", {"token": None})


async def wait_in_queue(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await enqueue(session, "later", {"event": "evt_1"}, key="1", delay=timedelta(hours=1))


async def test_every_list_and_record_shows_what_there_is(product: Product) -> None:
    ada = await busy_day(product)
    await refunded_and_owed(product, ada)
    await product.as_owner("UPDATE card SET blocked_countries = '{FR}'")
    abroad = await pay(product, ada.card, 1999, **{"merchant_data[country]": "FR"})
    async with product.parts.sessions.begin() as session:
        await allow_once(session, abroad["id"], actor=SYSTEM, now=datetime.now(UTC))
        session.add(ApprovalFactory.build(requested_by=(await member(product, Role.RISK)).id))
        session.add(MailFactory.build())
        session.add(MirrorOrderFactory.build())
        session.add(ReconciliationDifferenceFactory.build())
    async with signed_in(product, Role.OWNER) as client:
        for view in VIEWS:
            page = await client.get(f"/admin/{view.identity}/list")
            assert rows_of(page), view.identity
            assert "sqlalchemy" not in page.text.lower()
            href = re.search(r'class="row-link"\s+href="([^"]+)"', page.text)
            assert href
            if view.can_view_details:
                # A customer's row leads to the page with everything, and that to the record.
                record = await client.get(href[1].replace("/customer/", "/customers/details/"))
                assert record.status_code == 200, record.text
                assert 'class="record"' in record.text
                assert "argon2" not in record.text


async def test_purchases_read_as_people_say_them_newest_first(product: Product) -> None:
    ada = await busy_day(product)
    async with signed_in(product, Role.SUPPORT) as client:
        page = await client.get("/admin/purchases/list")
        oldest = await client.get("/admin/purchases/list?sortBy=created_at&sort=asc")
    found = rows_of(page)
    assert rows_of(oldest) == found[::-1]
    merchants = ["Netflix", "=HYPERLINK(1)", EVIL, "Blue Bottle"]
    for row, merchant in zip(found, merchants, strict=True):
        assert merchant in row
        assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", row)
    assert f"Ada Byron Card 2 ···· {ada.cards[1].last4} 43.20 USD approved pending" in found[2]
    assert "43.21 USD declined bank: insufficient funds" in found[1]
    assert "<b onclick" not in page.text
    assert f'href="/admin/customer/{ada.customer.id}"' in page.text
    assert re.search(r'href="/admin/purchase/[0-9a-f-]{36}"', page.text)


async def test_declines_say_why_and_whose_decision_it_was(product: Product) -> None:
    await busy_day(product)
    async with signed_in(product, Role.SUPPORT) as client:
        [row] = rows_of(await client.get("/admin/declines/list"))
        assert "bank: insufficient funds the customer's bank =HYPERLINK(1)" in row
        for query, count in {
            "reason=bank_insufficient_funds": 1,
            "reason=over_daily_limit": 0,
            "decided_by=bank": 1,
            "decided_by=us": 0,
        }.items():
            assert len(rows_of(await client.get(f"/admin/declines/list?{query}"))) == count, query


async def test_search_and_filters_find_what_was_meant(product: Product) -> None:
    ada = await busy_day(product)
    [kept] = await product.rows(
        "SELECT stripe_authorization_id FROM card_authorization WHERE amount_minor = 4320"
    )
    today = datetime.now(UTC).date()
    queries = {
        "search=43.20": 1,
        "amount_from=43.20&amount_to=43.20": 1,
        "amount_from=20&amount_to=43.20": 1,
        "amount_from=43.2": 2,
        "search=evil": 1,
        "search=%25": 0,
        "search=_": 0,
        "search=ada@example.com": 3,
        "search=ada@example": 0,
        "search=byron": 4,
        f"search={ada.cards[1].last4}": 1,
        f"search={kept['stripe_authorization_id']}": 1,
        "search=iauth_unknown": 0,
        f"customer={ada.customer.id}": 3,
        f"card={ada.cards[1].id}": 1,
        "answer=declined": 1,
        "answer=approved&state=closed": 1,
        f"time_from={today}&time_to={today + timedelta(days=1)}": 4,
        f"time_to={today - timedelta(days=1)}": 0,
        f"time_from={today + timedelta(days=1)}": 0,
    }
    async with signed_in(product, Role.SUPPORT) as client:
        for query, count in queries.items():
            page = await client.get(f"/admin/purchases/list?{query}")
            assert len(rows_of(page)) == count, query


UNREADABLE = {
    "amount_from=much": "“much” is not an amount like 19.99",
    "amount_from=1e3": "is not an amount",
    "time_from=yesterday": "“yesterday” is not a day like 2026-11-24.",
    "time_from=99999-01-01": "is not a day",
    "time_to=9999-12-31": "is not a day",
    "state=nope": "“nope” is not one of the choices.",
    "customer=nope": "the address holds no id.",
}


async def test_a_filter_that_cannot_be_read_says_so_and_shows_no_rows(product: Product) -> None:
    await pay(product, (await holder(product)).card, 1999)
    async with signed_in(product, Role.SUPPORT) as client:
        for query, problem in UNREADABLE.items():
            page = await client.get(f"/admin/purchases/list?{query}")
            assert rows_of(page) == [], query
            assert problem in page.text


@pytest.mark.parametrize(
    "product_settings",
    [{"BUSINESS_TIMEZONE": "Pacific/Kiritimati"}, {"BUSINESS_TIMEZONE": "Pacific/Pago_Pago"}],
    ids=["14 h ahead", "11 h behind"],
)
async def test_days_and_times_are_those_of_the_business(product: Product) -> None:
    await pay(product, (await holder(product)).card, 1999)
    [kept] = await product.rows("SELECT occurred_at FROM card_authorization")
    there = kept["occurred_at"].astimezone(ZoneInfo(product.settings.business_timezone))
    today, day = there.date(), timedelta(days=1)
    queries = {
        f"time_from={today}&time_to={today}": 1,
        f"time_to={today - day}": 0,
        f"time_from={today + day}": 0,
    }
    async with signed_in(product, Role.SUPPORT) as client:
        for query, count in queries.items():
            page = await client.get(f"/admin/purchases/list?{query}")
            assert len(rows_of(page)) == count, query
        [row] = rows_of(await client.get("/admin/purchases/list"))
    assert row.startswith(f"{there:%Y-%m-%d %H:%M:%S}")


MANY = """
INSERT INTO audit_entry (id, actor_kind, action, subject_kind, subject_id)
SELECT gen_random_uuid(), 'system', 'many.things', 'card', n FROM generate_series(1, 10500) n
"""


async def test_a_long_list_is_counted_to_a_limit_and_a_slow_one_gives_up(product: Product) -> None:
    owner = await asyncpg.connect(product.settings.owner_url)
    await owner.execute(MANY)
    async with signed_in(product, Role.ADMIN) as client:
        page = await client.get("/admin/audit/list?search=many&page=200")
        assert "9,951 to 10,000 of more than 10,000" in " ".join(page.text.split())
        assert "Choose days to see older ones." in page.text
        async with owner.transaction():
            await owner.execute("LOCK TABLE card_authorization IN ACCESS EXCLUSIVE MODE")
            slow = await client.get("/admin/purchases/list")
    await owner.close()
    assert rows_of(slow) == []
    assert "This takes too long to look through." in slow.text


async def test_pages_follow_each_other_without_a_row_twice(product: Product) -> None:
    ada = await holder(product)
    for n in range(27):
        await pay(product, ada.card, 100, f"Shop {n}")
    await product.settled()
    async with signed_in(product, Role.SUPPORT) as client:
        first = await client.get("/admin/purchases/list?pageSize=25")
        second = await client.get("/admin/purchases/list?pageSize=25&page=2")
        beyond = await client.get("/admin/purchases/list?pageSize=25&page=99")
    both = rows_of(first) + rows_of(second)
    assert [len(rows_of(first)), len(both), len(set(both))] == [25, 27, 27]
    assert "1 to 25 of 27" in " ".join(first.text.split())
    assert 'rel="next"' in first.text
    assert 'rel="next"' not in second.text
    assert beyond.status_code == 302


async def test_events_show_what_stripe_sent_without_personal_data(product: Product) -> None:
    await holder(product)
    await product.settled()
    async with signed_in(product, Role.SUPPORT) as client:
        page = await client.get("/admin/events/list?search=issuing_cardholder.created")
        assert "Byron" not in page.text
        href = re.search(r'class="row-link"\s+href="([^"]+)"', page.text)
        assert href
        record = (await client.get(href[1])).text
    assert "issuing.cardholder" in record
    assert HIDDEN in record
    for personal in ("Byron", "ada@example.com", "Townsend", "4155550100"):
        assert personal not in record

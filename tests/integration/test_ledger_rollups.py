"""The days' sums and the clearing accounts' follow the journals, whoever is still writing."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from app.domain.issuing.clearing import mark_amiss, uncleared
from app.domain.ledger.balances import Balance, trial_balance
from app.domain.ledger.rollups import day_sums, differences, follow, rebuild, totals
from tests.books import all_written
from tests.product import Product
from tests.situations import helper, holder, pay

UTC_ZONE = ZoneInfo("UTC")
KIRITIMATI = ZoneInfo("Pacific/Kiritimati")
"""Fourteen hours ahead: another day than in UTC for more than half of it."""
LATE = """
INSERT INTO journal (reference, rule, occurred_at, currency, debits, credits, amounts, layers)
VALUES ('late:capital_paid_in', 'capital_paid_in', '2026-01-05 23:30+00', 'usd',
        '{1030}', '{3000}', '{500}', '{posted}')
"""
MARK = "SELECT until_transaction FROM rollup_mark"
JANUARY = date(2026, 1, 1), date(2026, 1, 31)
OPEN = "SELECT account, layer, net_minor FROM open_clearing ORDER BY 1, 2"


def by_key(found: list[Balance]) -> dict[tuple[str, str], tuple[int, int]]:
    return {(one.account, one.layer): (one.debit_minor, one.credit_minor) for one in found}


async def test_they_are_the_sums_before_and_after_every_step(product: Product) -> None:
    sessions = product.parts.sessions
    ada = await holder(product)
    bought = await pay(product, ada.card, 100_00)
    await product.settled()
    for _ in range(2):
        await all_written(product)
        await follow(sessions, UTC_ZONE)
        async with sessions() as session:
            assert await differences(session) == []
    assert {(row["account"], row["layer"]): row["net_minor"] for row in await product.rows(OPEN)}
    await helper(product, bought["id"], "capture")
    await product.settled()
    async with sessions() as session:
        in_all = by_key(await trial_balance(session, datetime(2100, 1, 1, tzinfo=UTC)))
        assert by_key(await totals(session)) == in_all, "with what is not followed yet"
    await all_written(product)
    await follow(sessions, UTC_ZONE)
    async with sessions() as session:
        assert by_key(await totals(session)) == in_all
        assert await differences(session) == []
    assert await product.rows(OPEN) == []


async def test_a_journal_that_is_still_being_written_is_added_once_it_is_there(
    product: Product,
) -> None:
    sessions = product.parts.sessions
    writer = await asyncpg.connect(product.settings.database_url)
    writing = writer.transaction()
    await writing.start()
    await writer.execute(LATE)
    # What begins later and ends earlier has a higher number, and waits for the one before it.
    await pay(product, (await holder(product)).card, 19_99)
    await product.settled()
    await follow(sessions, UTC_ZONE)
    async with sessions() as session:
        assert await differences(session) == []
        assert ("1010", "held") in by_key(await totals(session))
    until, number = await product.rows(MARK), await writer.fetchval("SELECT pg_current_xact_id()")
    assert until[0]["until_transaction"] <= int(number)
    await writing.commit()
    await writer.close()
    await all_written(product)
    await follow(sessions, UTC_ZONE)
    async with sessions() as session:
        assert await differences(session) == []
        late, *_ = await day_sums(session, *JANUARY, UTC_ZONE)
    assert (late.account, late.debit_minor) == ("1030", 500)


async def test_another_time_zone_makes_the_days_anew(product: Product) -> None:
    sessions = product.parts.sessions
    await product.as_owner(LATE)
    await all_written(product)
    await follow(sessions, UTC_ZONE)
    async with sessions() as session:
        days = {one.day.day for one in await day_sums(session, *JANUARY, UTC_ZONE)}
        elsewhere = {one.day.day for one in await day_sums(session, *JANUARY, KIRITIMATI)}
    assert (days, elsewhere) == ({5}, {6}), (
        "asked for in a zone that is not kept: from the journals"
    )
    await all_written(product)
    await follow(sessions, KIRITIMATI)
    async with sessions() as session:
        assert {one.day.day for one in await day_sums(session, *JANUARY, KIRITIMATI)} == {6}
        assert await differences(session) == []


async def test_a_sum_that_was_changed_is_found_and_can_be_made_anew(product: Product) -> None:
    sessions = product.parts.sessions
    await pay(product, (await holder(product)).card, 19_99)
    await product.settled()
    await all_written(product)
    await follow(sessions, UTC_ZONE)
    await product.as_owner(
        "UPDATE account_day SET debit_minor = debit_minor + 1 WHERE account = '1010';"
        "UPDATE open_clearing SET net_minor = 7 WHERE account = '2300' AND layer = 'held'"
    )
    async with sessions() as session:
        found = await differences(session)
    assert any("1010" in told for told in found)
    assert any("2300" in told and "0.07" in told for told in found)
    await rebuild(sessions, UTC_ZONE)
    async with sessions() as session:
        assert await differences(session) == []


async def test_a_purchase_that_has_ended_uncleared_is_marked_until_it_is_right(
    product: Product,
) -> None:
    sessions = product.parts.sessions
    bought = await pay(product, (await holder(product)).card, 19_99)
    await product.settled()
    await all_written(product)
    await follow(sessions, UTC_ZONE)
    assert await mark_amiss(sessions) == 0
    await product.as_owner("UPDATE card_authorization SET state = 'closed'")
    assert await mark_amiss(sessions) > 0
    assert await mark_amiss(sessions) == 0, "the moment it was seen first is kept"
    async with sessions() as session:
        found = await uncleared(session)
    assert {one.stripe_authorization_id for one in found} == {bought["id"]}
    assert sum(abs(one.net_minor) for one in found if one.account == "2300") == 1_50
    assert all(datetime.now(UTC) - one.amiss_since < timedelta(minutes=1) for one in found)
    await product.as_owner("UPDATE card_authorization SET state = 'pending'")
    assert await mark_amiss(sessions) > 0
    async with sessions() as session:
        assert await uncleared(session) == []

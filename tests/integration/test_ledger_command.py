"""`proxycard ledger`, `profit`, `receivables`, `refund` and `job`: what a person sees and does."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from app.domain.issuing.profit import By, expected, profit, total
from app.jobs.catalogue import regular_jobs
from app.jobs.regular import run_named
from tests.books import all_written
from tests.controls import command, later
from tests.oracle import oracle
from tests.product import Product
from tests.situations import (
    Holder,
    behave,
    helper,
    holder,
    pay,
    refund,
    take_refund_back,
    unlinked_refund,
)

NO_FUNDS = "pm_card_visa_chargeDeclinedInsufficientFunds"
UTC = ZoneInfo("UTC")
KIRITIMATI = ZoneInfo("Pacific/Kiritimati")


async def said(product: Product, *words: str, code: int = 0) -> str:
    found, told, complained = await command(product, *words)
    assert (found, "Traceback" in complained) == (code, False), (told, complained)
    return re.sub(r"[^\S\n]+", " ", told)


async def day_of_business(product: Product) -> tuple[str, Holder]:
    """Earn 1.50 on 20.00 and give a quarter back; leave 40.00 open and 25.00 unpaid.

    The fee is 5 % and 0.50; what is asked of the linked card for the unpaid one is refused.
    """
    ada = await holder(product)
    kept = (await pay(product, ada.card, 20_00))["id"]
    await helper(product, kept, "capture")
    await product.settled()
    await refund(product, kept, 5_00)
    tipped = (await pay(product, ada.card, 10_00))["id"]
    await product.settled()
    await behave(product, ada.sources[0].stripe_payment_method_id, NO_FUNDS)
    await helper(product, tipped, "capture", capture_amount=35_00)
    await product.settled()
    await product.control(
        f"payment_methods/{ada.sources[0].stripe_payment_method_id}/behaves_like", {"token": None}
    )
    await pay(product, ada.card, 40_00)
    await product.settled()
    return str(kept), ada


async def test_profit_is_right_to_the_cent_by_every_key_and_from_every_source(
    product: Product,
) -> None:
    """1.50 + 1.00 earned, 0.38 of it given back; Stripe's fees are 2.9 % and 0.30."""
    await day_of_business(product)
    now = product.parts.clock.now()
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    tomorrow = today + timedelta(days=1)
    rolled = await run_named(product.parts.sessions, regular_jobs(product.parts), "rollups")
    assert rolled.startswith("sums are as of transaction")
    async with product.parts.sessions() as session:
        for by in By:
            rows = await profit(session, since=today, until=tomorrow, by=by, zone=UTC)
            found = total(rows)
            assert (found.fees_minor, found.returned_minor) == (2_50, 38), by
            assert (found.gross_minor, found.processing_minor) == (2_12, 92 + 62), by
            assert found.net_minor == 2_12 - 92 - 62, by
            to_come = await expected(session, by=by, zone=UTC)
            assert [(row.fee_minor, row.purchases) for row in to_come] == [(2_50, 1)], by
        [day] = await profit(session, since=today, until=tomorrow, by=By.DAY, zone=UTC)
        part = today + timedelta(seconds=1)
        assert [day] == await profit(session, since=part, until=tomorrow, by=By.DAY, zone=UTC)
        elsewhere = await profit(
            session,
            since=now - timedelta(days=1),
            until=now + timedelta(days=1),
            by=By.DAY,
            zone=KIRITIMATI,
        )
        assert {row.key for row in elsewhere} == {f"{now.astimezone(KIRITIMATI):%Y-%m-%d}"}
        assert await profit(session, since=tomorrow, until=tomorrow, by=By.DAY, zone=UTC) == []


async def test_profit_says_its_period_zone_and_source(product: Product) -> None:
    await day_of_business(product)
    for by, label in (
        ("day", f"{product.parts.clock.now():%Y-%m-%d}"),
        ("category", "fast food restaurants"),
        ("customer", "Ada Byron"),
        ("funding", "credit"),
    ):
        told = await said(product, "profit", "--by", by)
        assert f"by {by}, in USD. Days are those of UTC." in told
        assert "Source: journals" in told
        assert f"{label} 2.50 -0.38 2.12 -1.54 0.00 0.00 0.58" in told, told
        assert "Total 2.50 -0.38 2.12" in told
        assert "Still to come, of whatever day: 2.50 in fees of 1 open purchases." in told
    empty = await said(product, "profit", "--from", "2020-01-01", "--to", "2020-01-31")
    assert "Total 0.00 0.00 0.00" in empty
    code, _, complained = await command(
        product, "profit", "--from", "2026-02-02", "--to", "2026-02-01"
    )
    assert (code, len(complained.splitlines())) == (2, 1)


@pytest.mark.parametrize(
    "words",
    [
        ("ledger", "trial-balance", "--at", "9999-12-31"),
        ("ledger", "trial-balance", "--at", "0001-01-01"),
        ("profit", "--to", "9999-12-31"),
        ("profit", "--from", "0001-01-01"),
        ("profit", "--from", "9999-12-31", "--to", "9999-12-31"),
    ],
    ids=" ".join,
)
async def test_a_day_that_no_books_have_is_refused_in_one_sentence(
    product: Product, words: tuple[str, ...]
) -> None:
    code, told, complained = await command(product, *words)
    assert (code, told, len(complained.splitlines())) == (2, "", 1), complained


async def test_the_trial_balance_now_and_as_of_a_day(product: Product) -> None:
    await day_of_business(product)
    now = await said(product, "ledger", "trial-balance")
    assert "1100 Customer receivables 25.00 0.00 25.00" in now
    assert "4000 Fee revenue 0.00 2.50 -2.50" in now
    sums = re.findall(r"^ together (\S+) (\S+) (\S+)$", now, re.MULTILINE)
    assert len(sums) == 2, "posted and held"
    assert all(debits == credits_ and net == "0.00" for debits, credits_, net in sums)
    today = f"{product.parts.clock.now():%Y-%m-%d}"
    assert (await said(product, "ledger", "trial-balance", "--at", today)).splitlines()[1:] == (
        now.splitlines()[1:]
    )
    assert "receivables" not in await said(product, "ledger", "trial-balance", "--at", "2020-01-01")


async def test_journals_are_shown_by_reference_and_by_purchase(product: Product) -> None:
    kept, _ = await day_of_business(product)
    told = await said(product, "ledger", "journal", kept)
    assert "the merchant took money" in told
    assert "20.00 from 1020 Stripe Issuing balance (the float) to 2000 Customer funds" in told
    reference = next(line.strip() for line in told.splitlines() if ":fee_earned" in line)
    one = await said(product, "ledger", "journal", reference)
    assert one.count("from") == 1
    assert "1.50 from 4000 Fee revenue to 2300 Deferred fee (clearing)" in one
    code, _, complained = await command(product, "ledger", "journal", "nothing-like-it")
    assert (code, len(complained.splitlines())) == (2, 1)


async def test_verify_proves_sound_books_and_names_what_is_not(product: Product) -> None:
    await day_of_business(product)
    await all_written(product)
    await run_named(product.parts.sessions, regular_jobs(product.parts), "sealing")
    told = await said(product, "ledger", "verify")
    assert told.count("ok ") == 5
    assert "WRONG" not in told
    await product.as_owner(
        "ALTER TABLE journal DISABLE TRIGGER append_only;"
        "UPDATE journal SET amounts = '{1}' WHERE rule = 'fee_earned'"
        " AND reference = (SELECT min(reference) FROM journal WHERE rule = 'fee_earned')"
    )
    told = await said(product, "ledger", "verify", code=1)
    assert "WRONG sealed journals are as they were sealed\n seal " in told
    await product.as_owner(
        "DELETE FROM rollup_mark; DELETE FROM account_day; DELETE FROM open_clearing"
    )
    told = await said(product, "ledger", "verify", "--offline", code=1)
    assert re.search(r"WRONG 2000 and 2300 .*\n iauth_\S+: 2300 posted has -\d", told)


async def test_a_debt_is_listed_and_written_off(product: Product) -> None:
    _, ada = await day_of_business(product)
    await behave(product, ada.sources[0].stripe_payment_method_id, NO_FUNDS)
    await later(product, days=2)
    told = await said(product, "receivables")
    assert "25.00" in told
    assert " 2 d ada@example.com iauth_" in told
    assert "1 open, 25.00 USD in all." in told
    key = told.split()[0]
    for words in (("not-an-id", "--reason", "gone"), (key,)):
        code, _, complained = await command(product, "receivable", "write-off", *words)
        assert (code, "Traceback" in complained) == (2, False)
    done = await said(product, "receivable", "write-off", key, "--reason", "moved away")
    assert done == "25.00 USD are written off.\n"
    assert "0 open" in await said(product, "receivables")
    assert "5100 Bad debt 25.00" in await said(product, "ledger", "trial-balance")
    code, _, complained = await command(
        product, "receivable", "write-off", key, "--reason", "moved away"
    )
    assert (code, len(complained.splitlines())) == (2, 1)


async def test_a_refund_that_fits_nothing_is_assigned_by_a_person(product: Product) -> None:
    ada = await holder(product)
    bought = (await pay(product, ada.card, 20_00, "Blue Bottle"))["id"]
    await helper(product, bought, "capture")
    await product.settled()
    other = {"merchant_data[name]": "Somebody Else", "merchant_data[network_id]": "987654321"}
    name = await unlinked_refund(product, ada.card, 3_00, **other)
    await product.settled()
    told = await said(product, "refund", "assign", name, bought, "--reason", "receipt seen")
    assert told == f"{name} belongs to {bought}, which is settled.\n"
    await product.settled()
    assert "refund" in await said(product, "ledger", "journal", bought)
    code, _, complained = await command(
        product, "refund", "assign", name, bought, "--reason", "again"
    )
    assert (code, len(complained.splitlines())) == (2, 1)


async def test_what_takes_a_refund_back_belongs_where_one_was_given(product: Product) -> None:
    ada = await holder(product)
    bought = (await pay(product, ada.card, 20_00, "Blue Bottle"))["id"]
    await helper(product, bought, "capture")
    other = {"merchant_data[name]": "Somebody Else", "merchant_data[network_id]": "987654321"}
    given = await unlinked_refund(product, ada.card, 3_00, **other)
    await take_refund_back(product, {"id": given})
    await product.settled()
    [taken] = await product.rows(
        "SELECT stripe_transaction_id AS id FROM card_transaction WHERE amount_minor = -300"
    )
    assign = ("refund", "assign", taken["id"], bought, "--reason", "receipt seen")

    code, _, complained = await command(product, *assign)
    assert (code, len(complained.splitlines())) == (2, 1)
    assert "no refund of that much" in complained
    await said(product, "refund", "assign", given, bought, "--reason", "receipt seen")
    assert (await said(product, *assign)).startswith(f"{taken['id']} belongs to {bought}")
    await oracle(product)


@pytest.mark.long
async def test_every_job_can_be_run_and_says_what_it_did(product: Product) -> None:
    await product.settled()
    jobs = [line.split()[0] for line in (await said(product, "job", "list")).splitlines()]
    assert {"match_balance", "rollups", "sealing", "reconcile", "retention"} < set(jobs)
    for name in jobs:
        assert (await said(product, "job", "run", name)).strip()
    for line in (await said(product, "job", "list")).splitlines():
        assert "UTC ok: " in line


async def test_a_job_that_is_none_is_refused(product: Product) -> None:
    code, _, complained = await command(product, "job", "run", "nothing")
    assert (code, len(complained.splitlines())) == (2, 1)
    assert "rollups" in complained


async def test_what_is_old_is_let_go_of(product: Product) -> None:
    bought = (await pay(product, (await holder(product)).card, 20_00))["id"]
    await product.settled()
    await product.as_owner("UPDATE inbound_event SET created_at = now() - interval '91 days'")
    told = await said(product, "job", "run", "retention")
    assert re.match(r"let go of [1-9]\d* payloads, ", told)
    left = await product.rows(
        "SELECT count(*) FILTER (WHERE payload = '{}') AS emptied, count(*) AS all_of_them"
        " FROM inbound_event WHERE object_id = :name",
        name=bought,
    )
    assert left[0]["emptied"] == left[0]["all_of_them"] > 0

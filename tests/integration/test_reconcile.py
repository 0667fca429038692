"""`proxycard reconcile` finds every difference that was planted, and no other one."""

import re
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from app.domain.issuing.reconciliation_facts import Kind
from app.domain.ledger.journals import Layer
from app.domain.ledger.rollups import totals
from app.jobs.catalogue import regular_jobs
from app.jobs.regular import run_named
from tests.controls import command, later
from tests.planting import Found, Planting, plan_books, plan_records
from tests.product import Product
from tests.situations import Holder, force_capture, helper, holder, pay, refund

LINE = re.compile(
    r"^(?P<kind>\S.*?\S)\s{2,}(?P<what>.+?) (?P<name>\S+): "
    r"here (?P<ours>\S+), Stripe (?P<theirs>\S+) [A-Z]{3}"
)
MOVED = """
INSERT INTO balance_transaction (id, stripe_balance_transaction_id, balance_type, type,
                                 amount_minor, fee_minor, net_minor, currency, source,
                                 occurred_at, available_at)
VALUES (gen_random_uuid(), :id, :balance, :kind, :net, 0, :net, 'usd', :source, now(), now())
"""
quiet = pytest.mark.parametrize(
    "product_settings", [{"BALANCE_EVERY_SECONDS": "3600"}], ids=["by hand"]
)
"""Nothing is mended by a job while the test looks."""


async def reconciled(product: Product, *words: str) -> tuple[int, list[Found]]:
    code, said, complained = await command(product, "reconcile", *words)
    assert "Traceback" not in complained, complained
    *lines, last = said.splitlines()
    assert last.endswith("differences."), said
    found = [LINE.match(line) for line in lines]
    assert all(found), lines
    return code, sorted(
        Found(m["kind"], m["name"], m["ours"], m["theirs"]) for m in found if m is not None
    )


async def matched(product: Product) -> None:
    await product.settled()
    await run_named(product.parts.sessions, regular_jobs(product.parts), "match_balance")
    await product.settled()


async def history(product: Product) -> tuple[Holder, list[str]]:
    """Twelve captured purchases of 10.00 to 21.00, one of them refunded in part; some others."""
    ada = await holder(product, daily_limit_minor=10_000_00, monthly_limit_minor=10_000_00)
    captured = [(await pay(product, ada.card, 10_00 + n * 1_00))["id"] for n in range(12)]
    for name in captured:
        await helper(product, name, "capture")
    await matched(product)
    await refund(product, captured[0], 4_00)
    back = await pay(product, ada.card, 30_00)
    await helper(product, back["id"], "reverse")
    await force_capture(product, ada.card, 7_00)
    await matched(product)
    return ada, captured


@pytest.mark.parametrize(
    "product_settings",
    [
        {"BALANCE_EVERY_SECONDS": "3600", "FUNDING_MODE": "hold"},
        pytest.param(
            {"BALANCE_EVERY_SECONDS": "3600", "FUNDING_MODE": "charge"}, marks=pytest.mark.long
        ),
    ],
    ids=["hold", "charge"],
)
async def test_an_untouched_product_has_no_difference(product: Product) -> None:
    ada, _ = await history(product)
    await pay(product, ada.card, 50_00)
    await pay(product, ada.card, 90_000_00)
    await matched(product)
    assert await reconciled(product) == (0, [])
    today = f"{product.parts.clock.now():%Y-%m-%d}"
    assert await reconciled(product, "--since", today) == (0, [])


async def test_a_day_that_is_none_is_refused_in_one_sentence(product: Product) -> None:
    for day in ("yesterday", "2026-02-30", "2200-01-01", "0001-01-01", "9999-12-31"):
        code, said, complained = await command(product, "reconcile", "--since", day)
        assert (code, said) == (2, "")
        assert len(complained.strip().splitlines()) == 1


@quiet
async def test_twenty_six_planted_differences_are_found_and_no_other_one(product: Product) -> None:
    ada, captured = await history(product)
    open_, twice = [(await pay(product, ada.card, 60_00))["id"] for _ in range(2)]
    refused = (await pay(product, ada.card, 90_000_00))["id"]
    await matched(product)
    assert await reconciled(product) == (0, [])

    plan = Planting(product, ada)
    await plan_records(plan, captured[:8])
    wrong = await plan_books(plan, captured[8:11])
    await plan.stop_events()
    await plan.at_stripe(captured[11], twice, refused, open_)
    await plan.in_our_tables()
    code, found = await reconciled(product)

    rest = [one for one in found if one.kind != Kind.BALANCE]
    assert (code, rest) == (1, sorted(plan.planted))
    # What was forced at Stripe is not in our books at all.
    off = {one.name: minor(one.ours) - minor(one.theirs) for one in found if one not in rest}
    assert off == wrong | {"1020": wrong["1020"] + 8_00}
    assert {one.kind for one in found} == {kind.value for kind in Kind}


@quiet
async def test_what_is_from_before_the_day_is_left_alone(product: Product) -> None:
    ada, captured = await history(product)
    await later(product, days=3)
    bought = (await pay(product, ada.card, 10_00))["id"]
    await matched(product)
    today = f"{product.parts.clock.now():%Y-%m-%d}"
    assert await reconciled(product, "--since", today) == (0, [])
    plan = Planting(product, ada)
    for name in (captured[0], bought):
        plan.change("card_authorization", name, "currency = 'eur'")
    await plan.in_our_tables()
    code, found = await reconciled(product, "--since", today)
    assert (code, [(one.kind, one.name) for one in found]) == (1, [(Kind.CURRENCY, bought)])


@quiet
async def test_a_refund_that_only_stripe_has_stays_open_when_it_is_from_before_the_day(
    product: Product,
) -> None:
    ada = await holder(product)
    await helper(product, (await pay(product, ada.card, 20_00))["id"], "capture")
    await matched(product)
    [charge] = await product.rows("SELECT stripe_payment_intent_id FROM charge")
    lost = {"payment_intent": charge["stripe_payment_intent_id"], "amount": 5_00}
    made = await product.call("POST", "/v1/refunds", **lost, **{"metadata[refund]": str(uuid4())})
    await matched(product)

    async def found(*words: str) -> list[str]:
        _, differences = await reconciled(product, *words)
        return [one.kind for one in differences if one.name == made["id"]]

    assert await found() == [Kind.MISSING_HERE]
    await later(product, days=40)
    await product.settled()
    assert await found("--since", f"{product.parts.clock.now():%Y-%m-%d}") == []
    query = "SELECT state FROM reconciliation_difference WHERE name = :name"
    assert await product.rows(query, name=made["id"]) == [{"state": "open"}]


@quiet
async def test_our_own_money_is_in_the_books_whichever_way_it_moves(product: Product) -> None:
    await matched(product)
    before = await bank_and_transit(product)
    moved = (
        *(("payout", "payments", -100_00), ("payout_failure", "payments", 100_00)),
        *(("payout", "payments", -60_00), ("payout_cancel", "payments", 60_00)),
        *(("payout", "payments", -30_00), ("topup", "payments", 8_00)),
        *(("topup_reversal", "issuing", -4_00), ("stripe_fee", "payments", 2_00)),
    )
    for number, (kind, balance, net_minor) in enumerate(moved):
        source = None if kind == "stripe_fee" else f"po_{number}"
        given = {"id": f"txn_own_{number}", "kind": kind, "balance": balance, "net": net_minor}
        await written(product, MOVED, source=source, **given)
    await run_named(product.parts.sessions, regular_jobs(product.parts), "match_balance")
    unexplained = "SELECT type FROM balance_transaction WHERE journal_reference IS NULL"
    assert await product.rows(unexplained) == []
    after = await bank_and_transit(product)
    assert {account: after[account] - before[account] for account in after} == {
        "1010": -20_00,
        "1020": -4_00,
        "1030": 26_00,
        "1040": 0,
        "5020": -2_00,
    }


async def bank_and_transit(product: Product) -> dict[str, int]:
    """Give debits less credits of the accounts that our own money moves through."""
    async with product.parts.sessions() as session:
        every = await totals(session)
    found = {one.account.value: one for one in every if one.layer is Layer.POSTED}
    sums = {name: found.get(name) for name in ("1010", "1020", "1030", "1040", "5020")}
    return {name: one.debit_minor - one.credit_minor if one else 0 for name, one in sums.items()}


async def written(product: Product, statement: str, **values: Any) -> None:
    async with product.parts.sessions.begin() as session:
        await session.execute(text(statement), values)


def minor(written: str) -> int:
    return round(float(written.replace(",", "")) * 100)

"""What reconciling found is kept, shown by kind and age, and resolved by a person with a note."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

from app.domain.identity.states import Role
from app.domain.issuing.differences import keep_run
from app.domain.issuing.reconciliation_facts import Difference, Kind
from app.jobs.bookkeeping import Bookkeeping
from tests.acting import act, opened
from tests.back_office import signed_in
from tests.product import Product
from tests.situations import holder, pay

MISSING = Difference(Kind.MISSING_HERE, "charge", "pi_lost", None, 2_149)
FEE = Difference(Kind.FEE, "charge", "pi_fee", 92, 95)


async def looked(product: Product, *found: Difference, since: datetime | None = None) -> int:
    """Keep a look that found this; give how many are not resolved."""
    now = datetime.now(UTC)
    run = await keep_run(
        product.parts.sessions, found, since=since, began=now, ended=now, begun_by="a test"
    )
    return run.unresolved


async def test_a_difference_is_seen_resolved_and_open_again_when_it_changes(
    product: Product,
) -> None:
    assert await looked(product, MISSING, FEE) == 2
    [row] = await product.rows("SELECT id FROM reconciliation_difference WHERE name = 'pi_fee'")
    async with AsyncExitStack() as stack:
        finance = await stack.enter_async_context(signed_in(product, Role.FINANCE))
        support = await stack.enter_async_context(signed_in(product, Role.SUPPORT))
        assert (await support.get("/admin/reconciliation")).status_code == 403
        page = (await finance.get("/admin/reconciliation")).text
        assert "Missing here" in page
        assert "state=open&amp;kind=fee%20differs" in page
        record = (await finance.get(f"/admin/differences/details/{row['id']}")).text
        assert "0.92 USD" in record
        assert "0.95 USD" in record
        assert f"/admin/act/resolve-difference/{row['id']}" in record
        form = await opened(finance, "resolve-difference", row["id"])
        assert (await form.send(note="")).status_code == 422
        assert (await form.send(note="Stripe rounded")).status_code == 303
        assert (await form.send(note="Stripe rounded")).status_code == 303
        assert "The difference is resolved." in (await finance.get(form.path)).text
        assert await looked(product, FEE) == 0
        gone = await finance.get("/admin/differences/list?state=gone")
        assert "pi_lost" in gone.text
        assert (
            "Nothing: here and at Stripe are the same"
            in (await finance.get("/admin/reconciliation")).text
        )
        assert await looked(product, Difference(Kind.FEE, "charge", "pi_fee", 92, 99)) == 1
        stale = await form.send(once="01a20fc0-69f7-72b5-9a90-f2f52b14a84b")
        assert (stale.status_code, "has changed since" in stale.text) == (409, True)
        again = await act(finance, "resolve-difference", row["id"], note="again")
        assert again.status_code == 303
    trail = await product.rows(
        "SELECT reason FROM audit_entry WHERE action = 'difference.resolve' ORDER BY id"
    )
    assert [entry["reason"] for entry in trail] == ["Stripe rounded", "again"]


async def test_what_every_look_finds_is_gone_once_a_short_look_does_not_find_it(
    product: Product,
) -> None:
    """The clearing and the balances are read whole, however far back the rest is compared."""
    now = product.parts.clock.now()
    old = now - timedelta(days=40)
    uncleared = Difference(Kind.NOT_CLEARED, "purchase", "iauth_old", 100, 0, since=old)
    balance = Difference(Kind.BALANCE, "account", "1010", 1, 2)
    undated = Difference(Kind.MISSING_HERE, "our refund", "re_undated", None, 500)
    await looked(product, uncleared, balance, undated)
    await looked(product, since=now - timedelta(days=32))
    rows = await product.rows("SELECT name, state FROM reconciliation_difference")
    assert {row["name"]: row["state"] for row in rows} == {
        "iauth_old": "gone",
        "1010": "gone",
        "re_undated": "open",
    }


async def test_the_daily_job_keeps_what_it_found(product: Product) -> None:
    ada = await holder(product)
    await pay(product, ada.card, 1_999)
    await product.settled()
    await Bookkeeping(product.parts).reconcile()
    old = Difference(Kind.FEE, "charge", "pi_old", 1, 2, since=datetime(2020, 1, 1, tzinfo=UTC))
    await looked(product, old)
    await Bookkeeping(product.parts).reconcile()
    [row] = await product.rows("SELECT state FROM reconciliation_difference")
    assert row["state"] == "open", "what is older than the job looks at is left as it was"
    runs = await product.rows("SELECT found, begun_by, began_at FROM reconciliation_run")
    assert [run["found"] for run in runs if run["begun_by"] == "the daily job"] == [0, 0]
    assert max(run["began_at"] for run in runs) > datetime.now(UTC) - timedelta(minutes=5)

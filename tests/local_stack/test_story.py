"""The demo's story: a short one leaves books that agree with Stripe."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from app.adapters.stripe_categories import CATEGORIES
from app.domain.identity.states import Role
from app.jobs.bookkeeping import DifferencesFound
from app.jobs.catalogue import regular_jobs
from app.jobs.regular import run_named
from local_stack.demo_data import make_people
from local_stack.demo_past import Story, keep, leave_work, play_past, reconcile_again
from local_stack.story import Chapter, opening_float_minor, play
from local_stack.story_plan import ordinary_days, shoppers
from local_stack.story_refusals import BANKS, FAULTS, RULES
from local_stack.story_refusals import SHOPS as FORBIDDEN
from local_stack.story_shops import SHOPS
from local_stack.story_stage import Stage
from tests.back_office import signed_in
from tests.conformance.recorder import Recorder
from tests.controls import command, later
from tests.planting import Planting
from tests.postgres import PostgresServer
from tests.product import Product, running_product
from tests.situations import Holder, helper, holder, pay
from tests.waiting import until

NOW = datetime(2026, 11, 24, 18, tzinfo=UTC)
STOPPED = ("stopped_customer", "stopped_card")
SHUT_OUT = (
    *("over_exposure_limit", "outside_active_dates", "stripe_verification_failed"),
    *("card_closed", "customer_not_active", "stripe_insufficient_funds"),
)
DAYS = 8
FIRST_LINKED = "SELECT min(created_at) AS at FROM funding_source"
WRITE_OFFS = "SELECT 1 FROM approval WHERE state = 'waiting' AND kind = 'receivable.write_off'"


def test_the_same_days_are_planned_each_time_and_follow_the_week() -> None:
    begin = NOW - timedelta(days=90)
    planned = ordinary_days(begin, NOW, 24, per_day=40)
    assert planned == ordinary_days(begin, NOW, 24, per_day=40)
    assert all(begin < one.at < NOW for one in planned)
    by_weekday = [sum(one.at.weekday() == day for one in planned) for day in range(7)]
    assert max(by_weekday) == by_weekday[5]
    early = sum(one.at < begin + timedelta(days=30) for one in planned)
    assert early * 2 < sum(one.at > NOW - timedelta(days=30) for one in planned)
    assert len({one.shop.name for one in planned}) == len(SHOPS)


def test_nobody_is_two_people_and_every_shop_is_of_a_category_of_stripes() -> None:
    people = shoppers(60) + shoppers(5, first=60)
    assert len({one.profile.email for one in people}) == 65
    assert {shop.category for shop in SHOPS} <= CATEGORIES


@pytest.fixture
def product_settings(tmp_path: Path) -> dict[str, str]:
    return {"DATA_DIR": str(tmp_path)}


@pytest.fixture
async def past(postgres_server: PostgresServer, database: str) -> AsyncIterator[Product]:
    """Give a product whose time begins eight days ago."""
    url, owner = postgres_server.app_url(database), postgres_server.owner_url(database)
    begins = {"days_ago": DAYS, "float_minor": opening_float_minor(chapter()) + 300_000}
    recorder = Recorder(strict_requests=True)
    async with running_product(url, owner, recorder, begins=begins) as running:
        clock = running.parts.clock
        await until(lambda: clock.offset < -timedelta(days=1), why="our clock follows")
        yield running
    assert recorder.take() == [], "not as Stripe publishes it"


def chapter() -> Chapter:
    end = datetime.now(UTC)
    return Chapter(end - timedelta(days=DAYS), end, customers=2, per_day=0.6)


async def test_a_short_story_is_played_through_the_product_until_now(past: Product) -> None:
    seen: list[datetime] = []
    await make_people(past.parts)
    await play_past(past.parts, chapter(), seen.append)
    await reconcile_again(past.parts)
    await leave_work(past.parts)
    assert seen == sorted(seen)
    assert abs(past.parts.clock.now() - datetime.now(UTC)) < timedelta(seconds=5)

    wanted = {str(one) for one in (*BANKS, *FORBIDDEN, *RULES, *FAULTS, *STOPPED, *SHUT_OUT)}

    async def all_declined() -> bool:
        found = await past.rows("SELECT DISTINCT reason FROM authorization_request")
        return wanted <= {row["reason"] for row in found}

    await until(all_declined, why="a purchase was declined for every reason")
    [owed] = await past.rows("SELECT count(*) AS debts FROM receivable WHERE state = 'open'")
    assert owed["debts"] >= 1
    assert len(await past.rows(WRITE_OFFS)) == 1
    failing = "SELECT 1 FROM inbound_event WHERE failure IS NOT NULL"
    await until(lambda: _has(past, failing), why="an event fails")
    held = "SELECT 1 FROM pgqueuer WHERE status = 'failed'"
    await until(lambda: _has(past, held), why="a job is held")
    assert len(await past.rows("SELECT 1 FROM card_transaction WHERE unmatched")) == 1
    [first] = await past.rows("SELECT min(occurred_at) AS at FROM journal")
    assert first["at"] < datetime.now(UTC) - timedelta(days=DAYS - 1)
    for people in ("SELECT min(created_at) AS at FROM customer", FIRST_LINKED):
        [since] = await past.rows(people)
        assert since["at"] < datetime.now(UTC) - timedelta(days=DAYS - 1)

    for words in (("ledger", "verify"), ("reconcile",)):
        code, said, complained = await command(past, *words)
        assert code == 0, (said, complained)


async def test_what_differed_while_the_past_was_played_is_gone_after_it(product: Product) -> None:
    ada = await holder(product)
    bought = (await pay(product, ada.card, 20_00))["id"]
    await helper(product, bought, "capture")
    await product.settled()
    await set_fee(product, ada, bought, "processing_fee_minor + 1")
    with pytest.raises(DifferencesFound, match="fee differs"):
        await run_named(product.parts.sessions, regular_jobs(product.parts), "reconcile")
    await set_fee(product, ada, bought, "processing_fee_minor - 1")
    await later(product, days=40)
    await product.settled()

    await reconcile_again(product.parts)

    kept = await product.rows("SELECT DISTINCT state FROM reconciliation_difference")
    assert [row["state"] for row in kept] == ["gone"]
    [job] = await product.rows("SELECT failed, outcome FROM regular_job WHERE name = 'reconcile'")
    assert not job["failed"], job["outcome"]


async def set_fee(product: Product, ada: Holder, purchase: str, fee: str) -> None:
    """Change what we have noted of Stripe's fee for a purchase's charge."""
    plan = Planting(product, ada)
    intent = (await plan.its(purchase))["intent"]
    plan.change("charge", intent, f"processing_fee_minor = {fee}")
    await plan.in_our_tables()


class Interrupted(Exception):
    """Somebody pressed Ctrl-C."""


async def test_a_story_that_was_interrupted_goes_on_where_it_was(past: Product) -> None:
    end, done, played = datetime.now(UTC), list[int](), list[datetime]()

    async def act(_: Stage, days: int) -> None:
        done.append(days)

    def told(moment: datetime) -> None:
        played.append(moment)
        if len(done) == 2:
            raise Interrupted

    acts = [(end - timedelta(days=days), partial(act, days=days)) for days in (7, 5, 3)]
    with pytest.raises(Interrupted):
        await play(Stage(past.parts), acts, end, told)
    assert past.parts.clock.now() < end - timedelta(days=4)
    await play(Stage(past.parts), acts, end, lambda _: None, played=played[-1])
    assert done == [7, 5, 3]


async def _has(product: Product, statement: str) -> bool:
    return bool(await product.rows(statement))


async def test_more_customers_shop_on_more_days(product: Product) -> None:
    code, said, complained = await command(product, "demo-data", "--customers", "2", "--days", "1")
    assert (code, complained) == (0, "")
    assert "2 customers have made " in said
    ahead = product.parts.clock.now() - datetime.now(UTC)
    assert timedelta(hours=23) < ahead <= timedelta(days=1)
    [found] = await product.rows("SELECT count(*) AS people FROM customer")
    assert found["people"] >= 2


async def test_the_home_says_how_far_the_past_has_been_played(
    product: Product, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    story = Story(now - timedelta(days=90), now, now - timedelta(days=30), 24, 4.5)
    async with signed_in(product, Role.FINANCE) as client:
        before = (await client.get("/admin/status")).text
        keep(tmp_path / "demo-story.json", story)
        during = (await client.get("/admin/status")).text
    assert "being played" not in before
    assert '<progress value="66" max="100">' in during

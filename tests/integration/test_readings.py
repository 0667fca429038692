"""What /metrics reads from the database: each figure counts what it says, and nothing else."""

import math

import pytest

from app.scraping import money_readings
from tests.faults.relay import never_asked, relaying, without_version
from tests.integration.test_health import samples
from tests.product import Product
from tests.situations import holder, intents, pay
from tests.waiting import until

AUTHORIZATIONS = "/v1/issuing/authorizations"
MONEY = (
    *("approved_without_charge", "declined_with_charge", "holds_near_lapse", "captured_unasked"),
    *("stripe_webhook_timeouts_last_hour", "stripe_default_approvals_last_hour"),
    *("stripe_webhook_errors_last_hour", "unverified_overdue_seconds", "failed_events"),
)
EARLIER = "UPDATE authorization_request SET requested_at = requested_at - interval '6 minutes'"

UNBOOKED = """
DELETE FROM open_clearing;
INSERT INTO open_clearing (purchase_id, account, layer, currency, net_minor, amiss_since)
SELECT id, account, 'posted', 'usd', 5, now() - interval '{age}'
  FROM card_authorization, unnest(ARRAY['2000', '2300']) AS account;
DELETE FROM balance_transaction WHERE source = 'planted';
INSERT INTO balance_transaction (id, stripe_balance_transaction_id, balance_type, type,
    amount_minor, fee_minor, net_minor, currency, source, occurred_at, available_at, created_at)
VALUES (gen_random_uuid(), 'txn_planted', 'payments', 'adjustment', 5, 0, 5, 'usd', 'planted',
        now(), now(), now() - interval '{age}');
"""


async def wrong(product: Product) -> dict[str, float]:
    """Give the figures that are to be 0 and are not."""
    told = await samples(product)
    return {name: value for name in MONEY if (value := told[f"proxycard_{name}",])}


async def bought(product: Product) -> None:
    assert (await pay(product, (await holder(product)).card, 1999))["approved"] is True
    await product.settled()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ("UPDATE charge SET state = 'canceled'", "approved_without_charge"),
        ("UPDATE authorization_request SET stripe_approved = false", "declined_with_charge"),
        (
            "UPDATE charge SET capture_before = now() + interval '11 hours'",
            "holds_near_lapse",
        ),
        ("UPDATE charge SET state = 'captured'", "captured_unasked"),
    ],
    ids=lambda given: given if given.isidentifier() else "",
)
async def test_money_that_is_wrong_is_counted(product: Product, change: str, name: str) -> None:
    await bought(product)
    await product.as_owner(EARLIER)
    assert await wrong(product) == {}
    await product.as_owner(change)
    assert await wrong(product) == {name: 1}


async def test_what_has_ended_is_right(product: Product) -> None:
    ada = await holder(product)
    for amount in (1999, 2999):
        await pay(product, ada.card, amount)
    declined = await pay(product, ada.card, 10_000_00)
    assert declined["approved"] is False
    for number, purchase in enumerate((await product.call("GET", AUTHORIZATIONS))["data"]):
        if purchase["approved"]:
            await product.call(
                "POST",
                f"/v1/test_helpers/issuing/authorizations/{purchase['id']}/"
                f"{('capture', 'reverse')[number % 2]}",
            )
    await product.settled()
    await product.as_owner(EARLIER)
    states = {
        intent["status"] for intent in await intents(product, ada.customer.stripe_customer_id)
    }
    assert states == {"succeeded", "canceled"}
    assert await wrong(product) == {}


async def test_what_stripe_decided_in_our_place_is_counted(product: Product) -> None:
    ada = await holder(product)
    await product.control("settings", {"authorization_timeout": "approve"})
    async with relaying(product) as relay:
        relay.way = never_asked
        await pay(product, ada.card, 1999)
        relay.way = without_version
        await pay(product, ada.card, 2999)
    await product.settled()
    found = await wrong(product)
    assert found["stripe_webhook_timeouts_last_hour"] == 1
    assert found["stripe_default_approvals_last_hour"] == 1
    assert found["stripe_webhook_errors_last_hour"] == 1


async def test_what_should_be_certain_is_counted_by_its_age(product: Product) -> None:
    await bought(product)
    await product.as_owner(
        "UPDATE authorization_request SET verified_at = NULL,"
        " verify_after = now() - interval '10 minutes';"
        "UPDATE card_authorization SET leased_until = now() + interval '1 hour'"
    )
    told = await samples(product)
    assert told["proxycard_unverified_overdue_seconds",] >= 600
    assert told["proxycard_unverified_requests",] == 1


async def test_what_is_well_says_so(product: Product) -> None:
    await bought(product)
    told = await samples(product)
    assert told["proxycard_database_answers",] == 1
    assert told["proxycard_stripe_answers",] == 1
    assert told["proxycard_approved_last_day_minor",] == 0, "as of the last minute"
    assert told["proxycard_issuing_available_minor",] > 0

    async def has_worked() -> bool:
        return (await samples(product))["proxycard_worker_heartbeat_age_seconds",] < math.inf

    await until(has_worked)


async def test_what_the_books_do_not_have_is_counted_after_an_hour(product: Product) -> None:
    await bought(product)
    counted = ("clearing_not_zero", "unmatched_balance_transactions", "failed_jobs")

    async def found() -> dict[str, float]:
        told = await samples(product)
        return {name: told[f"proxycard_{name}",] for name in counted}

    assert await found() == dict.fromkeys(counted, 0)
    for age, expected in (("59 minutes", 0), ("61 minutes", 1)):
        await product.as_owner(UNBOOKED.format(age=age))
        assert await found() == {
            "clearing_not_zero": expected,
            "unmatched_balance_transactions": expected,
            "failed_jobs": 0,
        }
    await product.as_owner("UPDATE regular_job SET failed = true WHERE name = 'sealing'")
    assert (await found())["failed_jobs"] == 1


@pytest.mark.parametrize(
    ("available", "spent", "top_up"),
    [
        (100_00, 50_00, 0),
        (99_99, 50_00, 1),
        (-5_00, 50_00, 105_00),
        (None, 5, None),
        (5, None, None),
    ],
)
def test_what_to_add_to_the_float_is_proposed(
    available: int | None, spent: int | None, top_up: int | None
) -> None:
    told = {one.name: one.value for one in money_readings(available, spent, 2)}
    assert told.get("proxycard_float_top_up_minor") == top_up

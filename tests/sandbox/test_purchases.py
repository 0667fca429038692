"""Purchases on issued cards: refused, captured, given back, lapsed."""

from typing import Any

import pytest
import stripe
from aiohttp import web

from tests.sandbox.people import card, pay
from tests.sandbox.serving import VERSION, Receiver, Running
from tests.waiting import until

REQUEST = "issuing_authorization.request"
LIMITLESS = {"spending_limits": [{"amount": 5_000_000, "interval": "all_time"}]}


def answering(body: Any, status: int = 200, headers: Any = VERSION, **more: Any) -> Any:
    return lambda _event: web.json_response(body, status=status, headers=headers, **more)


@pytest.mark.parametrize(
    ("amount", "changes", "more", "reason"),
    [
        (10_000_001, {"spending_controls": LIMITLESS}, {}, "insufficient_funds"),
        (100, {"status": "inactive"}, {}, "card_inactive"),
        (50_001, {}, {}, "spending_controls"),
        (1_000_001, {"spending_controls": LIMITLESS}, {}, "spending_controls"),
        (
            100,
            {"spending_controls": {"blocked_categories": ["bakeries"]}},
            {"merchant_data": {"category": "bakeries"}},
            "spending_controls",
        ),
        (
            100,
            {"spending_controls": {"allowed_merchant_countries": ["DE"]}},
            {},
            "spending_controls",
        ),
        (100, {}, {"verification_data": {"cvc_check": "mismatch"}}, "verification_failed"),
    ],
    ids=["float", "inactive", "daily limit", "cap", "category", "country", "cvc"],
)
async def test_what_stripe_refuses_itself_is_never_asked_about(
    sandbox: Running,
    *,
    product: Receiver,
    amount: int,
    changes: dict[str, Any],
    more: dict[str, Any],
    reason: str,
) -> None:
    made = await pay(sandbox, await card(sandbox, **changes), amount, **more)

    assert product.received == []
    assert (made.approved, made.status, made.amount) == (False, "closed", amount)
    assert made.request_history[0].reason == reason
    events = await sandbox.stripe.v1.events.list_async({"types": ["issuing_authorization.created"]})
    assert [event.data.object["id"] for event in events.data] == [made.id]


async def test_a_daily_limit_counts_what_stands_and_forgets_what_was_given_back(
    sandbox: Running,
) -> None:
    plastic = await card(sandbox)
    helper = sandbox.stripe.v1.test_helpers.issuing.authorizations

    first = await pay(sandbox, plastic, 40_000)
    assert (await pay(sandbox, plastic, 20_000)).approved is False
    await helper.reverse_async(first.id)
    assert (await pay(sandbox, plastic, 50_000)).approved is True
    assert (await pay(sandbox, plastic, 1)).approved is False
    await sandbox.advance(days=1)
    assert (await pay(sandbox, plastic, 1)).approved is True


async def test_a_capture_takes_the_hold_s_place(sandbox: Running, receiver: Receiver) -> None:
    await sandbox.stripe.v1.webhook_endpoints.create_async(
        {"url": receiver.url, "enabled_events": ["*"]}
    )
    before = sandbox.app.world.balance.available("issuing")
    made = await pay(sandbox, await card(sandbox), 1999)

    done = await sandbox.stripe.v1.test_helpers.issuing.authorizations.capture_async(
        made.id, {"capture_amount": 1500}
    )

    assert done.status == "closed"
    (taken,) = done.transactions
    assert (taken.type, taken.amount, taken.merchant_amount) == ("capture", -1500, -1500)
    assert sandbox.app.world.balance.available("issuing") == before - 1500
    await until(lambda: len(receiver.of_type("issuing_transaction.created")) == 1)
    await until(lambda: len(receiver.of_type("issuing_authorization.updated")) == 1)
    (updated,) = receiver.of_type("issuing_authorization.updated")
    assert updated["data"]["previous_attributes"] == {"status": "pending"}


async def test_captures_in_parts_close_with_the_last(sandbox: Running) -> None:
    before = sandbox.app.world.balance.available("issuing")
    made = await pay(sandbox, await card(sandbox), 1000)
    helper = sandbox.stripe.v1.test_helpers.issuing.authorizations

    part = await helper.capture_async(
        made.id, {"capture_amount": 400, "close_authorization": False}
    )
    assert part.status == "pending"
    assert sandbox.app.world.balance.available("issuing") == before - 1000
    whole = await helper.capture_async(made.id, {"capture_amount": 900})

    assert (whole.status, len(whole.transactions)) == ("closed", 2)
    assert sandbox.app.world.balance.available("issuing") == before - 1300


async def test_reversals_let_go_of_the_hold_in_part_and_whole(sandbox: Running) -> None:
    before = sandbox.app.world.balance.available("issuing")
    made = await pay(sandbox, await card(sandbox), 500)
    helper = sandbox.stripe.v1.test_helpers.issuing.authorizations

    part = await helper.reverse_async(made.id, {"reverse_amount": 200})
    assert (part.amount, part.status) == (300, "pending")
    whole = await helper.reverse_async(made.id)

    assert (whole.amount, whole.merchant_amount, whole.status) == (0, 0, "reversed")
    assert sandbox.app.world.balance.available("issuing") == before
    with pytest.raises(stripe.InvalidRequestError, match="cannot be captured"):
        await helper.capture_async(made.id, {"capture_amount": 100})
    events = await sandbox.stripe.v1.events.list_async({"type": "issuing_authorization.updated"})
    previous = events.data[0].data.to_dict()["previous_attributes"]
    assert previous == {"amount": 300, "merchant_amount": 300, "status": "pending"}


@pytest.mark.parametrize(("category", "days"), [("bakeries", 7), ("hotels_motels_and_resorts", 31)])
async def test_what_is_not_captured_in_time_expires(
    sandbox: Running, category: str, days: int
) -> None:
    made = await pay(sandbox, await card(sandbox), 500, merchant_data={"category": category})
    authorizations = sandbox.stripe.v1.issuing.authorizations

    await sandbox.advance(seconds=days * 86_400 - 60)
    assert (await authorizations.retrieve_async(made.id)).status == "pending"
    await sandbox.advance(seconds=60)
    lapsed = await authorizations.retrieve_async(made.id)

    assert (lapsed.status, lapsed.amount) == ("expired", 500)
    released = {moved.type: moved.amount for moved in lapsed.balance_transactions}
    assert released == {"issuing_authorization_hold": -500, "issuing_authorization_release": 500}
    late = await sandbox.stripe.v1.test_helpers.issuing.authorizations.capture_async(made.id)
    assert (late.status, late.transactions[0].amount) == ("closed", -500)


async def test_a_card_for_one_payment_is_cancelled_by_it(sandbox: Running) -> None:
    plastic = await card(sandbox, lifecycle_controls={"cancel_after": {"payment_count": 1}})

    await pay(sandbox, plastic, 0)
    assert (await pay(sandbox, plastic, 100)).approved is True

    assert (await pay(sandbox, plastic, 100)).request_history[0].reason == "card_canceled"


async def test_a_forced_capture_needs_no_authorization_and_a_refund_no_purchase(
    sandbox: Running, product: Receiver
) -> None:
    plastic = await card(sandbox, status="inactive")
    before = sandbox.app.world.balance.available("issuing")
    helper = sandbox.stripe.v1.test_helpers.issuing.transactions

    forced = await helper.create_force_capture_async({"card": plastic.id, "amount": 900})
    given = await helper.create_unlinked_refund_async({"card": plastic.id, "amount": 100})

    assert (forced.type, forced.amount, forced.authorization) == ("capture", -900, None)
    assert (given.type, given.amount, given.authorization) == ("refund", 100, None)
    assert sandbox.app.world.balance.available("issuing") == before - 800
    assert product.received == []


async def test_a_merchant_s_refund_belongs_to_the_purchase_it_gives_back(sandbox: Running) -> None:
    made = await pay(sandbox, await card(sandbox), 1000)
    helpers = sandbox.stripe.v1.test_helpers.issuing
    captured = (await helpers.authorizations.capture_async(made.id)).transactions[0]

    part = await helpers.transactions.refund_async(captured.id, {"refund_amount": 300})
    found = await sandbox.stripe.v1.issuing.authorizations.retrieve_async(made.id)

    assert (part.type, part.amount, part.authorization) == ("refund", 300, made.id)
    assert sorted(one.amount for one in found.transactions) == [-1000, 300]


async def test_metadata_of_purchases_can_be_changed_and_the_change_is_told(
    sandbox: Running,
) -> None:
    made = await pay(sandbox, await card(sandbox), 1000)
    helper, issuing = sandbox.stripe.v1.test_helpers.issuing, sandbox.stripe.v1.issuing
    captured = (await helper.authorizations.capture_async(made.id)).transactions[0]

    await issuing.authorizations.update_async(made.id, {"metadata": {"a": "1"}})
    await issuing.transactions.update_async(captured.id, {"metadata": {"b": "2"}})

    for kind in ("authorization", "transaction"):
        events = await sandbox.stripe.v1.events.list_async({"type": f"issuing_{kind}.updated"})
        event = await sandbox.stripe.v1.events.retrieve_async(events.data[0].id)
        assert event.data.to_dict()["previous_attributes"] == {"metadata": {}}

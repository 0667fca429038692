"""The question asked in real time, and what each kind of answer leads to."""

import asyncio
from typing import Any

import pytest
import stripe
from aiohttp import web

from tests.sandbox.people import card, pay
from tests.sandbox.serving import REAL_TIME_SECRET, VERSION, Receiver, Running

REQUEST = "issuing_authorization.request"
LIMITLESS = {"spending_limits": [{"amount": 5_000_000, "interval": "all_time"}]}


def answering(body: Any, status: int = 200, headers: Any = VERSION, **more: Any) -> Any:
    return lambda _event: web.json_response(body, status=status, headers=headers, **more)


async def test_the_webhook_is_asked_and_decides(sandbox: Running, product: Receiver) -> None:
    made = await pay(sandbox, await card(sandbox), 1999)

    (asked,) = product.received
    stripe.WebhookSignature.verify_header(
        asked.body, asked.headers["Stripe-Signature"], REAL_TIME_SECRET, 300
    )
    shown = asked.event["data"]["object"]
    assert asked.event["type"] == REQUEST
    assert (shown["amount"], shown["approved"], shown["status"]) == (0, False, "pending")
    assert shown["pending_request"]["amount"] == 1999
    assert shown["request_history"] == []
    assert shown["card"]["cardholder"]["name"] == "Ada Lovelace"
    assert (made.approved, made.status, made.amount) == (True, "pending", 1999)
    assert made.pending_request is None
    assert [entry.reason for entry in made.request_history] == ["webhook_approved"]
    assert [moved.type for moved in made.balance_transactions] == ["issuing_authorization_hold"]


async def test_a_declined_purchase_is_closed_and_shows_the_amount_refused(
    sandbox: Running, product: Receiver
) -> None:
    product.answer = answering({"approved": False, "metadata": {"why": "limit"}})

    made = await pay(sandbox, await card(sandbox), 700)

    assert (made.approved, made.status, made.amount) == (False, "closed", 700)
    assert made.metadata["why"] == "limit"
    assert made.request_history[0].reason == "webhook_declined"
    assert made.balance_transactions == []


async def test_without_a_webhook_stripe_approves(sandbox: Running) -> None:
    made = await pay(sandbox, await card(sandbox))

    assert (made.approved, made.request_history[0].reason) == (True, "card_active")
    events = await sandbox.stripe.v1.events.list_async({"type": REQUEST})
    assert events.data == []


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (answering({"approved": True}, status=500), "status 500"),
        (answering({"approved": True}, headers={}), "Stripe-Version"),
        (answering({"approved": True}, headers={"Stripe-Version": "latest"}), "Stripe-Version"),
        (answering({"approved": True}, content_type="text/plain"), "Content-Type"),
        (answering({"approved": "yes"}), "cannot be used"),
        (answering({}), "cannot be used"),
        (answering({"approved": True, "amount": 5}), "not controllable"),
        (answering({"approved": True, "metadata": {"a": 1}}), "cannot be used"),
    ],
    ids=[
        "status",
        "no version",
        "no such version",
        "not JSON",
        "not a boolean",
        "no decision",
        "amount",
        "metadata",
    ],
)
async def test_an_answer_that_cannot_be_used_follows_the_account_s_default(
    sandbox: Running, product: Receiver, answer: Any, complaint: str
) -> None:
    product.answer = answer
    plastic = await card(sandbox)

    declined = await pay(sandbox, plastic)
    await sandbox.set(webhook_error="approve")
    approved = await pay(sandbox, plastic)

    assert (declined.approved, approved.approved) == (False, True)
    entry = declined.request_history[0]
    assert entry.reason == "webhook_error"
    assert complaint in (entry.reason_message or "")


async def test_two_seconds_of_silence_follow_the_account_s_default_and_block_nobody(
    sandbox: Running, product: Receiver
) -> None:
    plastic = await card(sandbox)
    heard, silence = asyncio.Event(), asyncio.Event()

    async def say_nothing(_event: dict[str, Any]) -> web.Response:
        heard.set()
        await silence.wait()
        return web.Response()

    product.answer = say_nothing
    paying = asyncio.create_task(pay(sandbox, plastic))
    await heard.wait()
    # The product asks Stripe while Stripe waits for it.
    shown = await sandbox.stripe.v1.issuing.cards.retrieve_async(plastic.id)
    assert not paying.done()
    made = await paying
    silence.set()

    assert shown.id == plastic.id
    assert (made.approved, made.request_history[0].reason) == (False, "webhook_timeout")
    (delivery,) = await sandbox.deliveries(type=REQUEST)
    assert 1990 <= delivery["duration_ms"] < 2500
    assert (delivery["approved"], delivery["reason"]) == (False, "webhook_timeout")


async def test_a_controllable_amount_may_be_approved_in_part(
    sandbox: Running, product: Receiver
) -> None:
    product.answer = answering({"approved": True, "amount": 500})

    made = await pay(sandbox, await card(sandbox), 2000, is_amount_controllable=True)

    assert (made.amount, made.merchant_amount) == (500, 500)
    assert made.balance_transactions[0].amount == -500


@pytest.mark.parametrize("amount", [0, 2001])
async def test_an_amount_out_of_range_cannot_be_used(
    sandbox: Running, product: Receiver, amount: int
) -> None:
    product.answer = answering({"approved": True, "amount": amount})

    made = await pay(sandbox, await card(sandbox), 2000, is_amount_controllable=True)

    assert made.request_history[0].reason == "webhook_error"


async def test_an_amount_of_zero_is_asked_about_and_holds_nothing(
    sandbox: Running, product: Receiver
) -> None:
    made = await pay(sandbox, await card(sandbox), 0)

    assert product.received[0].event["data"]["object"]["pending_request"]["amount"] == 0
    assert (made.approved, made.amount, made.balance_transactions) == (True, 0, [])


async def test_an_increment_is_a_further_request_on_the_same_authorization(
    sandbox: Running, product: Receiver
) -> None:
    made = await pay(sandbox, await card(sandbox), 1000)
    helper = sandbox.stripe.v1.test_helpers.issuing.authorizations

    more = await helper.increment_async(made.id, {"increment_amount": 300})
    product.answer = answering({"approved": False})
    refused = await helper.increment_async(made.id, {"increment_amount": 9000})

    first, second, third = (one.event["data"]["object"] for one in product.received)
    assert [len(one["request_history"]) for one in (first, second, third)] == [0, 1, 2]
    assert (second["amount"], second["pending_request"]["amount"]) == (1000, 300)
    assert more.amount == 1300
    assert (refused.amount, refused.approved, refused.status) == (1300, True, "pending")
    reasons = [entry.reason for entry in refused.request_history]
    assert reasons == ["webhook_approved", "webhook_approved", "webhook_declined"]

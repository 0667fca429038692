"""Refunds that wait for available funds, where the sandbox is set to have them wait."""

import pytest
import stripe

from tests.sandbox.paying import Payer, happened, payer
from tests.sandbox.serving import Running
from tests.waiting import until


@pytest.fixture
async def ada(sandbox: Running) -> Payer:
    await sandbox.set(refunds_need_available_funds=True)
    return await payer(sandbox)


async def refunded(sandbox: Running, intent: stripe.PaymentIntent) -> stripe.Refund:
    return await sandbox.stripe.v1.refunds.create_async({"payment_intent": intent.id})


async def now(sandbox: Running, refund: stripe.Refund) -> stripe.Refund:
    return await sandbox.stripe.v1.refunds.retrieve_async(refund.id)


async def test_a_refund_waits_until_what_was_charged_is_available(
    sandbox: Running, ada: Payer
) -> None:
    # Fees are gone for good, so that one charge alone cannot pay for its own refund.
    await ada.charge(5000, capture_method="automatic")
    intent = await ada.charge(2149, capture_method="automatic")

    waiting = await refunded(sandbox, intent)
    charge = await ada.charge_of(intent)

    assert (waiting.status, waiting.pending_reason) == ("pending", "insufficient_funds")
    assert waiting.balance_transaction is None
    assert (charge.amount_refunded, charge.refunded) == (2149, True)
    with pytest.raises(stripe.InvalidRequestError, match="already been refunded"):
        await refunded(sandbox, intent)
    assert await happened(sandbox, waiting.id) == ["refund.created", "refund.updated"]

    await sandbox.advance(days=2)

    paid = await now(sandbox, waiting)
    assert paid.status == "succeeded"
    assert "pending_reason" not in paid.to_dict()
    assert isinstance(paid.balance_transaction, str)
    booked = await sandbox.stripe.v1.balance_transactions.retrieve_async(paid.balance_transaction)
    assert (booked.amount, booked.type, booked.source) == (-2149, "refund", waiting.id)
    updated = await sandbox.stripe.v1.events.list_async({"type": "refund.updated"})
    told = [one.data.to_dict().get("previous_attributes") for one in updated.data]
    assert {
        "balance_transaction": None,
        "pending_reason": "insufficient_funds",
        "status": "pending",
    } in told


async def test_money_that_is_available_at_once_pays_the_oldest_first(
    sandbox: Running, ada: Payer
) -> None:
    intents = [await ada.charge(amount, capture_method="automatic") for amount in (3000, 500)]
    large, small = [await refunded(sandbox, intent) for intent in intents]
    rich = await payer(sandbox, "pm_card_bypassPending")

    await rich.charge(2000, capture_method="automatic")
    assert (await now(sandbox, large)).status == "pending"
    assert (await now(sandbox, small)).status == "pending"
    await rich.charge(2000, capture_method="automatic")

    assert (await now(sandbox, large)).status == "succeeded"
    assert (await now(sandbox, small)).status == "succeeded"


async def test_a_top_up_of_the_payments_balance_pays_what_waits(
    sandbox: Running, ada: Payer
) -> None:
    waiting = await refunded(sandbox, await ada.charge(2149, capture_method="automatic"))
    made = await sandbox.stripe.v1.topups.create_async({"amount": 5000, "currency": "usd"})

    (await sandbox.control.post(f"/_sandbox/topups/{made.id}/succeed")).raise_for_status()

    assert (await now(sandbox, waiting)).status == "succeeded"


async def test_a_refund_that_waited_goes_as_its_card_has_it_go(
    sandbox: Running, ada: Payer
) -> None:
    pending, failing = (
        await payer(sandbox, "pm_card_pendingRefund"),
        await payer(sandbox, "pm_card_refundFail"),
    )
    intents = [await one.charge(1000, capture_method="automatic") for one in (pending, failing)]
    slow, bad = [await refunded(sandbox, intent) for intent in intents]
    assert (slow.pending_reason, bad.pending_reason) == (
        "insufficient_funds",
        "insufficient_funds",
    )
    await ada.charge(5000, capture_method="automatic")

    await sandbox.advance(days=2)

    async def ended() -> bool:
        found = [(await now(sandbox, one)).status for one in (slow, bad)]
        return found == ["succeeded", "failed"]

    await until(ended)
    failed = await now(sandbox, bad)
    assert isinstance(failed.failure_balance_transaction, str)
    moved = sandbox.stripe.v1.balance_transactions
    returned = await moved.retrieve_async(failed.failure_balance_transaction)
    assert (returned.type, returned.amount, returned.source) == ("refund_failure", 1000, bad.id)
    assert "refund.failed" in await happened(sandbox, bad.id)


async def test_without_the_setting_a_refund_draws_on_what_is_pending(sandbox: Running) -> None:
    ada = await payer(sandbox)

    refund = await refunded(sandbox, await ada.charge(2149, capture_method="automatic"))

    assert refund.status == "succeeded"

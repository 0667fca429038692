"""Money: fees, refunds, and the balances they move."""

from dataclasses import replace
from pathlib import Path

import pytest
import stripe

from stripe_sandbox.payments.charges import processing_fee
from tests.sandbox.paying import happened, intent_of, payer
from tests.sandbox.serving import Running, serving
from tests.waiting import until


@pytest.mark.parametrize(
    ("amount", "fee"),
    [(50, 31), (61, 32), (1000, 59), (2149, 92), (2150, 92), (99_999_999, 2900030)],
)
def test_the_fee_is_2_9_percent_and_30_cents_with_halves_rounded_up(amount: int, fee: int) -> None:
    assert processing_fee(amount) == fee


async def test_a_captured_hold_is_booked_with_its_fee(sandbox: Running) -> None:
    ada = await payer(sandbox)
    intent = await ada.charge(2149)

    intent = await sandbox.stripe.v1.payment_intents.capture_async(
        intent.id, {"expand": ["latest_charge.balance_transaction"]}
    )

    assert isinstance(intent.latest_charge, stripe.Charge)
    booked = intent.latest_charge.balance_transaction
    assert isinstance(booked, stripe.BalanceTransaction)
    assert (booked.amount, booked.fee, booked.net) == (2149, 92, 2057)
    assert [(fee.amount, fee.type) for fee in booked.fee_details] == [(92, "stripe_fee")]
    assert (booked.balance_type, booked.type, booked.status) == ("payments", "charge", "pending")
    assert booked.available_on == booked.created + 2 * 86_400


async def test_charged_money_is_pending_for_two_days(sandbox: Running) -> None:
    ada = await payer(sandbox)
    await ada.charge(2149, capture_method="automatic")
    balances = sandbox.stripe.v1.balance
    before = await balances.retrieve_async()
    assert (before.available[0].amount, before.pending[0].amount) == (0, 2057)

    await sandbox.advance(days=2)

    after = await balances.retrieve_async()
    assert (after.available[0].amount, after.pending[0].amount) == (2057, 0)
    assert after.issuing is not None
    assert before.issuing is not None
    assert after.issuing.available[0].amount == before.issuing.available[0].amount > 0


async def test_an_asynchronous_capture_learns_its_fee_later(sandbox: Running) -> None:
    ada = await payer(sandbox)

    intent = await ada.charge(2149, capture_method=None, expand=["latest_charge"])

    assert (intent.status, intent.capture_method) == ("succeeded", "automatic_async")
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert charge.balance_transaction is None
    charges = sandbox.stripe.v1.charges

    async def booked() -> bool:
        return (await charges.retrieve_async(charge.id)).balance_transaction is not None

    await until(booked)
    assert await happened(sandbox, charge.id) == ["charge.succeeded", "charge.updated"]


async def test_a_charge_is_refunded_in_parts_until_nothing_is_left(sandbox: Running) -> None:
    ada = await payer(sandbox)
    intent = await ada.charge(2149, capture_method="automatic")
    refunds = sandbox.stripe.v1.refunds

    first = await refunds.create_async(
        {"payment_intent": intent.id, "amount": 149, "metadata": {"why": "tip"}}
    )
    charge = await ada.charge_of(intent)
    assert (charge.amount_refunded, charge.refunded) == (149, False)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        await refunds.create_async({"payment_intent": intent.id, "amount": 2001})
    second = await refunds.create_async({"charge": charge.id, "reason": "requested_by_customer"})

    assert first.metadata is not None
    assert (first.status, first.amount, first.metadata["why"]) == ("succeeded", 149, "tip")
    assert (second.amount, second.reason) == (2000, "requested_by_customer")
    charge = await ada.charge_of(intent)
    assert (charge.amount_refunded, charge.refunded) == (2149, True)
    listed = await refunds.list_async({"payment_intent": intent.id})
    assert [refund.id for refund in listed.data] == [second.id, first.id]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await refunds.create_async({"payment_intent": intent.id})
    assert refused.value.code == "charge_already_refunded"


async def test_a_refund_does_not_give_the_fee_back(sandbox: Running) -> None:
    ada = await payer(sandbox)
    intent = await ada.charge(2149, capture_method="automatic")

    refund = await sandbox.stripe.v1.refunds.create_async({"payment_intent": intent.id})

    assert isinstance(refund.balance_transaction, str)
    booked = await sandbox.stripe.v1.balance_transactions.retrieve_async(refund.balance_transaction)
    assert (booked.amount, booked.fee, booked.type) == (-2149, 0, "refund")
    balance = await sandbox.stripe.v1.balance.retrieve_async()
    assert balance.available[0].amount + balance.pending[0].amount == -92
    charge = await ada.charge_of(intent)
    assert (await happened(sandbox, charge.id))[-1] == "charge.refunded"
    assert (await happened(sandbox, refund.id))[:2] == ["refund.created", "refund.updated"]


async def test_after_a_partial_capture_only_what_was_captured_is_refunded(
    sandbox: Running,
) -> None:
    ada = await payer(sandbox)
    intent = await ada.charge(2149)
    await sandbox.stripe.v1.payment_intents.capture_async(intent.id, {"amount_to_capture": 2000})

    refund = await sandbox.stripe.v1.refunds.create_async({"payment_intent": intent.id})

    assert refund.amount == 2000


async def test_a_hold_is_cancelled_and_not_refunded(sandbox: Running) -> None:
    ada = await payer(sandbox)
    intent = await ada.charge(2149)

    with pytest.raises(stripe.InvalidRequestError, match="must cancel the PaymentIntent"):
        await sandbox.stripe.v1.refunds.create_async({"payment_intent": intent.id})


async def test_what_was_declined_cannot_be_refunded(sandbox: Running) -> None:
    error = await (await payer(sandbox, "pm_card_chargeCustomerFail")).refusal()

    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        await sandbox.stripe.v1.refunds.create_async({"payment_intent": intent_of(error).id})


async def test_a_refund_can_be_pending_at_first(sandbox: Running) -> None:
    ada = await payer(sandbox, "pm_card_pendingRefund")
    intent = await ada.charge(2149, capture_method="automatic")
    refunds = sandbox.stripe.v1.refunds

    refund = await refunds.create_async({"payment_intent": intent.id})

    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    await _until_status(sandbox, refund, "succeeded")
    assert (await happened(sandbox, refund.id))[-1] == "refund.updated"
    assert (await ada.charge_of(intent)).amount_refunded == 2149


async def test_a_refund_can_fail_in_the_end(sandbox: Running) -> None:
    ada = await payer(sandbox, "pm_card_refundFail")
    intent = await ada.charge(2149, capture_method="automatic")
    refunds = sandbox.stripe.v1.refunds

    refund = await refunds.create_async({"payment_intent": intent.id})

    assert refund.status == "succeeded"
    await _until_status(sandbox, refund, "failed")
    assert "refund.failed" in await happened(sandbox, refund.id)
    charge = await ada.charge_of(intent)
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    balance = await sandbox.stripe.v1.balance.retrieve_async()
    assert balance.available[0].amount + balance.pending[0].amount == 2057


async def _until_status(sandbox: Running, refund: stripe.Refund, status: str) -> None:
    async def changed() -> bool:
        found = await sandbox.stripe.v1.refunds.retrieve_async(refund.id)
        return found.status == status

    await until(changed)


async def test_what_was_left_for_later_survives_a_restart(tmp_path: Path) -> None:
    async with serving(tmp_path) as sandbox:
        ada = await payer(sandbox)
        hold = await ada.charge(2149)
        later = await ada.charge(2149, capture_method=None)
        await ada.behaves_like("pm_card_visa_chargeDeclined")

    async with serving(tmp_path) as sandbox:
        ada = replace(ada, sandbox=sandbox)

        async def booked() -> bool:
            return (await ada.charge_of(later)).balance_transaction is not None

        await until(booked)
        assert (await ada.refusal()).decline_code == "generic_decline"
        captured = await sandbox.stripe.v1.payment_intents.capture_async(hold.id)
        assert captured.status == "succeeded"

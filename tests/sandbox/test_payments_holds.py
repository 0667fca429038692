"""Holds: captured, cancelled, lapsed, and ending as nobody expected."""

import asyncio

import pytest
import stripe

from tests.sandbox.paying import happened, intent_of, payer
from tests.sandbox.serving import Running


async def test_part_of_a_hold_is_captured_and_the_rest_released(sandbox: Running) -> None:
    ada = await payer(sandbox)
    intent = await ada.charge(2149)

    intent = await sandbox.stripe.v1.payment_intents.capture_async(
        intent.id, {"amount_to_capture": 2000, "metadata": {"captured": "yes"}}
    )

    assert (intent.status, intent.amount_received) == ("succeeded", 2000)
    assert (intent.amount_capturable, intent.metadata["captured"]) == (0, "yes")
    charge = await ada.charge_of(intent)
    assert (charge.captured, charge.amount_captured, charge.amount_refunded) == (True, 2000, 149)
    assert not charge.refunded
    assert charge.balance_transaction is not None
    assert await happened(sandbox, charge.id) == ["charge.succeeded", "charge.captured"]
    assert (await happened(sandbox, intent.id))[-1] == "payment_intent.succeeded"


async def test_a_hold_is_captured_once(sandbox: Running) -> None:
    ada = await payer(sandbox)
    intent = await ada.charge(2149)
    intents = sandbox.stripe.v1.payment_intents
    await intents.capture_async(intent.id)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await intents.capture_async(intent.id)

    assert refused.value.code == "payment_intent_unexpected_state"
    assert intent_of(refused.value.error).status == "succeeded"


@pytest.mark.parametrize(
    ("amount", "code"), [(2150, "amount_too_large"), (0, "parameter_invalid_integer")]
)
async def test_no_more_is_captured_than_is_held(sandbox: Running, amount: int, code: str) -> None:
    ada = await payer(sandbox)
    intent = await ada.charge(2149)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await sandbox.stripe.v1.payment_intents.capture_async(
            intent.id, {"amount_to_capture": amount}
        )

    assert (refused.value.code, refused.value.param) == (code, "amount_to_capture")


async def test_cancelling_releases_a_hold_at_no_cost(sandbox: Running) -> None:
    ada = await payer(sandbox)
    intent = await ada.charge(2149)

    intent = await sandbox.stripe.v1.payment_intents.cancel_async(
        intent.id, {"cancellation_reason": "abandoned"}
    )

    assert (intent.status, intent.amount_capturable) == ("canceled", 0)
    assert (intent.cancellation_reason, intent.canceled_at is not None) == ("abandoned", True)
    charge = await ada.charge_of(intent)
    assert (charge.captured, charge.refunded, charge.amount_refunded) == (False, True, 2149)
    assert await happened(sandbox, charge.id) == ["charge.succeeded", "charge.refunded"]
    assert (await happened(sandbox, intent.id))[-1] == "payment_intent.canceled"
    booked = await sandbox.stripe.v1.balance_transactions.list_async({"source": charge.id})
    assert booked.data == []


@pytest.mark.parametrize("ending", ["succeeded", "canceled"])
async def test_what_is_over_cannot_be_cancelled(sandbox: Running, ending: str) -> None:
    intents = sandbox.stripe.v1.payment_intents
    ada = await payer(sandbox)
    intent = await ada.charge(2149)
    await (intents.capture_async if ending == "succeeded" else intents.cancel_async)(intent.id)

    with pytest.raises(stripe.InvalidRequestError, match=f"has a status of {ending}") as refused:
        await intents.cancel_async(intent.id)

    assert refused.value.code == "payment_intent_unexpected_state"
    assert intent_of(refused.value.error).status == ending


async def test_an_intent_nobody_paid_can_be_cancelled(sandbox: Running) -> None:
    ada = await payer(sandbox, "pm_card_chargeCustomerFail")
    declined = intent_of(await ada.refusal())

    intent = await sandbox.stripe.v1.payment_intents.cancel_async(declined.id)

    assert intent.status == "canceled"


async def test_a_hold_lapses_when_its_time_has_passed(sandbox: Running) -> None:
    ada = await payer(sandbox)
    intent = await ada.charge(2149)
    intents = sandbox.stripe.v1.payment_intents

    await sandbox.advance(days=4)
    assert (await intents.retrieve_async(intent.id)).status == "requires_capture"
    await sandbox.advance(days=1)

    intent = await intents.retrieve_async(intent.id)
    assert (intent.status, intent.cancellation_reason) == ("canceled", "automatic")
    charge = await ada.charge_of(intent)
    assert (charge.captured, charge.refunded) == (False, True)
    assert (await happened(sandbox, charge.id))[-1] == "charge.expired"
    assert (await happened(sandbox, intent.id))[-1] == "payment_intent.canceled"


class TestSavedCardBehavesLike:
    @pytest.mark.parametrize(
        ("behaviour", "status", "events"),
        [
            ("sandbox:processing", "processing", ["payment_intent.processing"]),
            ("sandbox:requires_action", "requires_action", ["payment_intent.requires_action"]),
            (
                "sandbox:requires_payment_method",
                "requires_payment_method",
                ["payment_intent.payment_failed"],
            ),
            ("sandbox:succeeded", "succeeded", ["payment_intent.succeeded"]),
        ],
    )
    async def test_a_hold_can_end_in_a_status_nobody_expects(
        self, sandbox: Running, behaviour: str, status: str, events: list[str]
    ) -> None:
        ada = await payer(sandbox)
        await ada.behaves_like(behaviour)

        intent = await ada.charge(error_on_requires_action=True)

        assert (intent.status, intent.capture_method) == (status, "manual")
        assert await happened(sandbox, intent.id) == ["payment_intent.created", *events]

    async def test_what_is_processing_is_approved_within_the_hour(self, sandbox: Running) -> None:
        ada = await payer(sandbox)
        await ada.behaves_like("sandbox:processing")
        intent = await ada.charge()
        intents = sandbox.stripe.v1.payment_intents
        with pytest.raises(stripe.InvalidRequestError, match="a status of processing"):
            await intents.cancel_async(intent.id)

        await sandbox.advance(seconds=3600)

        assert (await intents.retrieve_async(intent.id)).status == "requires_capture"
        assert (await intents.cancel_async(intent.id)).status == "canceled"

    async def test_it_gets_its_own_ways_back(self, sandbox: Running) -> None:
        ada = await payer(sandbox)
        await ada.behaves_like("pm_card_visa_chargeDeclinedInsufficientFunds")
        assert (await ada.refusal()).decline_code == "insufficient_funds"

        await ada.behaves_like(None)

        assert (await ada.charge()).status == "requires_capture"

    async def test_what_a_bank_would_answer_is_told_before_it_is_asked(
        self, sandbox: Running
    ) -> None:
        ada, address = await payer(sandbox), "/_sandbox/payment_methods"
        assert (await sandbox.control.get(address)).json() == {"refusing": {}}
        for token, answer in {
            "pm_card_visa_chargeDeclinedInsufficientFunds": "insufficient_funds",
            "pm_card_authenticationRequired": "authentication_required",
            "sandbox:processing": "processing",
        }.items():
            await ada.behaves_like(token)
            told = (await sandbox.control.get(address)).json()
            assert told == {"refusing": {ada.method: answer}}

    async def test_an_unknown_behaviour_is_refused_with_the_known_ones(
        self, sandbox: Running
    ) -> None:
        ada = await payer(sandbox)

        response = await sandbox.control.post(
            f"/_sandbox/payment_methods/{ada.method}/behaves_like", json={"token": "pm_nonsense"}
        )

        assert response.status_code == 400
        assert "pm_card_chargeCustomerFail" in response.json()["error"]["message"]


async def test_fifty_charges_with_one_key_hold_once(sandbox: Running) -> None:
    ada = await payer(sandbox)

    async def charge() -> str | None:
        try:
            intent = await sandbox.stripe.v1.payment_intents.create_async(
                {
                    "amount": 2149,
                    "currency": "usd",
                    "customer": ada.customer,
                    "payment_method": ada.method,
                    "capture_method": "manual",
                    "confirm": True,
                    "off_session": True,
                },
                {"idempotency_key": "one-purchase"},
            )
        except stripe.APIError:
            return None  # In flight at that moment: Stripe answers 409.
        return intent.id

    answers = set(await asyncio.gather(*(charge() for _ in range(50))))

    (intent,) = (await sandbox.stripe.v1.payment_intents.list_async()).data
    assert answers - {None} == {intent.id}

"""Charging saved cards: what is approved, what is refused, and with which words."""

from typing import Literal

import pytest
import stripe

from stripe_sandbox.payments.published_cards import TOKENS, Authentication
from tests.sandbox.paying import Payer, happened, intent_of, payer
from tests.sandbox.serving import Running

DECLINING = sorted(token for token, card in TOKENS.items() if card.decline is not None)
ORDINARY = sorted(
    token
    for token, card in TOKENS.items()
    if card.decline is None and card.authentication is Authentication.NEVER
)


async def test_a_hold_waits_to_be_captured(sandbox: Running) -> None:
    ada = await payer(sandbox)

    intent = await ada.charge(2149, metadata={"purchase": "1"}, statement_descriptor_suffix="BLUE")

    assert (intent.status, intent.amount_capturable) == ("requires_capture", 2149)
    assert (intent.amount_received, intent.metadata["purchase"]) == (0, "1")
    charge = await ada.charge_of(intent)
    assert (charge.status, charge.paid, charge.captured) == ("succeeded", True, False)
    assert (charge.amount, charge.amount_captured, charge.balance_transaction) == (2149, 0, None)
    assert charge.calculated_statement_descriptor == "PROXYCARD* BLUE"
    assert charge.outcome is not None
    assert charge.outcome.network_status == "approved_by_network"
    assert await happened(sandbox, intent.id) == [
        "payment_intent.created",
        "payment_intent.amount_capturable_updated",
    ]
    assert await happened(sandbox, charge.id) == ["charge.succeeded"]


@pytest.mark.parametrize(
    ("token", "off_session", "seconds"),
    [
        ("pm_card_visa", True, 4 * 86_400 + 18 * 3_600),
        ("pm_card_visa", None, 7 * 86_400),
        ("pm_card_mastercard", True, 7 * 86_400),
        ("pm_card_amex", True, 7 * 86_400),
    ],
)
async def test_how_long_a_hold_lasts(
    sandbox: Running, token: str, off_session: Literal[True] | None, seconds: int
) -> None:
    ada = await payer(sandbox, token)

    charge = await ada.charge_of(await ada.charge(off_session=off_session))

    assert charge.payment_method_details is not None
    assert charge.payment_method_details.card is not None
    assert charge.payment_method_details.card.capture_before == charge.created + seconds


@pytest.mark.parametrize("token", ORDINARY)
async def test_an_ordinary_card_pays(sandbox: Running, token: str) -> None:
    ada = await payer(sandbox, token)

    intent = await ada.charge(50, capture_method="automatic")

    assert (intent.status, intent.amount_received) == ("succeeded", 50)


@pytest.mark.parametrize("token", DECLINING)
async def test_each_declining_card_gives_its_own_reason(sandbox: Running, token: str) -> None:
    ada = await payer(sandbox)
    await ada.behaves_like(token)
    expected = TOKENS[token].decline
    assert expected is not None

    error = await ada.refusal()

    assert (error.type, error.code, error.message) == (
        "card_error",
        expected.code,
        expected.message,
    )
    assert error.decline_code == expected.decline_code
    assert error.payment_method is not None
    assert error.payment_method.id == ada.method
    intent = await sandbox.stripe.v1.payment_intents.retrieve_async(intent_of(error).id)
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.to_dict().get("decline_code") == expected.decline_code
    assert intent.latest_charge == error.charge
    charge = await ada.charge_of(intent)
    assert (charge.status, charge.paid, charge.failure_code) == ("failed", False, expected.code)
    assert (await happened(sandbox, charge.id)) == ["charge.failed"]
    assert (await happened(sandbox, intent.id))[-1] == "payment_intent.payment_failed"


async def test_the_only_declining_card_that_can_be_saved_declines_when_charged(
    sandbox: Running,
) -> None:
    error = await (await payer(sandbox, "pm_card_chargeCustomerFail")).refusal()

    assert (error.code, error.decline_code) == ("card_declined", "generic_decline")
    assert error.advice_code == "try_again_later"
    assert error.network_decline_code == "01"


async def test_a_decline_is_http_402_and_the_same_the_second_time(sandbox: Running) -> None:
    ada = await payer(sandbox, "pm_card_chargeCustomerFail")
    seen = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as refused:
            await sandbox.stripe.v1.payment_intents.create_async(
                {
                    "amount": 500,
                    "currency": "usd",
                    "customer": ada.customer,
                    "payment_method": ada.method,
                    "confirm": True,
                    "off_session": True,
                },
                {"idempotency_key": "purchase-1"},
            )
        assert refused.value.http_status == 402
        seen.append(intent_of(refused.value.error).id)

    assert seen[0] == seen[1]
    intents = await sandbox.stripe.v1.payment_intents.list_async({"customer": ada.customer})
    assert [intent.id for intent in intents.data] == seen[:1]


class TestAuthentication:
    async def test_off_session_it_cannot_be_asked_for(self, sandbox: Running) -> None:
        ada = await _with_card_attached(sandbox, "pm_card_authenticationRequired")

        error = await ada.refusal()

        reason = ("authentication_required", "authentication_required")
        assert (error.code, error.decline_code) == reason
        assert intent_of(error).status == "requires_payment_method"

    async def test_the_caller_can_refuse_to_handle_it(self, sandbox: Running) -> None:
        ada = await _with_card_attached(sandbox, "pm_card_authenticationRequired")

        error = await ada.refusal(error_on_requires_action=True)

        reason = ("authentication_required", "authentication_not_handled")
        assert (error.code, error.decline_code) == reason
        assert intent_of(error).status == "requires_payment_method"
        assert intent_of(error).latest_charge is None

    @pytest.mark.parametrize(
        ("holder", "status"),
        [
            ({"succeed": True}, "requires_capture"),
            ({"succeed": False}, "requires_payment_method"),
        ],
    )
    async def test_on_session_the_intent_waits(
        self, sandbox: Running, holder: dict[str, bool], status: str
    ) -> None:
        ada = await _with_card_attached(sandbox, "pm_card_authenticationRequired")
        intent = await ada.charge(off_session=None, return_url="https://example.com/back")
        assert intent.status == "requires_action"
        assert intent.next_action is not None
        assert intent.next_action.type == "redirect_to_url"

        await sandbox.control.post(f"/_sandbox/intents/{intent.id}/authenticate", json=holder)

        intent = await sandbox.stripe.v1.payment_intents.retrieve_async(intent.id)
        assert (intent.status, intent.next_action) == (status, None)

    async def test_a_card_that_was_set_up_needs_none_off_session(self, sandbox: Running) -> None:
        ada = await payer(sandbox, "pm_card_authenticationRequiredSetupForOffSession")

        assert (await ada.charge()).status == "requires_capture"
        assert (await ada.charge(off_session=None)).status == "requires_action"

    async def test_a_card_that_was_only_attached_needs_it(self, sandbox: Running) -> None:
        ada = await _with_card_attached(sandbox, "pm_card_authenticationRequiredOnSetup")

        assert (await ada.refusal()).decline_code == "authentication_required"


class TestRefusals:
    @pytest.mark.parametrize(
        ("changes", "code", "param"),
        [
            ({"amount": 49}, "amount_too_small", "amount"),
            ({"amount": 100_000_000}, "amount_too_large", "amount"),
            ({"amount": 0}, "parameter_invalid_integer", "amount"),
            ({"currency": "xxx"}, None, "currency"),
            ({"currency": None}, "parameter_missing", "currency"),
            ({"customer": "cus_none"}, "resource_missing", "customer"),
            ({"payment_method": "pm_none"}, "resource_missing", "payment_method"),
            (
                {"payment_method_types": ["card"]},
                "payment_method_types_no_longer_supported",
                "payment_method_types",
            ),
            (
                {"statement_descriptor_suffix": "x" * 23},
                None,
                "statement_descriptor_suffix",
            ),
            (
                {"statement_descriptor": "x"},
                "payment_intent_invalid_parameter",
                "statement_descriptor",
            ),
            ({"confirm": None}, None, "off_session"),
            ({"transfer_data": {"destination": "acct_1"}}, None, "transfer_data"),
            ({"setup_future_usage": "off_session"}, None, "setup_future_usage"),
        ],
        ids=str,
    )
    async def test_names_the_parameter_and_makes_nothing(
        self, sandbox: Running, changes: dict[str, object], code: str | None, param: str
    ) -> None:
        ada = await payer(sandbox)

        error = await ada.refusal(**changes)

        assert (error.type, error.code, error.param) == ("invalid_request_error", code, param)
        assert (await sandbox.stripe.v1.payment_intents.list_async()).data == []

    async def test_an_intent_without_a_card_cannot_be_confirmed(self, sandbox: Running) -> None:
        intents = sandbox.stripe.v1.payment_intents
        intent = await intents.create_async({"amount": 500, "currency": "usd"})

        with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
            await intents.confirm_async(intent.id)

    async def test_a_card_used_once_without_a_customer_is_spent(self, sandbox: Running) -> None:
        method = await sandbox.stripe.v1.payment_methods.create_async(
            {"type": "card", "card": {"token": "tok_visa"}}
        )
        ada = Payer(sandbox, (await payer(sandbox)).customer, method.id)
        await ada.charge()

        with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
            await ada.charge()


async def test_an_intent_is_made_changed_and_confirmed_in_steps(sandbox: Running) -> None:
    intents = sandbox.stripe.v1.payment_intents
    intent = await intents.create_async({"amount": 500, "currency": "usd"})
    assert intent.status == "requires_payment_method"

    intent = await intents.update_async(
        intent.id, {"amount": 700, "payment_method": "pm_card_visa"}
    )
    assert (intent.amount, intent.status) == (700, "requires_confirmation")
    intent = await intents.confirm_async(intent.id)
    assert (intent.status, intent.amount_received) == ("succeeded", 700)

    intent = await intents.update_async(intent.id, {"metadata": {"a": "1"}})
    assert intent.metadata["a"] == "1"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await intents.update_async(intent.id, {"amount": 800})
    assert refused.value.code == "payment_intent_unexpected_state"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await intents.confirm_async(intent.id)
    assert refused.value.code == "payment_intent_unexpected_state"


async def test_intents_and_charges_are_listed_by_customer(sandbox: Running) -> None:
    ada, bob = await payer(sandbox), await payer(sandbox)
    mine = [await ada.charge() for _ in range(3)]
    await bob.charge()

    page = await sandbox.stripe.v1.payment_intents.list_async(
        {"customer": ada.customer, "limit": 2, "created": {"gte": mine[0].created}}
    )
    charges = await sandbox.stripe.v1.charges.list_async({"payment_intent": mine[0].id})

    assert [intent.id for intent in page.data] == [mine[2].id, mine[1].id]
    assert page.has_more
    assert [charge.id for charge in charges.data] == [mine[0].latest_charge]


async def _with_card_attached(sandbox: Running, token: str) -> Payer:
    customer = await sandbox.stripe.v1.customers.create_async()
    method = await sandbox.stripe.v1.payment_methods.attach_async(token, {"customer": customer.id})
    return Payer(sandbox, customer.id, method.id)

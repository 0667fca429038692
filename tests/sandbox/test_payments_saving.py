"""Saving cards: customers, PaymentMethods and SetupIntents."""

import pytest
import stripe

from stripe_sandbox.payments.published_cards import TOKENS
from tests.sandbox.paying import happened, payer, set_up
from tests.sandbox.serving import Running

SAVABLE = sorted(token for token, card in TOKENS.items() if card.savable)
REFUSING = sorted(token for token, card in TOKENS.items() if not card.savable)


async def test_a_card_that_is_set_up_belongs_to_its_customer(sandbox: Running) -> None:
    ada = await payer(sandbox)

    (saved,) = (await sandbox.stripe.v1.customers.payment_methods.list_async(ada.customer)).data
    assert saved.id == ada.method
    assert saved.card is not None
    shown = (saved.card.brand, saved.card.last4, saved.card.funding, saved.card.country)
    assert shown == ("visa", "4242", "credit", "US")
    assert await happened(sandbox, saved.id) == ["payment_method.attached"]
    (setup,) = (await sandbox.stripe.v1.setup_intents.list_async({"customer": ada.customer})).data
    assert await happened(sandbox, setup.id) == ["setup_intent.created", "setup_intent.succeeded"]


async def test_one_number_has_one_fingerprint(sandbox: Running) -> None:
    methods = sandbox.stripe.v1.payment_methods
    by_token = await methods.retrieve_async((await payer(sandbox)).method)
    by_number = await methods.create_async(
        {
            "type": "card",
            "card": {"number": "4242 4242 4242 4242", "exp_month": 3, "exp_year": 2031},
        }
    )
    other = await methods.create_async({"type": "card", "card": {"token": "tok_mastercard"}})

    assert by_token.card is not None
    assert by_number.card is not None
    assert other.card is not None
    assert by_number.card.fingerprint == by_token.card.fingerprint
    assert (by_number.card.exp_month, by_number.card.exp_year) == (3, 2031)
    assert other.card.fingerprint != by_token.card.fingerprint
    assert other.card.brand == "mastercard"


async def test_a_real_card_number_is_refused(sandbox: Running) -> None:
    with pytest.raises(stripe.CardError) as refused:
        await sandbox.stripe.v1.payment_methods.create_async(
            {
                "type": "card",
                "card": {"number": "4111111111111129", "exp_month": 3, "exp_year": 2031},
            }
        )

    assert refused.value.error is not None
    assert refused.value.error.decline_code == "test_mode_live_card"


@pytest.mark.parametrize("token", SAVABLE)
async def test_a_card_that_can_be_saved_is_attached(sandbox: Running, token: str) -> None:
    customer = await sandbox.stripe.v1.customers.create_async()

    method = await sandbox.stripe.v1.payment_methods.attach_async(token, {"customer": customer.id})

    assert (method.customer, method.id[:3]) == (customer.id, "pm_")
    assert method.card is not None
    assert method.card.last4 == TOKENS[token].last4


@pytest.mark.parametrize("token", REFUSING)
async def test_a_declining_card_is_not_saved(sandbox: Running, token: str) -> None:
    customer = await sandbox.stripe.v1.customers.create_async()
    expected = TOKENS[token].decline
    assert expected is not None

    with pytest.raises(stripe.CardError) as at_setup:
        await set_up(sandbox, customer.id, token)
    with pytest.raises(stripe.CardError) as at_attach:
        await sandbox.stripe.v1.payment_methods.attach_async(token, {"customer": customer.id})

    for refused in (at_setup.value, at_attach.value):
        assert refused.http_status == 402
        assert refused.code == expected.code
    (setup,) = (await sandbox.stripe.v1.setup_intents.list_async({"customer": customer.id})).data
    assert (setup.status, setup.payment_method) == ("requires_payment_method", None)
    assert setup.last_setup_error is not None
    assert setup.last_setup_error.code == expected.code
    assert "setup_intent.setup_failed" in await happened(sandbox, setup.id)
    saved = await sandbox.stripe.v1.customers.payment_methods.list_async(customer.id)
    assert saved.data == []


async def test_a_setup_that_asks_for_authentication_waits_for_it(sandbox: Running) -> None:
    customer = await sandbox.stripe.v1.customers.create_async()
    setup = await set_up(sandbox, customer.id, "pm_card_authenticationRequiredOnSetup")
    assert (setup.status, setup.next_action is not None) == ("requires_action", True)

    await sandbox.control.post(f"/_sandbox/intents/{setup.id}/authenticate", json={})

    setup = await sandbox.stripe.v1.setup_intents.retrieve_async(setup.id)
    assert (setup.status, setup.next_action) == ("succeeded", None)
    saved = await sandbox.stripe.v1.customers.payment_methods.list_async(customer.id)
    assert [method.id for method in saved.data] == [setup.payment_method]


async def test_a_failed_authentication_fails_the_setup(sandbox: Running) -> None:
    customer = await sandbox.stripe.v1.customers.create_async()
    setup = await set_up(sandbox, customer.id, "pm_card_authenticationRequired")

    await sandbox.control.post(
        f"/_sandbox/intents/{setup.id}/authenticate", json={"succeed": False}
    )

    setup = await sandbox.stripe.v1.setup_intents.retrieve_async(setup.id)
    assert setup.status == "requires_payment_method"
    assert setup.last_setup_error is not None
    assert setup.last_setup_error.code == "setup_intent_authentication_failure"


async def test_a_setup_is_confirmed_later_or_canceled(sandbox: Running) -> None:
    setups = sandbox.stripe.v1.setup_intents
    customer = await sandbox.stripe.v1.customers.create_async()
    first = await setups.create_async({"customer": customer.id})
    second = await setups.create_async({"customer": customer.id})
    assert first.status == "requires_payment_method"

    first = await setups.confirm_async(first.id, {"payment_method": "pm_card_amex"})
    second = await setups.cancel_async(second.id, {"cancellation_reason": "abandoned"})

    assert (first.status, second.status) == ("succeeded", "canceled")
    with pytest.raises(stripe.InvalidRequestError, match="already succeeded") as refused:
        await setups.confirm_async(first.id, {"payment_method": "pm_card_visa"})
    assert refused.value.code == "setup_intent_unexpected_state"


async def test_payment_method_types_are_gone(sandbox: Running) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await sandbox.stripe.v1.setup_intents.create_async(
            {"payment_method_types": ["card"]}  # type: ignore[arg-type]  # wrong on purpose
        )

    assert refused.value.code == "payment_method_types_no_longer_supported"


async def test_a_detached_card_is_gone_for_good(sandbox: Running) -> None:
    ada = await payer(sandbox)

    method = await sandbox.stripe.v1.payment_methods.detach_async(ada.method)

    assert method.customer is None
    assert (await happened(sandbox, method.id))[-1] == "payment_method.detached"
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        await ada.charge()
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        await sandbox.stripe.v1.payment_methods.attach_async(ada.method, {"customer": ada.customer})


async def test_a_saved_card_pays_for_its_customer_only(sandbox: Running) -> None:
    ada, bob = await payer(sandbox), await payer(sandbox)

    with pytest.raises(stripe.InvalidRequestError, match="does not have a payment method"):
        await bob.charge(payment_method=ada.method)
    with pytest.raises(stripe.InvalidRequestError, match="belongs to the Customer"):
        await ada.charge(customer=None)
    with pytest.raises(stripe.InvalidRequestError, match="already been attached"):
        await sandbox.stripe.v1.payment_methods.attach_async(ada.method, {"customer": bob.customer})


async def test_a_customer_is_changed_and_deleted(sandbox: Running) -> None:
    customers = sandbox.stripe.v1.customers
    ada = await payer(sandbox)

    changed = await customers.update_async(
        ada.customer,
        {
            "email": "ada@example.com",
            "metadata": {"plan": "a"},
            "invoice_settings": {"default_payment_method": ada.method},
        },
    )
    assert changed.metadata is not None
    assert (changed.email, changed.metadata["plan"]) == ("ada@example.com", "a")
    assert (await customers.delete_async(ada.customer)).deleted

    assert (await customers.retrieve_async(ada.customer)).deleted
    assert (await customers.list_async()).data == []
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await ada.charge()
    assert (refused.value.http_status, refused.value.code) == (400, "resource_missing")
    assert await happened(sandbox, ada.customer) == [
        "customer.created",
        "customer.updated",
        "customer.deleted",
    ]
    assert (await happened(sandbox, ada.method))[-1] == "payment_method.detached"

"""What stands in for Stripe.js, over HTTP: confirming and authenticating by a publishable key."""

from typing import Any

import msgspec
import pytest
import stripe

from stripe_sandbox.payments.published_cards import CARDS_BY_NUMBER
from tests.sandbox.paying import happened, payer
from tests.sandbox.serving import Running

HOME = "/_sandbox/stripe_js"
SECURE = "4000002500003155"


async def asked(
    sandbox: Running, name: str, status: int = 200, key: Any = "pk_test_1", **body: Any
) -> dict[str, Any]:
    """What a frame's request is answered."""
    answer = await sandbox.control.post(f"{HOME}/{name}", json={"key": key, **body})
    assert answer.status_code == status, answer.text
    content: dict[str, Any] = answer.json()
    return content


async def refused(sandbox: Running, name: str, status: int = 400, **body: Any) -> dict[str, Any]:
    error: dict[str, Any] = (await asked(sandbox, name, status, **body))["error"]
    return error


def typed(number: str, **changes: Any) -> dict[str, Any]:
    return {
        "number": number,
        "exp_month": 7,
        "exp_year": 2035,
        "cvc": "123",
        "postal_code": "94107",
        **changes,
    }


async def new_setup(sandbox: Running) -> stripe.SetupIntent:
    customer = await sandbox.stripe.v1.customers.create_async({"name": "Ada Lovelace"})
    return await sandbox.stripe.v1.setup_intents.create_async(
        {"customer": customer.id, "metadata": {"ours": "1"}}
    )


async def test_another_page_cannot_ask(sandbox: Running) -> None:
    body = {"key": "pk_test_1", "client_secret": "seti_1_secret_1"}
    for headers in ({"Origin": "http://127.0.0.1:1"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await sandbox.control.post(f"{HOME}/retrieve", json=body, headers=headers)
        assert answer.status_code == 403


@pytest.mark.parametrize(
    ("key", "status", "says"),
    [
        (None, 401, "You did not provide an API key"),
        ("sk_test_1", 403, "cannot be made with a secret API key"),
        ("pk_live_123", 401, "Invalid API Key provided: pk_live_****"),
    ],
)
async def test_only_publishable_test_keys_are_taken(
    sandbox: Running, key: str | None, status: int, says: str
) -> None:
    setup = await new_setup(sandbox)
    error = await refused(sandbox, "retrieve", status, key=key, client_secret=setup.client_secret)

    assert says in error["message"]


async def test_a_typed_card_is_saved_and_its_number_is_not_kept(sandbox: Running) -> None:
    setup = await new_setup(sandbox)
    intent = await asked(
        sandbox,
        "confirm",
        client_secret=setup.client_secret,
        card=typed("4242 4242 4242 4242"),
        billing_details={"name": "Ada", "address": {"country": "US"}, "unknown": {"a": 1}},
    )

    assert intent["status"] == "succeeded"
    assert {"customer", "metadata", "latest_attempt"}.isdisjoint(intent)
    method = await sandbox.stripe.v1.payment_methods.retrieve_async(intent["payment_method"])
    assert method.card is not None
    assert method.card.checks is not None
    assert (method.customer, method.card.last4, method.card.exp_year) == (
        setup.customer,
        "4242",
        2035,
    )
    assert (method.card.checks.cvc_check, method.card.checks.address_postal_code_check) == (
        "pass",
        "pass",
    )
    assert method.billing_details.address is not None
    assert (method.billing_details.name, method.billing_details.address.postal_code) == (
        "Ada",
        "94107",
    )
    assert await happened(sandbox, setup.id) == ["setup_intent.created", "setup_intent.succeeded"]
    assert await happened(sandbox, method.id) == ["payment_method.attached"]
    kept = msgspec.json.encode(sandbox.app.world.store.objects).decode()
    assert not any(number in kept for number in CARDS_BY_NUMBER)


async def test_a_saved_card_can_be_charged_without_its_holder(sandbox: Running) -> None:
    setup = await new_setup(sandbox)
    secret = setup.client_secret
    await asked(sandbox, "confirm", client_secret=secret, card=typed(SECURE))
    asks = await asked(sandbox, "challenge", client_secret=secret)
    assert asks == {"amount": None, "brand": "visa", "currency": None, "last4": "3155"}
    answer = await asked(sandbox, "authenticate", client_secret=secret, succeed=True)
    assert answer == {"status": "succeeded"}

    saved = await asked(sandbox, "retrieve", client_secret=secret)
    charged = await sandbox.stripe.v1.payment_intents.create_async(
        {
            "amount": 500,
            "currency": "usd",
            "customer": str(setup.customer),
            "payment_method": saved["payment_method"],
            "confirm": True,
            "off_session": True,
        }
    )
    assert charged.status == "succeeded"
    assert await happened(sandbox, setup.id) == [
        "setup_intent.created",
        "setup_intent.requires_action",
        "setup_intent.succeeded",
    ]


async def test_a_failed_challenge_ends_the_attempt_and_cannot_be_answered_again(
    sandbox: Running,
) -> None:
    setup = await new_setup(sandbox)
    secret = setup.client_secret
    await asked(sandbox, "confirm", client_secret=secret, card=typed(SECURE))

    await asked(sandbox, "authenticate", client_secret=secret, succeed=False)

    shown = await asked(sandbox, "retrieve", client_secret=secret)
    assert shown["status"] == "requires_payment_method"
    assert shown["last_setup_error"]["code"] == "setup_intent_authentication_failure"
    for name in ("challenge", "authenticate"):
        error = await refused(sandbox, name, client_secret=secret, succeed=True)
        assert error["code"] == "setup_intent_unexpected_state"
    assert "setup_intent.setup_failed" in await happened(sandbox, setup.id)


async def test_a_decline_says_why_and_shows_little_of_the_card(sandbox: Running) -> None:
    setup = await new_setup(sandbox)
    error = await refused(
        sandbox,
        "confirm",
        402,
        client_secret=setup.client_secret,
        card=typed("4000000000000002"),
    )

    assert (error["type"], error["code"], error["decline_code"]) == (
        "card_error",
        "card_declined",
        "generic_decline",
    )
    for method in (
        error["payment_method"],
        error["setup_intent"]["last_setup_error"]["payment_method"],
    ):
        assert method["card"]["last4"] == "0002"
        assert "fingerprint" not in method["card"]
        assert "metadata" not in method
    assert "metadata" not in error["setup_intent"]
    assert "setup_intent.setup_failed" in await happened(sandbox, setup.id)


@pytest.mark.parametrize(
    ("card", "code"),
    [
        (typed("4111111111111129"), "card_declined"),
        (typed("4242424242424242", exp_month=13), "invalid_expiry_month"),
        (typed("4242424242424242", exp_year=2020), "invalid_expiry_year"),
    ],
)
async def test_a_card_that_is_none_is_refused(
    sandbox: Running, card: dict[str, Any], code: str
) -> None:
    setup = await new_setup(sandbox)
    error = await refused(sandbox, "confirm", 402, client_secret=setup.client_secret, card=card)

    assert (error["type"], error["code"]) == ("card_error", code)


@pytest.mark.parametrize(
    ("secret", "status", "says"),
    [
        ("{id}_secret_other", 400, "does not match any associated SetupIntent"),
        ("seti_1_secret_1", 404, "No such setupintent: 'seti_1'"),
        ("{id}", 400, "Invalid client_secret"),
        ("cus_1_secret_1", 400, "Invalid client_secret"),
        (["{id}"], 400, "Invalid string"),
    ],
)
async def test_an_intent_opens_by_its_own_secret_only(
    sandbox: Running, secret: Any, status: int, says: str
) -> None:
    setup = await new_setup(sandbox)
    given = secret.format(id=setup.id) if isinstance(secret, str) else secret
    for name in ("retrieve", "confirm", "challenge", "authenticate"):
        error = await refused(sandbox, name, status, client_secret=given)
        assert says in error["message"]


async def test_a_card_of_somebody_else_is_refused(sandbox: Running) -> None:
    other = await payer(sandbox)
    setup = await new_setup(sandbox)
    error = await refused(
        sandbox, "confirm", client_secret=setup.client_secret, payment_method=other.method
    )

    assert "The customer does not have a payment method" in error["message"]


async def test_a_charge_can_be_authenticated_and_still_declined(sandbox: Running) -> None:
    customer = await sandbox.stripe.v1.customers.create_async()
    intent = await sandbox.stripe.v1.payment_intents.create_async(
        {"amount": 2149, "currency": "usd", "customer": customer.id}
    )
    secret = intent.client_secret
    await asked(sandbox, "confirm", client_secret=secret, card=typed("4000008260003178"))
    asks = await asked(sandbox, "challenge", client_secret=secret)
    assert (asks["amount"], asks["currency"]) == (2149, "usd")

    answer = await asked(sandbox, "authenticate", client_secret=secret, succeed=True)

    assert answer == {"status": "requires_payment_method"}
    shown = await asked(sandbox, "retrieve", client_secret=secret)
    assert shown["last_payment_error"]["decline_code"] == "insufficient_funds"
    assert "latest_charge" not in shown


async def test_a_card_told_to_ask_is_charged_once_it_is_answered(sandbox: Running) -> None:
    ada = await payer(sandbox)
    await ada.behaves_like("sandbox:requires_action")
    intent = await ada.charge()
    assert intent.status == "requires_action"

    answer = await asked(sandbox, "authenticate", client_secret=intent.client_secret, succeed=True)

    assert answer == {"status": "requires_capture"}
    assert (await ada.charge()).status == "requires_action"


async def test_what_the_server_confirms_itself_the_browser_may_not(sandbox: Running) -> None:
    intent = await sandbox.stripe.v1.payment_intents.create_async(
        {"amount": 500, "currency": "usd", "confirmation_method": "manual"}
    )
    error = await refused(
        sandbox,
        "confirm",
        client_secret=intent.client_secret,
        card=typed("4242424242424242"),
    )

    assert "cannot be confirmed using your publishable key" in error["message"]

"""Stripe's elements as the sandbox serves them, on a page of another origin with a strict policy.

After every test: no request to the page's origin, and no message its scripts could hear, carried a
card number.
"""

import os
import re
from collections.abc import Iterator

import msgspec
import pytest
import stripe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from stripe_sandbox.issuing.card_numbers import card_secrets
from tests.browser.stripe_page import (
    KEY,
    Shop,
    enter,
    fields_of,
    link,
    numbers_in,
    result_of,
    running_shop,
    watched_page,
)
from tests.browser.test_sandbox_pages import FLAGS

VISA = "4242424242424242"
DECLINED = "4000000000000002"
FAILS_LATER = "4000000000000341"
ASKS = "4000002500003155"
ALWAYS_ASKS = "4000002760003184"


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with running_shop() as shop:
        yield shop


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["CHROME"], args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, shop: Shop) -> Iterator[Page]:
    with watched_page(browser, shop) as page:
        yield page


def test_the_watch_over_numbers_sees_one() -> None:
    assert numbers_in(["a=4242 4242-4242 4242&b=4000009995002485"]) == {VISA, "4000009995002485"}
    assert numbers_in(["a=4242 4242 4242 424"]) == set()


def answer_challenge(page: Page, number: str, button: str) -> None:
    frame = page.frame_locator("dialog iframe")
    expect(frame.get_by_text(f"Visa •••• {number[-4:]}")).to_be_visible()
    frame.get_by_role("button", name=button).click()


@pytest.mark.parametrize("number", [VISA, FAILS_LATER])
def test_a_card_is_linked(page: Page, shop: Shop, number: str) -> None:
    with page.expect_request("**/_sandbox/stripe_js/confirm") as confirmed:
        setup = link(page, shop, number)

    assert numbers_in([confirmed.value.post_data or ""]) == {number}
    assert result_of(page)["setupIntent"]["status"] == "succeeded"
    saved = shop.retrieved(setup)
    assert isinstance(saved.payment_method, str)
    method = shop.client.v1.payment_methods.retrieve(saved.payment_method)
    assert method.card is not None
    assert (method.card.last4, method.card.exp_month, method.card.exp_year) == (
        number[-4:],
        12,
        2034,
    )
    assert method.billing_details.address is not None
    assert (method.customer, method.billing_details.address.postal_code) == (
        setup.customer,
        "94107",
    )
    names = page.evaluate("() => events.map(([name]) => name)")
    assert names[0] == "ready"
    last = page.evaluate("() => events.at(-1)[1]")
    assert (last["elementType"], last["complete"], last["empty"]) == ("payment", True, False)
    expect(fields_of(page).locator("#brand")).to_have_text("Visa")
    expect(fields_of(page).get_by_label("Card number")).to_have_value(
        " ".join(re.findall("....", number))
    )


def test_a_decline_has_its_code_and_another_card_may_follow(page: Page, shop: Shop) -> None:
    setup = link(page, shop, DECLINED)

    error = result_of(page)["error"]
    assert (error["type"], error["code"], error["decline_code"]) == (
        "card_error",
        "card_declined",
        "generic_decline",
    )
    assert error["message"] == "Your card was declined."
    assert error["setup_intent"]["status"] == "requires_payment_method"

    page.evaluate("() => element.clear()")
    enter(page, VISA)
    page.evaluate("() => confirm()")
    assert result_of(page)["setupIntent"]["status"] == "succeeded"
    assert shop.retrieved(setup).status == "succeeded"


def test_what_is_incomplete_is_not_sent(page: Page, shop: Shop) -> None:
    setup = shop.setup()
    page.evaluate("([key, secret]) => link(key, secret)", [KEY, setup.client_secret])
    fields = fields_of(page)
    expect(fields.get_by_label("Card number")).to_be_visible()
    fields.get_by_label("Card number").press_sequentially("4242")
    page.evaluate("() => confirm()")

    assert result_of(page)["error"] == {
        "type": "validation_error",
        "code": "incomplete_number",
        "message": "Your card number is incomplete.",
    }
    expect(fields.get_by_text("Your card number is incomplete.")).to_be_visible()
    expect(fields.get_by_text("Your card's security code is incomplete.")).to_be_visible()
    # Whether a window of a headless browser has the focus as well is not the script's to say.
    assert fields.locator("body").evaluate("() => document.activeElement.id") == "number"

    for number, expiry, code in (
        ("4242424242424241", "1234", "invalid_number"),
        (VISA, "1220", "invalid_expiry_year_past"),
        (VISA, "1334", "invalid_expiry_month"),
    ):
        page.evaluate("() => element.clear()")
        enter(page, number, expiry)
        assert page.evaluate("() => elements.submit()")["error"]["code"] == code
    assert shop.retrieved(setup).latest_attempt is None


@pytest.mark.parametrize("number", [ASKS, ALWAYS_ASKS])
def test_a_challenge_that_is_passed_links_the_card(page: Page, shop: Shop, number: str) -> None:
    setup = link(page, shop, number)
    answer_challenge(page, number, "Complete")

    assert result_of(page)["setupIntent"]["status"] == "succeeded"
    assert shop.retrieved(setup).status == "succeeded"
    expect(page.locator("dialog")).to_have_count(0)


def test_a_challenge_that_is_failed_links_nothing(page: Page, shop: Shop) -> None:
    setup = link(page, shop, ASKS)
    answer_challenge(page, ASKS, "Fail")

    error = result_of(page)["error"]
    assert error["code"] == "setup_intent_authentication_failure"
    assert error["message"].startswith("We are unable to authenticate your payment method.")
    assert shop.retrieved(setup).status == "requires_payment_method"


def test_without_if_required_the_page_is_left_for_the_return_address(
    page: Page, shop: Shop
) -> None:
    setup = shop.setup()
    page.evaluate("([key, secret]) => link(key, secret)", [KEY, setup.client_secret])
    enter(page, VISA)
    page.evaluate("() => confirm({})")

    page.wait_for_url(
        f"**/back?setup_intent={setup.id}&setup_intent_client_secret={setup.client_secret}"
        "&redirect_status=succeeded"
    )


def test_an_intent_that_cannot_be_opened_is_a_load_error(page: Page, shop: Shop) -> None:
    for secret in ("seti_none_secret_1", f"{shop.setup().id}_secret_wrong"):
        page.evaluate("([key, secret]) => link(key, secret)", [KEY, secret])
        page.wait_for_function("() => events.some(([name]) => name === 'loaderror')")
        error = page.evaluate("() => events.pop()[1].error")
        assert error["type"] == "invalid_request_error"
        page.evaluate("() => element.destroy()")


def test_a_charge_the_bank_wants_confirmed_is_authenticated(page: Page, shop: Shop) -> None:
    customer = shop.client.v1.customers.create({"name": "Ada Lovelace"})
    method = shop.client.v1.payment_methods.attach(
        "pm_card_authenticationRequired", {"customer": customer.id}
    )
    with pytest.raises(stripe.CardError) as refused:
        shop.client.v1.payment_intents.create(
            {
                "amount": 2149,
                "currency": "usd",
                "customer": customer.id,
                "payment_method": method.id,
                "capture_method": "manual",
                "confirm": True,
                "off_session": True,
            }
        )
    assert refused.value.code == "authentication_required"
    (intent,) = shop.client.v1.payment_intents.list({"customer": customer.id}).data

    page.evaluate(
        """([key, secret, method]) => {
          stripe = Stripe(key);
          result = stripe.confirmCardPayment(secret, { payment_method: method });
        }""",
        [KEY, intent.client_secret, method.id],
    )
    frame = page.frame_locator("dialog iframe")
    expect(frame.get_by_text("$21.49")).to_be_visible()
    frame.get_by_role("button", name="Complete").click()

    assert result_of(page)["paymentIntent"]["status"] == "requires_capture"
    assert "customer" not in result_of(page)["paymentIntent"]
    assert shop.client.v1.payment_intents.retrieve(intent.id).amount_capturable == 2149


def test_an_intent_that_waits_is_taken_up_and_can_be_failed(page: Page, shop: Shop) -> None:
    customer = shop.client.v1.customers.create({"name": "Ada Lovelace"})
    intent = shop.client.v1.payment_intents.create(
        {
            "amount": 500,
            "currency": "usd",
            "customer": customer.id,
            "payment_method": "pm_card_authenticationRequired",
            "confirm": True,
        }
    )
    assert intent.status == "requires_action"

    page.evaluate(
        "([key, clientSecret]) => { result = Stripe(key).handleNextAction({ clientSecret }); }",
        [KEY, intent.client_secret],
    )
    page.frame_locator("dialog iframe").get_by_role("button", name="Fail").click()

    assert result_of(page)["error"]["code"] == "payment_intent_authentication_failure"
    assert result_of(page)["error"]["payment_intent"]["status"] == "requires_payment_method"
    shown = page.evaluate(
        "([key, secret]) => Stripe(key).retrievePaymentIntent(secret)", [KEY, intent.client_secret]
    )
    assert shown["paymentIntent"]["id"] == intent.id


def test_number_and_cvc_are_shown_and_copied(page: Page, shop: Shop) -> None:
    card = shop.issue_card()
    secrets = card_secrets(card)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])

    retrieved = page.evaluate("([key, card]) => reveal(key, card)", [KEY, card])

    assert retrieved["issuingCard"]["cardholder"]["name"] == "Ada Lovelace"
    assert numbers_in([msgspec.json.encode(retrieved).decode()]) == set()
    number = page.frame_locator("#number iframe").locator("#value")
    expect(number).to_have_text(" ".join(re.findall("....", secrets["number"])))
    expect(number).to_have_css("font-size", "20px")
    expect(page.frame_locator("#cvc iframe").locator("#value")).to_have_text(secrets["cvc"])
    expect(page.frame_locator("#expiry iframe").locator("#value")).to_have_text(
        re.compile(r"^\d\d/\d\d$")
    )
    page.frame_locator("#copy iframe").get_by_role("button", name="Copy card number").click()
    page.wait_for_function("() => events.some(([name]) => name === 'copied')")
    assert page.evaluate("() => navigator.clipboard.readText()") == secrets["number"]
    assert page.evaluate("() => { try { return frames[0].document } catch { return 'kept' } }") == (
        "kept"
    )


def test_a_used_up_key_shows_nothing(page: Page, shop: Shop) -> None:
    card, other = shop.issue_card(), shop.issue_card()
    refusal = page.evaluate(
        """async ([key, card, other]) => {
          const stripe = Stripe(key);
          const { nonce } = await stripe.createEphemeralKeyNonce({ issuingCard: card });
          const { secret: ephemeralKeySecret } = await post("/key", { nonce, card });
          return stripe.retrieveIssuingCard(other, { nonce, ephemeralKeySecret });
        }""",
        [KEY, card, other],
    )
    assert "does not have access" in refusal["error"]["message"]
    error = page.evaluate(
        "([key]) => Stripe(key).createEphemeralKeyNonce({ issuingCard: 'ic_none' })", [KEY]
    )
    assert error["error"]["code"] == "resource_missing"

"""What a page does to Stripe's elements: mistakes, looks, a lost connection, and prying."""

import os
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.stripe_page import (
    KEY,
    Shop,
    fields_of,
    link,
    result_of,
    running_shop,
    watched_page,
)
from tests.browser.test_sandbox_pages import FLAGS


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


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("Stripe('sk_test_1')", "You should not use your secret key"),
        ("Stripe()", "publishable key"),
        ("Stripe('pk_test_1').elements().create('payment')", "you must pass a clientSecret"),
        ("Stripe('pk_test_1').elements().create('nonsense')", "A valid Element name"),
        (
            "Stripe('pk_test_1').elements({clientSecret: '1'}).create('payment').mount('#nowhere')",
            "no DOM elements",
        ),
    ],
)
def test_a_mistake_in_the_page_is_thrown(page: Page, code: str, says: str) -> None:
    thrown = page.evaluate(
        f"() => {{ try {{ {code} }} catch (error) {{ return [error.name, error.message] }} }}"
    )
    assert thrown[0] == "IntegrationError"
    assert says in thrown[1]


@pytest.mark.parametrize(
    ("theme", "scheme", "ground"),
    [("stripe", "light", "rgb(255, 255, 255)"), ("night", "dark", "rgb(48, 49, 61)")],
)
def test_the_fields_wear_the_appearance(
    page: Page, shop: Shop, theme: str, scheme: str, ground: str
) -> None:
    appearance = {
        "theme": theme,
        "variables": {"borderRadius": "11px"},
        "rules": {".Label": {"fontWeight": "700"}},
    }
    page.evaluate(
        "([key, secret, appearance]) => link(key, secret, appearance)",
        [KEY, shop.setup().client_secret, appearance],
    )
    number = fields_of(page).get_by_label("Card number")
    expect(number).to_have_css("background-color", ground)
    expect(number).to_have_css("border-radius", "11px")
    expect(fields_of(page).locator("label").first).to_have_css("font-weight", "700")
    expect(page.locator("#element iframe")).to_have_css("color-scheme", scheme)
    expect(page.locator("#element iframe")).to_have_attribute("title", re.compile("Secure payment"))


def test_an_answer_that_does_not_come_is_an_error_too(page: Page, shop: Shop) -> None:
    page.route("**/_sandbox/stripe_js/confirm", lambda route: route.abort())
    setup = link(page, shop, "4242424242424242")

    assert result_of(page)["error"]["type"] == "api_connection_error"
    page.unroute_all()
    page.evaluate("() => confirm()")
    assert result_of(page)["setupIntent"]["id"] == setup.id
    read = page.evaluate("(secret) => stripe.retrieveSetupIntent(secret)", setup.client_secret)
    assert read["setupIntent"]["status"] == "succeeded"
    assert {"customer", "metadata"}.isdisjoint(read["setupIntent"])


def test_a_page_that_asks_a_display_for_its_value_is_not_told(page: Page, shop: Shop) -> None:
    page.evaluate("([key, card]) => reveal(key, card)", [KEY, shop.issue_card()])
    page.wait_for_function("() => events.filter(([name]) => name !== 'copied').length === 3")

    page.evaluate(
        """async () => {
          const asks = { wanted: "number", group: elements.id };
          for (let index = 0; index < frames.length; index += 1) {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = ({ data }) => heard.push(JSON.stringify(data));
            frames[index].postMessage(asks, "*");
            frames[index].postMessage({ stripe: asks, ...asks }, "*", [port2]);
            port1.postMessage({ id: 1, what: "issuing_card_field", details: asks });
          }
          await new Promise((resolve) => setTimeout(resolve, 500));
        }"""
    )
    assert page.evaluate("() => heard") == []

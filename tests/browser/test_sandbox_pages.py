"""The sandbox's own pages in a browser: paying, what stays open, and what is refused."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import msgspec
import pytest
import stripe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.sandbox.people import ADA
from tests.serving import free_port

PATIENCE_MS = 8000
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


class Product(BaseHTTPRequestHandler):
    """Approves what costs less than 250.00."""

    def do_POST(self) -> None:
        event = msgspec.json.decode(self.rfile.read(int(self.headers["Content-Length"])))
        amount = event["data"]["object"]["pending_request"]["amount"]
        body = msgspec.json.encode({"approved": amount < 250_00})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Stripe-Version", "2026-10-28.endive")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module")
def product() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Product)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def address(product: str) -> Iterator[str]:
    """A sandbox of one customer with a card and a saved card, whose purchases `product` decides."""
    port = free_port()
    command = [sys.executable, "-m", "stripe_sandbox", "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command) as process:  # noqa: S603  this interpreter and a free port
        transport = httpx.HTTPTransport(retries=8)
        with httpx.Client(transport=transport, base_url=url) as control:
            control.get("/_sandbox/health").raise_for_status()
            settings = {
                "authorization_webhook_url": product,
                "authorization_webhook_secret": "whsec_browser",
            }
            control.post("/_sandbox/settings", json=settings).raise_for_status()
        issue_card(url)
        yield url
        process.terminate()


def issue_card(url: str) -> None:
    client = stripe.StripeClient("sk_test_browser", base_addresses={"api": url})
    customer = client.v1.customers.create({"name": "Ada Lovelace"})
    client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    cardholder = client.v1.issuing.cardholders.create(ADA)
    client.v1.issuing.cards.create(
        {"cardholder": cardholder.id, "currency": "usd", "type": "virtual", "status": "active"}
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["CHROME"], args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page that must not log an error of its own."""
    page = browser.new_page(base_url=address)
    page.set_default_timeout(PATIENCE_MS)
    mistakes: list[str] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    yield page
    page.close()
    assert mistakes == []


def test_a_purchase_is_paid_enlarged_and_captured(page: Page) -> None:
    page.goto("/_sandbox/")
    page.get_by_role("button", name="Pay 19.99 USD").click()
    outcome = page.locator("#outcome")
    expect(outcome).to_contain_text("Approved")
    expect(outcome).to_contain_text("webhook_approved")
    expect(outcome).to_contain_text("ms")
    row = page.locator("tbody[data-key]").first
    row.get_by_label("Amount for Blue Bottle Coffee").fill("5")
    row.get_by_role("button", name="Increment").click()
    expect(row).to_contain_text("24.99 USD")
    row.get_by_label("Amount for Blue Bottle Coffee").fill("20.00")
    row.get_by_role("button", name="Capture").click()
    expect(row).to_contain_text("captured 20.00 USD")
    expect(row.get_by_role("button", name="Capture")).to_have_count(0)


def test_a_decline_says_why_and_its_row_stays_open(page: Page) -> None:
    page.goto("/_sandbox/")
    page.get_by_role("button", name="Hotel Belvedere").click()
    page.get_by_role("button", name="Pay 300.00 USD").click()
    expect(page.locator("#outcome")).to_contain_text("The product declined.")
    row = page.locator("tbody[data-key]").first
    row.get_by_role("button", name="Hotel Belvedere").click()
    expect(row.locator(".more")).to_contain_text("webhook_declined")
    page.get_by_role("button", name="Blue Bottle").first.click()
    page.get_by_role("button", name="Pay 19.99 USD").click()
    opened = page.locator("tbody", has_text="Hotel Belvedere").first
    expect(page.locator("tbody[data-key]").first).to_contain_text("Blue Bottle")
    expect(opened.locator(".more")).to_be_visible()


def test_an_amount_that_is_none_is_refused_before_anything_is_sent(page: Page) -> None:
    page.goto("/_sandbox/")
    for wrong in ("abc", "19.999", "-1"):
        page.get_by_role("textbox", name="Amount", exact=True).fill(wrong)
        page.get_by_role("button", name="Pay").click()
        expect(page.get_by_role("alert")).to_contain_text(f"not “{wrong}”")


def test_deliveries_show_what_was_sent_and_answered(page: Page) -> None:
    page.goto("/_sandbox/")
    page.get_by_role("button", name="Pay 19.99 USD").click()
    expect(page.locator("#outcome")).to_contain_text("Approved")
    page.get_by_role("link", name="Deliveries").click()
    page.wait_for_url("**/pages/deliveries")  # loaded, its script included
    page.get_by_label("Type").select_option("issuing_authorization.request")
    expect(page).to_have_url(re.compile("type=issuing_authorization.request"))
    others = page.locator(".expand").filter(has_not_text="issuing_authorization.request")
    expect(others).to_have_count(0)
    page.get_by_role("button", name="issuing_authorization.request").first.click()
    expect(page.locator(".bodies").first).to_contain_text('"approved": true')
    expect(page.locator(".bodies").first).to_contain_text('"pending_request"')


def test_faults_are_armed_and_cleared_and_a_saved_card_is_told_to_decline(page: Page) -> None:
    page.goto("/_sandbox/pages/faults")
    page.get_by_role("button", name="The bank takes 3 seconds").click()
    expect(page.get_by_role("cell", name="wait 3000 ms, then answer")).to_be_visible()
    expect(page.get_by_role("link", name="1 fault armed")).to_be_visible()
    page.get_by_role("button", name="Clear all").click()
    expect(page.get_by_text("No fault is armed")).to_be_visible()
    like = page.get_by_label("What visa 4242 of Ada Lovelace behaves like")
    like.select_option("pm_card_chargeDeclinedExpiredCard")
    expect(page.get_by_text("From now on it behaves like")).to_be_visible()
    page.reload()
    expect(like).to_have_value("pm_card_chargeDeclinedExpiredCard")


def test_the_clock_moves_and_a_reset_asks_first(page: Page) -> None:
    page.goto("/_sandbox/pages/clock")
    page.get_by_role("button", name="+ 1 day").click()
    expect(page.get_by_text("1 d ahead of this machine")).to_be_visible()
    page.get_by_label("Wait before every answer").fill("-5")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_have_count(0)
    page.get_by_role("button", name="Reset …").click()
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_text("1 d ahead of this machine")).to_be_visible()
    page.get_by_role("button", name="Reset …").click()
    page.get_by_role("dialog").get_by_role("button", name="Reset").click()
    expect(page.get_by_text("No card has been issued yet")).to_be_visible()

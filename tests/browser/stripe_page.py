"""A page of another origin than the sandbox's that uses Stripe's elements, and a watch over it."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import msgspec
import stripe
from playwright.sync_api import Browser, FrameLocator, Locator, Page, Request, expect

from stripe_sandbox.payments.published_cards import CARDS_BY_NUMBER
from tests.browser.test_sandbox_pages import PATIENCE_MS
from tests.sandbox.people import ADA
from tests.serving import free_port

KEY = "pk_test_browser"
# A refusal is told by the browser itself in its console.
EXPECTED = re.compile(r"^Failed to load resource: (the server responded .* 40\d|net::ERR_FAILED)")
DIGITS = re.compile(r"\d")
TYPINGS = 5
COMPLETE = "() => events.findLast(([name]) => name === 'change')?.[1].complete"
SCRIPT = Path(__file__).with_name("stripe_page.js")
HTML = """<!doctype html><html lang="en"><title>Page</title>
<script src="{sandbox}/_sandbox/stripe.js"></script><script src="/page.js"></script>
<div id="element"></div><div id="number"></div><div id="cvc"></div><div id="expiry"></div>
<div id="copy"></div>"""


@dataclass
class Shop:
    """The page's server: it keeps what it was sent, and speaks to Stripe with its secret key."""

    sandbox: str
    url: str = ""
    received: list[str] = field(default_factory=list)

    @property
    def client(self) -> stripe.StripeClient:
        return stripe.StripeClient("sk_test_browser", base_addresses={"api": self.sandbox})

    def answer(self, path: str, body: bytes) -> tuple[str, str]:
        if path == "/page.js":
            return "text/javascript", SCRIPT.read_text(encoding="utf-8")
        if path == "/key":
            given = msgspec.json.decode(body)
            key = self.client.v1.ephemeral_keys.create(
                {"issuing_card": given["card"], "nonce": given["nonce"]}
            )
            return "application/json", msgspec.json.encode({"secret": key.secret}).decode()
        return "text/html", HTML.format(sandbox=self.sandbox)

    def setup(self) -> stripe.SetupIntent:
        customer = self.client.v1.customers.create({"name": "Ada Lovelace"})
        return self.client.v1.setup_intents.create(
            {
                "customer": customer.id,
                "allowed_payment_method_types": ["card"],
                "usage": "off_session",
            }
        )

    def retrieved(self, setup: stripe.SetupIntent) -> stripe.SetupIntent:
        return self.client.v1.setup_intents.retrieve(setup.id)

    def issue_card(self) -> str:
        cardholder = self.client.v1.issuing.cardholders.create(ADA)
        return self.client.v1.issuing.cards.create(
            {"cardholder": cardholder.id, "currency": "usd", "type": "virtual", "status": "active"}
        ).id


def handler_of(shop: Shop) -> type[BaseHTTPRequestHandler]:
    policy = (
        f"default-src 'none'; script-src 'self' {shop.sandbox}; frame-src {shop.sandbox}; "
        "connect-src 'self'"
    )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            shop.received.append(f"{self.requestline}\n{self.headers}\n{body.decode()}")
            content_type, text = shop.answer(self.path, body)
            self.send_response(200)
            self.send_header("Content-Type", f"{content_type}; charset=utf-8")
            self.send_header("Content-Security-Policy", policy)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_arguments: object) -> None:
            """Keep quiet."""

    return Handler


@contextmanager
def running_shop() -> Iterator[Shop]:
    """A sandbox of its own, and the page's server on another port."""
    port = free_port()
    command = [sys.executable, "-m", "stripe_sandbox", "--port", str(port)]
    with subprocess.Popen(command) as process:  # noqa: S603  this interpreter and a free port
        shop = Shop(f"http://127.0.0.1:{port}")
        with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
            client.get(shop.sandbox + "/_sandbox/health").raise_for_status()
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(shop))
        shop.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield shop
        server.shutdown()
        thread.join()
        server.server_close()
        process.terminate()


@contextmanager
def watched_page(browser: Browser, shop: Shop) -> Iterator[Page]:
    """The shop's page, whose scripts must not fail and whose origin must not see a number."""
    context = browser.new_context(base_url=shop.url)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    mistakes: list[str] = []
    asked: list[Request] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    page.on("console", lambda line: mistakes.append(line.text))
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108  a builtin cannot be marked
    shop.received.clear()
    page.goto("/")
    yield page
    heard = page.evaluate("() => [...heard, ...events.map((event) => JSON.stringify(event))]")
    page.close()
    context.close()
    assert [line for line in mistakes if not EXPECTED.search(line)] == []
    assert numbers_in(shop.received) == set()
    assert numbers_in(heard) == set()
    # The only request with a number is the confirmation, which a frame sends to its own origin.
    carried = {one.url for one in asked if numbers_in([one.url, one.post_data or ""])}
    assert carried <= {f"{shop.sandbox}/_sandbox/stripe_js/confirm"}


def numbers_in(texts: list[str]) -> set[str]:
    """The published and the issued card numbers in these texts, whatever stands between digits."""
    known = set(CARDS_BY_NUMBER)
    joined = [re.sub(r"(?<=\d)[ -]+(?=\d)", "", text) for text in texts]
    issued = {number for text in joined for number in re.findall(r"400000999\d{7}", text)}
    return issued | {number for number in known for text in joined if number in text}


def fields_of(page: Page) -> FrameLocator:
    return page.frame_locator("#element iframe")


def enter(page: Page, number: str, expiry: str = "1234", cvc: str = "123") -> None:
    """Type a card where a customer would, key by key."""
    fields = fields_of(page)
    expect(fields.get_by_label("Card number")).to_be_visible()
    for label, typed in (
        ("Card number", number),
        ("Expiration date", expiry),
        ("Security code", cvc),
        ("ZIP or postal code", "94107"),
    ):
        type_in(fields.get_by_label(label), typed)


def type_in(field: Locator, typed: str) -> None:
    """Type into a field of a frame, and again where keys went astray.

    The frame is another process. That it has the focus now, a busy browser learns after the first
    keys; those go to the page around it.
    """
    for _ in range(TYPINGS):
        field.press_sequentially(typed)
        if len(DIGITS.findall(field.input_value())) >= len(DIGITS.findall(typed)):
            return
        field.clear()
    raise AssertionError(f"{TYPINGS} times not all of {len(typed)} keys came")


def link(page: Page, shop: Shop, number: str) -> stripe.SetupIntent:
    """Open the Payment Element on a new SetupIntent, type a card, and confirm.

    What is typed goes through another process: the element itself says when it has all of it.
    """
    setup = shop.setup()
    page.evaluate("([key, secret]) => link(key, secret)", [KEY, setup.client_secret])
    enter(page, number)
    page.wait_for_function(COMPLETE)
    page.evaluate("() => confirm()")
    return setup


def result_of(page: Page) -> Any:
    result = page.evaluate("() => result")
    assert numbers_in([msgspec.json.encode(result).decode()]) == set()
    return result

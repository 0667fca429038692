"""What every page of the portal has in common: headers, tokens, origins, failures, no leak."""

import re

import httpx
import pytest

from app.asgi import WEB
from app.portal.routes import PAGES
from tests.portal import browser, customer, form_token_on, send, signed_up
from tests.product import Product
from tests.serving import http_client

UNSAFE = sorted(
    re.sub(r"\{\w+:uuid\}", "0193b1f0-0000-7000-8000-000000000000", path)
    for page in PAGES
    for path in page.paths  # type: ignore[union-attr]  # all are handlers
    if page.http_methods == {"POST"}  # type: ignore[union-attr]
)
OPEN_PAGES = ("/", "/sign-in", "/sign-up", "/forgot", "/reset", "/verify", "/terms", "/nothing")


def test_every_form_is_known_to_these_tests() -> None:
    assert len(UNSAFE) == 38
    assert len(WEB) == 3


async def test_no_change_without_the_sessions_own_token(product: Product) -> None:
    async with signed_up(product) as client, signed_up(product, "grace@example.com") as other:
        theirs = form_token_on(await other.get("/settings"))
        for path in UNSAFE:
            for token in ("", "0" * 64, theirs):
                refused = await client.post(path, data={"form_token": token})
                assert refused.status_code == 403, path
        assert "before you signed in or out" in refused.text
        assert (await client.get("/settings")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {},
    ],
)
async def test_no_change_that_another_site_set_off(
    product: Product, headers: dict[str, str]
) -> None:
    async with signed_up(product) as client:
        token = form_token_on(await client.get("/settings"))
        cookies = dict(client.cookies.items())
    async with http_client(product.settings.app_url, cookies=cookies) as bare:
        for path in UNSAFE:
            refused = await bare.post(path, data={"form_token": token}, headers=headers)
            assert refused.status_code == 403, path
        own = {"Origin": product.settings.app_url}
        assert (await bare.post("/sign-out", data={"form_token": token}, headers=own)).is_redirect


async def test_no_page_changes_anything_by_get(product: Product) -> None:
    async with signed_up(product) as client:
        for path in UNSAFE:
            found = await client.get(path)
            assert found.status_code in {200, 303}, path
        assert (await client.get("/settings")).status_code == 200


async def test_every_answer_keeps_the_browser_strict(product: Product) -> None:
    async with browser(product) as client:
        nonces = set()
        for path in OPEN_PAGES:
            page = await client.get(path)
            policy = page.headers["content-security-policy"]
            [nonce] = re.findall(r"script-src 'nonce-([\w-]{22})';", policy)
            nonces.add(nonce)
            assert set(re.findall(r'nonce="([^"]+)"', page.text)) == {nonce}
            for part in ("default-src 'none'", "base-uri 'none'", "object-src 'none'"):
                assert part in policy
            assert "frame-ancestors 'none'" in policy
            assert page.headers["x-content-type-options"] == "nosniff"
            assert page.headers["referrer-policy"] == "same-origin"
            assert page.headers["cross-origin-opener-policy"] == "same-origin"
            assert page.headers["cache-control"] == "no-store"
            assert "access-control-allow-origin" not in page.headers
            assert not re.search(r"<script(?![^>]* src=)|\sstyle=|\son\w+=|javascript:", page.text)
        assert len(nonces) == len(OPEN_PAGES)


async def test_files_are_addressed_by_what_is_in_them(product: Product) -> None:
    async with browser(product) as client:
        page = await client.get("/")
        files = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
        assert {file.rpartition("/")[2] for file in files} == {
            *("mark.svg", "portal.css", "portal.js", "quote.js")
        }
        size = 0
        for file in set(files):
            found = await client.get(file)
            assert found.headers["cache-control"] == "public, max-age=31536000, immutable"
            size += len(found.content)
        assert size < 60_000
        assert (await client.get("/static/000000000000/portal.css")).status_code == 404
        assert (await client.get("/static/000000000000/..%2fguard.py")).status_code == 404


class TestFailures:
    async def test_say_what_happened_and_name_the_request(self, product: Product) -> None:
        async with browser(product) as client:
            for method, path, status in (
                ("GET", "/nothing/here", 404),
                ("POST", "/nothing/here", 404),
                ("GET", "/cards/what-is-no-id", 404),
                ("POST", "/purchases/what-is-no-id/allow-once", 404),
                ("POST", "/sign-in", 403),
            ):
                page = await client.request(method, path)
                assert page.status_code == status, path
                assert page.headers["content-type"].startswith("text/html")
                assert page.headers["x-request-id"] in page.text
                assert 'href="/dashboard"' in page.text
                assert page.headers["x-content-type-options"] == "nosniff", path
                assert "default-src 'none'" in page.headers["content-security-policy"], path

    async def test_a_form_that_is_too_large_is_refused(self, product: Product) -> None:
        async with browser(product) as client:
            token = form_token_on(await client.get("/sign-in"))
            fields = {"form_token": token, "email": "x" * 70_000}
            assert (await client.post("/sign-in", data=fields)).status_code == 413

    async def test_an_error_of_ours_tells_nothing_of_itself(self, product: Product) -> None:
        await product.as_owner("ALTER TABLE price_plan RENAME TO hidden_plan")
        async with browser(product) as client:
            page = await client.get("/")
        assert page.status_code == 500
        assert page.headers["x-request-id"] in page.text
        assert "price_plan" not in page.text
        assert "content-security-policy" in page.headers

    async def test_a_forwarded_address_counts_for_nothing(self, product: Product) -> None:
        async with browser(product) as client:
            forged = {"X-Forwarded-For": "198.51.100.7"}
            client.headers.update(forged)
            await send(client, "/sign-in", {"email": "a@example.com", "password": "wrong"})
            assert (await client.get("/mailbox")).status_code == 404
        [kept] = await product.rows("SELECT address FROM attempt")
        assert kept["address"] == "127.0.0.1"


async def test_two_customers_see_nothing_of_each_other(product: Product) -> None:
    async with customer(product) as ada, customer(product, "grace@example.com") as grace:
        for client, other in ((ada, "grace@example.com"), (grace, "ada@example.com")):
            for page in await crawl(client):
                assert other not in page.text, page.url


async def crawl(client: httpx.AsyncClient) -> list[httpx.Response]:
    """Follow every link from the dashboard, but for the mailbox and the back office."""
    seen, waiting, pages = set(), ["/dashboard"], []
    while waiting:
        path = waiting.pop()
        if path in seen or path.startswith(("/mailbox", "/admin", "/static")):
            continue
        seen.add(path)
        page = await client.get(path, follow_redirects=True)
        assert page.status_code == 200, path
        pages.append(page)
        waiting += re.findall(r'href="(/[^"#]*)"', page.text)
    assert len(pages) >= 4
    return pages

"""Ways into the portal: browsers, people who have signed up, and the letters they were sent."""

import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
from sqlalchemy import select

from app.domain.identity.audit import Actor
from app.domain.identity.credential_models import Credential
from app.domain.identity.customer_sessions import Browser, start
from app.domain.identity.models import Customer
from tests.factories import CredentialFactory
from tests.product import Product
from tests.serving import http_client
from tests.waiting import until

PASSWORD = "tulips on the window sill"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
COOKIE = "proxycard_customer"
EMAIL = "ada@example.com"
IDENTITY = {
    "first_name": "Ada",
    "last_name": "Byron",
    "birth_date": "1990-12-10",
    "phone": "(415) 555-0142",
    "address_line1": "12 Analytical Row",
    "address_line2": "",
    "city": "San Francisco",
    "region": "CA",
    "postal_code": "94110",
    "country": "US",
}


@asynccontextmanager
async def browser(product: Product, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """Give a browser that nobody has signed in with; its requests start at the product's pages."""
    url = product.settings.app_url
    async with http_client(url, headers=SAME_ORIGIN | headers, timeout=30) as client:
        yield client


def form_token_on(page: httpx.Response) -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]{64})"', page.text)
    assert found, page.text
    return found[1]


async def send(
    client: httpx.AsyncClient, path: str, fields: dict[str, str], *, opened: str = ""
) -> httpx.Response:
    """Open a page with a form, and send the form as a browser does."""
    page = await client.get(opened or path)
    return await client.post(path, data={"form_token": form_token_on(page), **fields})


async def act(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """Send a form of which only the token and these fields matter."""
    token = form_token_on(await client.get("/settings"))
    return await client.post(path, data={"form_token": token, **fields})


async def letters(product: Product, kind: str, *, at_least: int = 1) -> list[dict[str, Any]]:
    """Give the letters of a kind, oldest first, once so many were written and taken."""
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        found[:] = await product.rows(
            "SELECT * FROM mail WHERE kind = :kind AND state <> 'waiting' ORDER BY id", kind=kind
        )
        return len(found) >= at_least

    await until(there, why=f"{at_least} letters of the kind {kind}")
    return found


def link_in(letter: dict[str, Any]) -> str:
    """Give the path of the link in a letter."""
    found = re.search(r"\{site\}(/[a-z-]+\?token=\{token\})", letter["text"])
    assert found, letter["text"]
    path: str = found[1]
    return path.replace("{token}", letter["secret"])


async def sign_up(
    product: Product, client: httpx.AsyncClient, email: str = EMAIL, password: str = PASSWORD
) -> None:
    """Sign up, confirm, and so be signed in."""
    before = len(await product.rows("SELECT 1 FROM mail WHERE kind = 'verify_email'"))
    asked = await send(client, "/sign-up", {"email": email, "password": password})
    assert asked.status_code == 200, asked.text
    link = link_in((await letters(product, "verify_email", at_least=before + 1))[-1])
    token = link.partition("token=")[2]
    entered = await send(client, "/verify", {"token": token, "password": password}, opened=link)
    assert entered.headers["location"] == "/onboarding", entered.text


async def sign_in(
    client: httpx.AsyncClient, email: str = EMAIL, password: str = PASSWORD, **fields: str
) -> httpx.Response:
    return await send(client, "/sign-in", {"email": email, "password": password, **fields})


async def onboard(client: httpx.AsyncClient, **changed: str) -> httpx.Response:
    """Say who one is and accept the terms."""
    told = await send(client, "/onboarding/identity", IDENTITY | changed, opened="/onboarding")
    assert told.status_code == 303, told.text
    return await accept_terms(client)


async def accept_terms(client: httpx.AsyncClient) -> httpx.Response:
    page = await client.get("/onboarding")
    shown = re.search(r'name="shown" value="([0-9a-f.]+)"', page.text)
    assert shown, page.text
    fields = {"form_token": form_token_on(page), "shown": shown[1], "agree": "yes"}
    return await client.post("/onboarding/terms", data=fields)


@asynccontextmanager
async def signed_up(product: Product, email: str = EMAIL) -> AsyncIterator[httpx.AsyncClient]:
    """Give the browser of a person who has just signed up."""
    async with browser(product) as client:
        await sign_up(product, client, email)
        yield client


@asynccontextmanager
async def customer(product: Product, email: str = EMAIL) -> AsyncIterator[httpx.AsyncClient]:
    """Give the browser of a person who has become a customer."""
    async with signed_up(product, email) as client:
        done = await onboard(client)
        assert done.status_code == 303, done.text
        yield client


@asynccontextmanager
async def entered(product: Product, person: Customer) -> AsyncIterator[httpx.AsyncClient]:
    """Give the browser of a customer that the domain has made, signed in just now."""
    now, key = datetime.now(UTC), secrets.token_urlsafe(8)
    async with product.parts.sessions.begin() as session:
        credential = await session.scalar(
            select(Credential).where(Credential.customer_id == person.id)
        )
        if credential is None:
            credential = CredentialFactory.build(email=person.email, customer_id=person.id)
            session.add(credential)
            await session.flush()
        actor = Actor("visitor", None, "127.0.0.1")
        token = await start(session, credential, Browser(key, "tests"), actor=actor, now=now)
    async with browser(product) as client:
        client.cookies.set(COOKIE, token)
        yield client


async def begin_linking(client: httpx.AsyncClient, **changed: str) -> httpx.Response:
    """Agree to be charged, as the step of the onboarding and the page of linked cards ask it."""
    page = await client.get("/funding/link")
    fields = {name: hidden_on(page, name) for name in ("form_token", "once", "shown")}
    return await client.post("/funding/link", data=fields | {"agree": "yes"} | changed)


async def setup_on(client: httpx.AsyncClient, address: str) -> str:
    """Open a page with Stripe's fields; give the SetupIntent that they would confirm."""
    page = await client.get(address)
    found = re.search(r'data-secret="(seti_[A-Za-z0-9]+)_secret_', page.text)
    assert found, page.text
    return found[1]


async def finish_linking(client: httpx.AsyncClient, address: str) -> httpx.Response:
    page = await client.get("/settings")
    return await client.post(f"{address}/finish", data={"form_token": form_token_on(page)})


async def link_card(
    product: Product, client: httpx.AsyncClient, card: str = "pm_card_visa"
) -> httpx.Response:
    """Link a test card; the typing and the bank's question are left out."""
    begun = await begin_linking(client)
    assert begun.status_code == 303, begun.text
    address = begun.headers["location"]
    setup = await setup_on(client, address)
    await product.call("POST", f"/v1/setup_intents/{setup}/confirm", payment_method=card)
    return await finish_linking(client, address)


def hidden_on(page: httpx.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]

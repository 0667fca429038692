"""Ways into the back office: members of staff, and browsers that have signed in as them."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from app.domain.identity.audit import SYSTEM
from app.domain.identity.models import Staff
from app.domain.identity.staff import add_staff
from app.domain.identity.states import Role
from tests.product import Product

PASSWORD = "correct horse battery"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
COOKIE = "proxycard_staff"


async def member(product: Product, *roles: Role, email: str = "grace@example.com") -> Staff:
    """Add a member of staff whose password is PASSWORD."""
    async with product.parts.sessions.begin() as session:
        return await add_staff(session, email, "Grace Hopper", PASSWORD, roles, actor=SYSTEM)


@asynccontextmanager
async def browser(product: Product) -> AsyncIterator[httpx.AsyncClient]:
    """Give a browser that nobody has signed in with; its requests start at the product's pages."""
    url = product.settings.app_url
    async with httpx.AsyncClient(base_url=url, headers=SAME_ORIGIN, timeout=30) as client:
        yield client


@asynccontextmanager
async def signed_in(product: Product, *roles: Role) -> AsyncIterator[httpx.AsyncClient]:
    """Give the browser of a new member of staff, signed in."""
    email = f"{'-'.join(roles)}@example.com"
    await member(product, *roles, email=email)
    async with browser(product) as client:
        response = await send_password(client, email)
        assert response.status_code == 303, response.text
        yield client


async def send_password(
    client: httpx.AsyncClient, email: str, password: str = PASSWORD
) -> httpx.Response:
    return await client.post("/admin/login", data={"email": email, "password": password})


def csrf_token_on(page: httpx.Response) -> str:
    found = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', page.text)
    assert found, page.text
    return found[1]

"""Ways into the back office: members of staff, and browsers that have signed in as them."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import httpx

from app.domain.identity.audit import SYSTEM, Actor
from app.domain.identity.models import Staff
from app.domain.identity.one_time_codes import STEP_SECONDS, code_of, new_salt, secret_of
from app.domain.identity.sessions import start
from app.domain.identity.staff import add_staff, staff_by_email
from app.domain.identity.states import Role
from tests.product import Product
from tests.serving import http_client

PASSWORD = "correct horse battery"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
COOKIE = "proxycard_staff"


async def member(
    product: Product,
    *roles: Role,
    email: str = "grace@example.com",
    name: str = "Grace Hopper",
    demo: bool = False,
) -> Staff:
    """Add a member of staff whose password is PASSWORD."""
    async with product.parts.sessions.begin() as session:
        return await add_staff(session, email, name, PASSWORD, roles, actor=SYSTEM, demo=demo)


@asynccontextmanager
async def browser(product: Product) -> AsyncIterator[httpx.AsyncClient]:
    """Give a browser that nobody has signed in with; its requests start at the product's pages."""
    url = product.settings.app_url
    async with http_client(url, headers=SAME_ORIGIN, timeout=30) as client:
        yield client


@asynccontextmanager
async def signed_in(product: Product, *roles: Role) -> AsyncIterator[httpx.AsyncClient]:
    """Give the browser of a new member of staff, signed in (test_admin_sign_in.py does it all)."""
    email = f"{'-'.join(roles)}@example.com"
    await member(product, *roles, email=email)
    async with browser(product) as client:
        client.cookies.set(COOKIE, await session_of(product, email), domain="127.0.0.1", path="/")
        yield client


async def session_of(product: Product, email: str, now: datetime | None = None) -> str:
    """Give the token of a new session of a member, as if they had given password and code."""
    actor = Actor("visitor", None, "127.0.0.1", "a test")
    async with product.parts.sessions.begin() as session:
        staff = await staff_by_email(session, email)
        assert staff is not None
        agent, moment = "a browser", now or datetime.now(UTC)
        return await start(session, staff, actor=actor, user_agent=agent, now=moment)


async def send_password(
    client: httpx.AsyncClient, email: str, password: str = PASSWORD
) -> httpx.Response:
    return await client.post("/admin/login", data={"email": email, "password": password})


class Enrolled(NamedTuple):
    """A member of staff and the secret of their authenticator."""

    staff: Staff
    secret: str

    def code(self, steps: int = 0) -> str:
        """Give the code that the authenticator shows now, or so many half minutes from now."""
        return code_of(self.secret, datetime.now(UTC) + steps * timedelta(seconds=STEP_SECONDS))


async def enrolled(
    product: Product, *roles: Role, email: str = "grace@example.com", demo: bool = False
) -> Enrolled:
    """Add a member of staff who has an authenticator already."""
    staff = await member(product, *roles, email=email, demo=demo)
    salt = new_salt()
    async with product.parts.sessions.begin() as session:
        (await session.get_one(Staff, staff.id)).totp_salt = salt
    return Enrolled(staff, secret_of(salt, product.settings.secret_key))


async def send_code(client: httpx.AsyncClient, code: str, **more: str) -> httpx.Response:
    return await client.post("/admin/login/code", data={"code": code, **more})


def csrf_token_on(page: httpx.Response) -> str:
    found = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', page.text)
    assert found, page.text
    return found[1]

"""The desks of two members of staff: one asks, the other one decides what two have to agree on."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx

from app.domain.identity.states import Role
from tests.back_office import COOKIE, browser, member, session_of
from tests.product import Product

ASKS, DECIDES = "grace@example.com", "alan@example.com"
NEW_SESSION_AFTER_SECONDS = 300


class Office:
    """Two members who hold every role, each with a browser of their own."""

    def __init__(self, product: Product, stack: AsyncExitStack) -> None:
        self.product = product
        self._stack = stack
        self._browsers: dict[str, httpx.AsyncClient] = {}
        self._since: dict[str, float] = {}

    async def browser(self, email: str) -> httpx.AsyncClient:
        """Give the browser of a member, whose session is renewed before it is too old."""
        if email not in self._browsers:
            await member(self.product, Role.OWNER, email=email)
            self._browsers[email] = await self._stack.enter_async_context(browser(self.product))
        client = self._browsers[email]
        if time.monotonic() - self._since.get(email, -1e9) > NEW_SESSION_AFTER_SECONDS:
            token = await session_of(self.product, email)
            client.cookies.set(COOKIE, token, domain="127.0.0.1", path="/")
            self._since[email] = time.monotonic()
        return client


@asynccontextmanager
async def open_office(product: Product) -> AsyncIterator[Office]:
    """Give the office of a product; its browsers are closed with it."""
    async with AsyncExitStack() as stack:
        yield Office(product, stack)

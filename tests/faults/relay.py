"""What can happen on the way to a question of Stripe's, and to our answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
from aiohttp import web

from tests.product import Product
from tests.serving import free_port, http_client
from tests.signing import AUTHORIZATIONS
from tests.waiting import until

PASSED_ON = ("content-type", "stripe-signature")
Way = Callable[["Passage"], Awaitable[web.Response]]


class Passage:
    """One question on its way: how it may be handed to the product, and what Stripe then sees."""

    def __init__(
        self, request: web.Request, body: bytes, products: Sequence[httpx.AsyncClient]
    ) -> None:
        self.request = request
        self.body = body
        self.products = products

    async def ask(self, number: int = 0) -> httpx.Response:
        """Hand the question over as it came; `number` chooses among several products in turn."""
        product = self.products[number % len(self.products)]
        headers = {name: self.request.headers[name] for name in PASSED_ON}
        return await product.post(AUTHORIZATIONS, content=self.body, headers=headers)

    async def given_up(self) -> None:
        """Wait until Stripe has hung up."""
        await until(lambda: self.request.transport is None or self.request.transport.is_closing())

    def hang_up(self) -> None:
        if self.request.transport is not None:
            self.request.transport.abort()


async def at_once(passage: Passage) -> web.Response:
    return shown(await passage.ask())


async def too_late(passage: Passage) -> web.Response:
    """Answer only when Stripe no longer listens, though the product was in time."""
    answer = await passage.ask()
    await passage.given_up()
    return shown(answer)


async def lost(passage: Passage) -> web.Response:
    """Lose the product's answer on the wire."""
    answer = await passage.ask()
    passage.hang_up()
    return shown(answer)


async def never_asked(passage: Passage) -> web.Response:
    """Lose the question itself, and say nothing until Stripe gives up."""
    await passage.given_up()
    return web.Response()


async def without_version(passage: Passage) -> web.Response:
    """Have a proxy strip the header that makes an answer valid."""
    answer = shown(await passage.ask())
    del answer.headers["Stripe-Version"]
    return answer


def shown(answer: httpx.Response) -> web.Response:
    return web.Response(
        status=answer.status_code,
        body=answer.content,
        headers={
            "Content-Type": answer.headers["content-type"],
            "Stripe-Version": answer.headers["stripe-version"],
        },
    )


class Relay:
    """Stands where Stripe sends its questions. `way` is what happens to the next ones."""

    def __init__(self, *products: httpx.AsyncClient) -> None:
        self.products = products
        self.way: Way = at_once
        self.questions = 0

    async def take(self, request: web.Request) -> web.Response:
        self.questions += 1
        return await self.way(Passage(request, await request.read(), self.products))


@asynccontextmanager
async def relaying(product: Product, *more: str) -> AsyncIterator[Relay]:
    """Stand between the sandbox and the product, and further instances of it, for a while."""
    async with AsyncExitStack() as stack:
        products = [
            await stack.enter_async_context(http_client(url, timeout=10))
            for url in (product.settings.app_url, *more)
        ]
        relay = Relay(*products)
        url = await stack.enter_async_context(_listening(relay))
        await product.control("settings", {"authorization_webhook_url": url})
        try:
            yield relay
        finally:
            address = f"{product.settings.app_url}{AUTHORIZATIONS}"
            await product.control("settings", {"authorization_webhook_url": address})


@asynccontextmanager
async def _listening(relay: Relay) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/", relay.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        await runner.cleanup()


async def several(passage: Passage, count: int) -> list[httpx.Response]:
    """Deliver one question many times at once, in turn to all the products."""
    return await asyncio.gather(*(passage.ask(number) for number in range(count)))

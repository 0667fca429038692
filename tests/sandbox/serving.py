"""A sandbox on a port of its own, and a stand-in for whoever Stripe would call."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
import stripe
from aiohttp import web

from stripe_sandbox.answering import Exchange
from stripe_sandbox.asgi import Sandbox, create_sandbox
from tests.serving import free_port, serving_app

REAL_TIME_SECRET = "whsec_realtime"
PATIENCE_SECONDS = 20.0
APPROVE = {"approved": True}
VERSION = {"Stripe-Version": "2026-10-28.endive"}


@dataclass
class Running:
    """A sandbox that is being served: Stripe's client for it, and its own addresses."""

    app: Sandbox
    url: str
    stripe: stripe.StripeClient
    control: httpx.AsyncClient

    async def fault(self, **fault: Any) -> None:
        (await self.control.post("/_sandbox/faults", json=fault)).raise_for_status()

    async def fired(self) -> int:
        """How often faults have fired."""
        faults = (await self.control.get("/_sandbox/faults")).json()["data"]
        return sum(fault["fired"] for fault in faults)

    async def set(self, **settings: Any) -> dict[str, Any]:
        response = await self.control.post("/_sandbox/settings", json=settings)
        response.raise_for_status()
        shown: dict[str, Any] = response.json()
        return shown

    async def advance(self, **time: int) -> None:
        seconds = time.get("days", 0) * 86_400 + time.get("seconds", 0)
        response = await self.control.post("/_sandbox/clock", json={"advance_seconds": seconds})
        response.raise_for_status()

    async def deliveries(self, **query: str) -> list[dict[str, Any]]:
        response = await self.control.get("/_sandbox/deliveries", params=query)
        found: list[dict[str, Any]] = response.json()["data"]
        return found


@dataclass
class Received:
    event: dict[str, Any]
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Takes webhooks, keeps them, and answers what the test wants."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answer: Callable[[dict[str, Any]], Awaitable[web.Response] | web.Response] = field(
        default=lambda _event: web.json_response(APPROVE, headers=VERSION)
    )

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        event = msgspec.json.decode(body)
        self.received.append(Received(event, dict(request.headers), body))
        answer = self.answer(event)
        return answer if isinstance(answer, web.Response) else await answer

    def of_type(self, type_: str) -> list[dict[str, Any]]:
        return [one.event for one in self.received if one.event["type"] == type_]


async def told(sandbox: Running, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """What one of the sandbox's own addresses answers when it is told something."""
    response = await sandbox.control.post(path, json=body or {})
    response.raise_for_status()
    answer: dict[str, Any] = response.json()
    return answer


@asynccontextmanager
async def serving(
    data_dir: Path | None = None, record: Callable[[Exchange], None] | None = None
) -> AsyncIterator[Running]:
    """Serve a sandbox in this event loop until the block ends."""
    app = create_sandbox(data_dir, record)
    async with serving_app(app, stop=app.stop) as url:
        http = stripe.AIOHTTPClient(timeout=PATIENCE_SECONDS)
        addresses: Any = dict.fromkeys(("api", "connect", "files", "meter_events"), url)
        client = stripe.StripeClient("sk_test_1", base_addresses=addresses, http_client=http)
        async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_SECONDS) as control:
            try:
                yield Running(app, url, client, control)
            finally:
                await http.close_async()  # type: ignore[no-untyped-call]  # as stripe leaves it


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Receive webhooks on a port of their own until the block ends."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    receiver.url = f"http://127.0.0.1:{port}/"
    try:
        yield receiver
    finally:
        await runner.cleanup()

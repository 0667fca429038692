"""The sandbox as an ASGI application: Stripe's interface under `/v1`, its own under `/_sandbox`."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from stripe_sandbox import catalogue
from stripe_sandbox.answering import Answer, Asked, ConnectionDropped, Exchange, Interface
from stripe_sandbox.dropping import drop_connection
from stripe_sandbox.errors import StripeError
from stripe_sandbox.pages.same_origin import check_same_origin
from stripe_sandbox.routing import ControlCall, Reply, Router
from stripe_sandbox.world import World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LARGEST_BODY = 1024 * 1024
FLUSH_SECONDS = 0.25
CLOCK_SECONDS = 30.0
DATABASE = "sandbox.sqlite"

log = logging.getLogger("stripe_sandbox")


class BodyTooLarge(Exception):
    """A request body over the limit."""


class Sandbox:
    """The ASGI application; `world` is what it knows."""

    def __init__(self, world: World, record: Callable[[Exchange], None] | None) -> None:
        self.world = world
        self.interface = Interface(world, Router(catalogue.ROUTES), record)
        self.control = Router(catalogue.CONTROL_ROUTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        try:
            answer = await self._answer(scope, receive)
        except ConnectionDropped:
            host, port = scope["client"]
            if drop_connection(host, int(port)):
                return
            raise
        await _send(send, answer)

    def stop(self) -> None:
        """End what would keep a server from stopping: answers that faults hold back."""
        self.world.stopping.set()

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        try:
            asked = Asked(
                method=scope["method"],
                path=scope["path"],
                query=scope["query_string"],
                headers={
                    name.decode("latin-1").lower(): value.decode("latin-1")
                    for name, value in scope["headers"]
                },
                body=await _body(receive),
            )
            if asked.path.startswith("/_sandbox"):
                return await self._controlled(asked)
            return await self.interface.answer(asked)
        except BodyTooLarge:
            return _json({"error": {"message": "The body is too large."}}, 413)
        except ConnectionDropped:
            raise
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"])
            message = "The sandbox has failed; its log says where."
            return _json({"error": {"message": message, "type": "api_error"}}, 500)

    async def _controlled(self, asked: Asked) -> Answer:
        """Answer the sandbox's own addresses."""
        found = self.control.find(asked.method, asked.path)
        if found is None:
            return _json({"error": {"message": f"no such address: {asked.path}"}}, 404)
        route, path = found
        query = dict(parse_qsl(asked.query.decode("latin-1")))
        try:
            body = msgspec.json.decode(asked.body or b"{}", type=dict[str, Any])
            check_same_origin(asked.method, asked.headers)
            result = await route.operation(ControlCall(self.world, body, query, path))
        except StripeError as error:
            return _json({"error": {"message": error.message}}, error.status)
        except (ValueError, msgspec.MsgspecError) as error:
            return _json({"error": {"message": str(error)}}, 400)
        if isinstance(result, Reply):
            extra = {name.decode(): value.decode() for name, value in result.headers}
            headers = {"Content-Type": result.content_type} | extra
            return Answer(result.status, result.body, headers)
        return _json(result, 200)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Run the work beside the requests from start-up to shut-down."""
        await receive()
        await self.world.deliveries.start()
        for hook in catalogue.ON_START:
            await hook(self.world)
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(self._keep_flushing()), loop.create_task(self._keep_time())]
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self.world.deliveries.close()
        await self.world.store.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _keep_flushing(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.world.store.flush()

    async def _keep_time(self) -> None:
        while True:
            await self.world.run_due()
            await asyncio.sleep(CLOCK_SECONDS)


def create_sandbox(
    data_dir: Path | None = None, record: Callable[[Exchange], None] | None = None
) -> Sandbox:
    """Make a sandbox: in memory, or kept in `data_dir`.

    `record` is told of every finished exchange under `/v1`.
    """
    path = None if data_dir is None else data_dir / DATABASE
    world = World(path, catalogue.PRESENTERS, catalogue.ON_CLOCK)
    return Sandbox(world, record)


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionDropped
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            raise BodyTooLarge
        if not message.get("more_body", False):
            return bytes(body)


async def _send(send: Send, answer: Answer) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


def _json(content: dict[str, Any], status: int) -> Answer:
    body = msgspec.json.encode(content)
    return Answer(status, body, {"Content-Type": "application/json"})

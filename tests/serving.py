"""Serves an ASGI application over HTTP on this machine, in the test's own event loop."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from granian.constants import Interfaces
from granian.server.embed import Server

from tests.waiting import until

_TRUSTS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Nothing on this machine is spoken to by TLS; httpx else reads the machine's certificates anew for
each client, which takes 20 ms."""


def http_client(url: str = "", **given: Any) -> httpx.AsyncClient:
    """Give a client for what is served on this machine, without TLS."""
    return httpx.AsyncClient(base_url=url, verify=_TRUSTS_NOBODY, **given)


@asynccontextmanager
async def serving_app(
    app: Any, port: int | None = None, stop: Callable[[], None] | None = None
) -> AsyncIterator[str]:
    """Serve until the block ends; give the address, like http://127.0.0.1:40123.

    `stop` ends what the application itself still waits for, before the server ends.
    """
    port = port or free_port()
    server = Server(
        app, address="127.0.0.1", port=port, interface=Interfaces.ASGI, log_enabled=False
    )
    running = asyncio.create_task(server.serve())
    try:
        await until(lambda: _listening(port) or running.done())
        if running.done():
            await running
        yield f"http://127.0.0.1:{port}"
    finally:
        if stop is not None:
            stop()
        server.stop()  # type: ignore[no-untyped-call]  # as granian leaves it
        await running


def free_port() -> int:
    """Give a port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0

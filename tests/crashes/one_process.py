"""Serves Stripe's questions in this one process, so that its own exit code tells how it ended.

The server that `proxycard serve` starts would put a new worker in the place of one that was killed.
"""

import os

import uvloop
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from app.asgi import production_realtime


async def serve() -> None:
    app, port = production_realtime(), int(os.environ["REALTIME_PORT"])
    server = Server(
        app,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGI,
        log_level=LogLevels.warning,
    )
    await server.serve()


if __name__ == "__main__":
    uvloop.run(serve())

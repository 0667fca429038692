"""`python -m stripe_sandbox`: the offline Stripe on its own, on this machine only."""

import argparse
import asyncio
import ipaddress
import signal
import sys
from pathlib import Path

import uvloop
from granian.constants import Interfaces
from granian.server.embed import Server

from stripe_sandbox.asgi import create_sandbox


def main() -> None:
    parser = argparse.ArgumentParser(prog="stripe_sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=12111)
    parser.add_argument("--data-dir", type=Path, help="where to keep its state; none: in memory")
    options = parser.parse_args()
    if not _is_loopback(options.host):
        parser.error(f"--host {options.host} is not a loopback address: anyone could use it")
    uvloop.run(serve(options.host, options.port, options.data_dir))
    sys.exit(0)


async def serve(host: str, port: int, data_dir: Path | None) -> None:
    """Serve until SIGTERM or SIGINT; the state is on disk when this returns."""
    server = Server(
        create_sandbox(data_dir),
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()
    for stop in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(stop, server.stop)
    await server.serve()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


if __name__ == "__main__":
    main()

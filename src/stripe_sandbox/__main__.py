"""`python -m stripe_sandbox`: the offline Stripe on its own, on this machine only."""

import argparse
import asyncio
import ipaddress
import signal
import socket
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
    if not _is_free(options.host, options.port):
        parser.error(f"--port {options.port} is in use on {options.host}: name another one")
    uvloop.run(serve(options.host, options.port, options.data_dir))
    sys.exit(0)


async def serve(host: str, port: int, data_dir: Path | None) -> None:
    """Serve until SIGTERM or SIGINT; the state is on disk when this returns."""
    sandbox = create_sandbox(data_dir)
    server = Server(
        sandbox,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        log_enabled=False,
    )

    def stop() -> None:
        sandbox.stop()
        server.stop()  # type: ignore[no-untyped-call]  # granian leaves it untyped

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    await server.serve()


def _is_free(host: str, port: int) -> bool:
    """Whether nobody listens there; the server itself would share the port with whoever does."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


if __name__ == "__main__":
    main()

"""`proxycard serve`: the web process."""

import os
import shutil
import socket
import sys
from pathlib import Path

import click
from granian.constants import Interfaces, Loops
from granian.log import LogLevels
from granian.server import Server

from app.config import ConfigError, load

PROGRAMS = {
    "all": "app.asgi:production",
    "realtime": "app.asgi:production_realtime",
    "web": "app.asgi:production_web",
}
"""What each part of the web process is, for the server to load."""
MOST_WORKERS = 64


@click.command()
@click.option(
    "--part",
    type=click.Choice(list(PROGRAMS)),
    default="all",
    show_default=True,
    help="realtime: Stripe's questions only, on REALTIME_PORT; web: everything else.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, MOST_WORKERS),
    default=1,
    show_default=True,
    help="Processes that share the port; each has connections and limits of its own.",
)
def serve(part: str, workers: int) -> None:
    """Answer webhooks and serve the pages, until SIGTERM or Ctrl-C."""
    settings = load(os.environ, Path.cwd())
    name = "REALTIME_PORT" if part == "realtime" else "PORT"
    port = settings.realtime_port if part == "realtime" else settings.port
    _refuse_taken_port(settings.host, name, port)
    if workers > 1:
        _share_counts(Path(settings.data_dir) / "metrics" / str(port))
    server = Server(
        PROGRAMS[part],
        address=settings.host,
        port=port,
        workers=workers,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        factory=True,
        log_access=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=30,
    )
    server.serve()


def _share_counts(folder: Path) -> None:
    """Have the server's processes count in common files, so that each can tell for all of them.

    The library looks for the folder when it is loaded, which only the processes do that count.
    """
    assert "prometheus_client" not in sys.modules
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def _refuse_taken_port(host: str, name: str, port: int) -> None:
    """The server would share a port that another one listens on, and get half of its requests."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigError(
                f"{name} {port} on HOST {host} cannot be listened on"
                f" ({error.strerror}): stop what uses it, or set another"
            ) from None

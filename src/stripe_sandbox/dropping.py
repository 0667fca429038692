"""Closing a client's connection without an answer, whatever server stands in between."""

import os
import socket
from contextlib import suppress
from pathlib import Path

OPEN_FILES = Path("/dev/fd")


def drop_connection(host: str, port: int) -> bool:
    """Shut down this process's connection with a client address; say whether there was one.

    No ASGI server lets an application hang up before it has answered: they make a 500 of it. The
    socket is one of this process's open files, though, and can be told by its peer.
    """
    for name in os.listdir(OPEN_FILES):  # noqa: PTH208  iterdir would stat each
        with suppress(OSError), socket.socket(fileno=os.dup(int(name))) as connection:
            if connection.getpeername()[:2] == (host, port):
                connection.shutdown(socket.SHUT_RDWR)
                return True
    return False

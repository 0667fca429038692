"""Closing a client's connection without an answer, whatever server stands in between."""

import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

OPEN_FILES = Path("/dev/fd")


def drop_connection(host: str, port: int) -> bool:
    """Shut down this process's connection with a client address; say whether there was one.

    No ASGI server lets an application hang up before it has answered: they make a 500 of it. The
    socket is one of this process's open files, though, and can be told by its peer.
    """
    for name in os.listdir(OPEN_FILES):  # noqa: PTH208  iterdir would stat each
        with suppress(OSError):
            number = int(name)
            if stat.S_ISSOCK(os.fstat(number).st_mode) and _shut(os.dup(number), host, port):
                return True
    return False


def _shut(copy: int, host: str, port: int) -> bool:
    """Shut down the socket when its peer is the one; close this copy of its number either way."""
    try:
        connection = socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        raise
    with connection:
        if connection.getpeername()[:2] != (host, port):
            return False
        connection.shutdown(socket.SHUT_RDWR)
        return True

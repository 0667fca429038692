"""Ports of this machine: whether one is free, and finding some that are."""

import errno
import socket

from local_stack.refusal import Refusal


def check_free(setting: str, host: str, port: int) -> None:
    """Raise a refusal that names the setting when nothing may listen on its port."""
    try:
        with _bound(host, port):
            return
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Refusal(
                f"Port {port} is in use: end what listens on it, or set {setting} to a free port."
            ) from error
        if error.errno == errno.EACCES:
            raise Refusal(f"{setting} {port} is for root: wants a port above 1023.") from error
        raise Refusal(f"HOST {host} is not an address of this machine.") from error


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback that are free now, all different."""
    sockets = [_bound("127.0.0.1", 0) for _ in range(count)]
    ports = [open_socket.getsockname()[1] for open_socket in sockets]
    for open_socket in sockets:
        open_socket.close()
    return ports


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # As servers do: a connection that ended a moment ago does not keep the port taken.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except BaseException:
        listener.close()
        raise
    return listener

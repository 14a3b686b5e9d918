"""Ports of this machine."""

import errno
import socket

from domain.errors import PortTaken


def require_free(port: int, setting: str) -> None:
    """Raises: PortTaken, naming the setting that holds another one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            why = "is taken by another program" if taken else f"cannot be used: {error.strerror}"
            raise PortTaken(f"port {port} of 127.0.0.1 {why}; set {setting} to a free port") from error

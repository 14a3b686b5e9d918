"""Ports for the servers of tests.

A server needs seconds from being given its port to listening on it, or is killed and comes back to it: in that time no
client of this machine and no other worker of the run may have it. So each worker has a share of its own below the ports
that the system gives to clients, and gives each of them once. `random` is of no use: it is seeded alike in all workers.
"""

import itertools
import os
import socket
from collections.abc import Iterator
from pathlib import Path

FIRST, COUNT = 10_000, 12_000  # the lowest that is given, and of how many one run takes at most
CLIENT_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_ports(count: int) -> list[int]:
    """So many neighbouring ports that are free."""
    while True:
        ports = list(itertools.islice(_ports, count))
        if ports[-1] - ports[0] == count - 1 and all(_is_free(port) for port in ports):
            return ports


def free_port() -> int:
    return free_ports(1)[0]


def share(worker: int, workers: int, first_of_clients: int) -> range:
    """The ports of one of so many workers: the highest below the clients', unless those begin lower than FIRST."""
    end = first_of_clients if first_of_clients > FIRST + workers else FIRST + COUNT
    size = min(COUNT, end - FIRST) // workers
    return range(end - (worker + 1) * size, end - worker * size)


def _own_ports() -> Iterator[int]:
    """For ever, from a place of chance: another run on this machine begins elsewhere."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    first_of_clients = int(CLIENT_PORTS.read_text().split()[0]) if CLIENT_PORTS.exists() else 32_768
    own = share(worker, workers, first_of_clients)
    start = int.from_bytes(os.urandom(4), "big") % len(own)
    return itertools.cycle([*own[start:], *own[:start]])


def _is_free(port: int) -> bool:
    """Whether a server could have it: a port that nobody listens on may still be the near end of a connection."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


_ports = _own_ports()

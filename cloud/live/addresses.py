"""Loopback addresses of one's own: 127.x.y.z, one for each task and each load balancer."""

import os
import random
import socket
from collections.abc import Iterable

ATTEMPTS = 100


class Addresses:
    """Hands out addresses nobody listens on; two twins draw from different parts."""

    def __init__(self) -> None:
        self._random = random.Random(os.urandom(8))
        self._given: set[str] = set()

    def next(self, ports: Iterable[int] = ()) -> str:
        """A new address on which all these ports are free."""
        wanted = [port for port in ports if port]
        for _ in range(ATTEMPTS):
            address = self._draw()
            if address not in self._given and all(is_free(address, port) for port in wanted):
                self._given.add(address)
                return address
        raise OSError(f"no loopback address has free ports {wanted}")

    def _draw(self) -> str:
        pick = self._random.randint
        return f"127.{pick(16, 254)}.{pick(0, 255)}.{pick(2, 254)}"


def is_free(address: str, port: int) -> bool:
    """Whether this process could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True

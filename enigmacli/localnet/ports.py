"""Ports that a network keeps: its nodes name each other by them, over restarts.

They are taken from below the range from which the system gives ports to outgoing connections
(ip(7), ``ip_local_port_range``): such a connection would hold a stopped node's port.
"""

import random
import socket
from pathlib import Path
from typing import Final

from enigmacli.errors import PortBusyError

HOST: Final = "127.0.0.1"
_LOWEST: Final = 10_000
_RANGE_FILE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_TRIES: Final = 1_000


def free_addresses(count: int) -> list[str]:
    """As many addresses of this machine that nobody listens on now.

    Raises:
        PortBusyError: they cannot be found.
    """
    end = _end()
    generator = random.SystemRandom()
    found: dict[int, None] = {}
    for _ in range(_TRIES):
        if len(found) == count:
            return [f"{HOST}:{port}" for port in found]
        port = generator.randrange(_LOWEST, end)
        if _is_free(port):
            found[port] = None
    raise PortBusyError(f"there are no {count} free ports from {_LOWEST} to {end}")


def _end() -> int:
    try:
        lowest = int(_RANGE_FILE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        lowest = 32_768
    return lowest if lowest > _LOWEST + _TRIES else 65_536


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True

"""Who listens on the configured addresses, by the kernel's own tables; nothing is bound.

Source: proc(5), /proc/net/tcp: addresses in hexadecimal, each 32 bits in the machine's order.
"""

import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Final

from enigmacli.doctor.facts import Port
from enigmacli.doctor.subject import Subject
from enigmacli.home import Home

_LISTENING: Final = "0A"
_TABLE_BYTES: Final = 4 * 1024 * 1024

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class _Listener:
    address: Address
    port: int
    inode: str


def probe(subject: Subject) -> tuple[Port, ...]:
    """Every address on which the node listens, but for port 0."""
    config = subject.config
    listeners = [*_listeners(subject.root, "tcp"), *_listeners(subject.root, "tcp6")]
    own = _own_sockets(subject)
    found = []
    for key, listen in (("rpc.listen", config.rpc.listen), ("p2p.listen", config.p2p.listen)):
        host, _, port = listen.rpartition(":")
        if port == "0":
            continue
        wanted = _addresses(host.strip("[]"))
        taken = [one for one in listeners if one.port == int(port) and _meets(one, wanted)]
        ours = all(one.inode in own for one in taken)
        found.append(Port(key, listen, ("us" if ours else "other") if taken else ""))
    return tuple(found)


def _addresses(host: str) -> set[Address]:
    try:
        return {ip_address(host)}
    except ValueError:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return {ip_address(str(where[0]).partition("%")[0]) for *_, where in found}


def _meets(listener: _Listener, wanted: set[Address]) -> bool:
    """Whether one of the addresses cannot be bound beside the listener's."""
    return any(
        listener.address == one or listener.address.is_unspecified or one.is_unspecified
        for one in wanted
    )


def _listeners(root: Path, table: str) -> list[_Listener]:
    try:
        with (root / "proc/net" / table).open("rb") as file:
            lines = file.read(_TABLE_BYTES).decode("ascii", "replace").splitlines()[1:]
    except OSError:
        return []
    rows = (line.split() for line in lines)
    return [
        _Listener(_parse_address(row[1]), int(row[1].rpartition(":")[2], 16), row[9])
        for row in rows
        if len(row) > 9 and row[3] == _LISTENING  # noqa: PLR2004 -- the column of the inode
    ]


def _parse_address(text: str) -> Address:
    digits = bytes.fromhex(text.partition(":")[0])
    words = (digits[at : at + 4] for at in range(0, len(digits), 4))
    packed = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
    return ip_address(packed)


def _own_sockets(subject: Subject) -> set[str]:
    """The inodes of the sockets of the home's process and of its children."""
    home = Home(subject.home)
    pid = home.owner_pid() if home.config_file.is_file() else None
    if not pid:
        return set()
    return sockets_of_family(subject.root / "proc", pid)


def sockets_of_family(processes: Path, pid: int) -> set[str]:
    """The inodes of the sockets of a process and of its children.

    Args:
        processes: ``/proc``.
        pid: of the process.
    """
    family = [pid, *_children(processes, pid)]
    return set().union(*(_sockets(processes / str(one) / "fd") for one in family))


def _children(processes: Path, parent: int) -> list[int]:
    found = []
    for folder in processes.glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            continue  # it has ended
        if len(fields) > 1 and int(fields[1]) == parent:
            found.append(int(folder.name))
    return found


def _sockets(folder: Path) -> set[str]:
    found = set()
    try:
        for link in folder.iterdir():
            with suppress(FileNotFoundError):  # it was closed
                found.add(str(link.readlink()))
    except OSError:
        return set()
    return {target[8:-1] for target in found if target.startswith("socket:[")}

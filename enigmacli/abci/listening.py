"""Where an ABCI server is found: a Unix socket in a folder, or an address of the operator's."""

import os
import socket
import stat
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from enigmacli.errors import PortBusyError, StorageError

_UNIX: Final = "unix://"
_TCP: Final = "tcp://"
_LONGEST_PATH: Final = 107  # of sun_path without its NUL, unix(7)


def listen_in(folder: Path, name: str) -> socket.socket:
    """A listening socket in ``folder``, whose path may be longer than a socket's may be.

    The address names the folder by its open descriptor: ``sun_path`` holds 107 bytes (unix(7)).

    Args:
        folder: which only its owner should be able to enter.
        name: the socket's name there; an older socket of that name is removed.

    Raises:
        OSError: the socket cannot be made.
    """
    (folder / name).unlink(missing_ok=True)
    where = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        return _listening(socket.AF_UNIX, f"/proc/self/fd/{where}/{name}")
    finally:
        os.close(where)


def listen_at(address: str) -> socket.socket:
    """A listening socket at an address as CometBFT's ``proxy_app`` names it.

    Args:
        address: ``unix:///PATH`` or ``tcp://HOST:PORT``; a socket that nobody listens on any
            more is replaced, any other file is left alone.

    Raises:
        PortBusyError: the address is taken, or not this machine's.
        StorageError: a file is in the socket's place, or its folder cannot be written.
    """
    if address.startswith(_UNIX):
        return _listen_on_path(Path(address.removeprefix(_UNIX)))
    host, _, port = address.removeprefix(_TCP).rpartition(":")
    try:
        family, *_, where = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return _listening(family, where)
    except OSError as error:
        raise PortBusyError(
            f"cannot listen on {address}: {(error.strerror or str(error)).lower()}",
            hint="choose another address for [cometbft] abci_listen",
        ) from error


def is_open_to_others(address: str) -> bool:
    """Whether another machine may reach an address; ABCI knows no authentication."""
    if address.startswith(_UNIX):
        return False
    host = address.removeprefix(_TCP).rpartition(":")[0].strip("[]")
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


def _listen_on_path(path: Path) -> socket.socket:
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise StorageError(
            f"the socket's path has more than {_LONGEST_PATH} bytes: {path}",
            hint="choose a shorter one for [cometbft] abci_listen",
        )
    try:
        _remove_abandoned(path)
        return _listening(socket.AF_UNIX, str(path))
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise StorageError(f"cannot make the socket {path}: {why}") from error


def _remove_abandoned(path: Path) -> None:
    """Remove a socket whose server is gone.

    Raises:
        PortBusyError: it is not gone.
        StorageError: it is no socket.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise StorageError(f"cannot make the socket {path}: a file is in its place")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise PortBusyError(
        f"another process listens on {path}", hint="stop it, or choose another path"
    )


def _listening(family: int, where: Any) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        if family != socket.AF_UNIX:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(where)
        made.listen()
    except OSError:
        made.close()
        raise
    return made

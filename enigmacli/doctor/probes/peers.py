"""Dial every node that the configuration names, all at once."""

import socket
from typing import Final

from enigmacli.doctor import side_by_side
from enigmacli.doctor.facts import Peer
from enigmacli.doctor.subject import Subject

_TIMEOUT_S: Final = 4.0
_MOST: Final = 64
"""Nodes that are dialled."""


def probe(subject: Subject) -> tuple[Peer, ...]:
    """Whether each takes a connection, which is closed at once; no word is said."""
    named = f"{subject.config.p2p.persistent_peers},{subject.config.p2p.seeds}".split(",")
    peers = dict.fromkeys(one.strip() for one in named if one.strip())
    tasks = {peer: lambda peer=peer: _dial(peer.partition("@")[2]) for peer in [*peers][:_MOST]}
    outcome = side_by_side.run(tasks, _TIMEOUT_S + 1)
    faults = outcome.found | outcome.faults
    return tuple(
        Peer(name, address, faults[peer])
        for peer in tasks
        for name, _, address in [peer.partition("@")]
    )


def _dial(address: str) -> str:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_TIMEOUT_S):
            return ""
    except OSError as error:
        return (error.strerror or str(error)).lower()

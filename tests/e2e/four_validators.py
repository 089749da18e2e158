"""Four validators on the real CometBFT, made by ``localnet up``, and what must always hold."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.e2e.chain_audit import Audit
from tests.e2e.localnet import LocalNetwork

NAMES: Final = ("node1", "node2", "node3", "node4")


@contextmanager
def four_validators(folder: Path, cometbft: str) -> Iterator[LocalNetwork]:
    """A network in ``folder``, of which nothing runs any more in the end."""
    network = LocalNetwork(folder)
    options = ("-n", str(len(NAMES)), "--engine", "cometbft", "--cometbft", cometbft,
               "--block-interval", "0.2")  # fmt: skip
    try:
        network.command("up", *options)
        yield network
    finally:
        network.command("down")
    assert processes_named(folder) == []


def processes_named(folder: Path) -> list[int]:
    """The processes whose command line names ``folder``."""
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and os.fsencode(folder) in _cmdline(entry)
    ]


def _cmdline(entry: Path) -> bytes:
    try:
        return (entry / "cmdline").read_bytes()
    except OSError:
        return b""


def sound(net: LocalNetwork, chronicle: Audit) -> Audit:
    """The chain as the first node tells it; every rule of admission holds, and all agree."""
    net.app_hash(NAMES)
    chronicle.read_on(net.urls["node1"])
    assert chronicle.faults == []
    assert alarms(net) == []
    return chronicle


def alarms(net: LocalNetwork) -> list[dict[str, Any]]:
    """What any node's background re-check has found wrong."""
    return [event for name in NAMES for event in net.events(name) if event["event"] == "alarm"]


def forget_chain(home: Path) -> None:
    """Remove the state and the blocks, and keep what the validator has signed."""
    kept = home / "cometbft" / "data" / "priv_validator_state.json"
    for folder in (home / "data", home / "cometbft" / "data"):
        for file in sorted(folder.rglob("*"), reverse=True):
            if file != kept:
                file.rmdir() if file.is_dir() else file.unlink()

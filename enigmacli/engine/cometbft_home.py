"""CometBFT's own home, written from ours.

``<home>/cometbft/`` belongs to the engine: ``config.toml`` and ``genesis.json`` are made anew
from our configuration at every start, keys are copies of ours, and what CometBFT itself
writes, its sign state above all, is never touched again. Keys of ``config.toml`` that are not
here keep CometBFT's defaults (v0.38, ``config/config.go``).
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from enclave import durable
from enigmacli.config_sections import P2pSection
from enigmacli.engine.block_store import BLOCKS_FILE, BlockStore
from enigmacli.engine.settings import NodeSettings
from enigmacli.errors import ConfigError, StorageError

SOCKET: Final = "abci.sock"
_FIRST_SIGN_STATE: Final = b'{"height": "0", "round": 0, "step": 0}\n'


@dataclass(frozen=True, slots=True)
class CometbftSettings:
    """What is CometBFT's alone."""

    folder: Path
    """Its home, made where it is missing."""
    program: str = ""
    """The binary's path; empty looks on ``PATH``."""
    p2p: P2pSection = field(default_factory=P2pSection)
    """Its peers; port 0 to listen on takes a free one."""
    log_level: str = "error"
    timeout_propose_s: float = 3.0


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where CometBFT listens, each ``host:port`` with a real port."""

    rpc: str
    p2p: str


def write_home(own: CometbftSettings, settings: NodeSettings, addresses: Addresses) -> None:
    """Make CometBFT's home complete.

    Args:
        own: of CometBFT, its folder among them.
        settings: of our home.
        addresses: to listen on.

    Raises:
        ConfigError: it is the home of another chain or another validator.
        StorageError: a file cannot be read or written.
    """
    folder = own.folder
    try:
        for part in ("config", "data"):
            (folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_genesis(folder, settings.genesis_file.read_bytes())
        _copy_key(settings.priv_validator_key_file, folder / "config" / "priv_validator_key.json")
        _copy_key(settings.node_key_file, folder / "config" / "node_key.json")
        state = folder / "data" / "priv_validator_state.json"
        if not state.exists():
            durable.write_new(state, _FIRST_SIGN_STATE)
        durable.replace(folder / "config" / "config.toml", config_toml(own, settings, addresses))
    except OSError as error:
        raise StorageError(f"could not write CometBFT's home {folder}: {error}") from error


def refuse_embedded_chain(data_dir: Path) -> None:
    """Refuse a home whose blocks the embedded engine made: CometBFT has none of them.

    Raises:
        ConfigError: there are such blocks.
    """
    path = data_dir / BLOCKS_FILE
    if not path.exists():
        return
    store = BlockStore(path)
    try:
        height = store.height
    finally:
        store.close()
    if height:
        raise ConfigError(
            f"this home's chain has {height} blocks of the embedded engine",
            hint="enigmacli start --engine embedded, or a new home for CometBFT",
        )


def config_toml(own: CometbftSettings, settings: NodeSettings, addresses: Addresses) -> bytes:
    """``config.toml``."""
    sections: dict[str, dict[str, Any]] = {
        "": {
            "proxy_app": f"unix://{SOCKET}",  # relative: CometBFT runs in its home
            "abci": "socket",
            "moniker": settings.moniker,
            "log_level": own.log_level,
            "log_format": "json",
        },
        "rpc": {"laddr": f"tcp://{addresses.rpc}"},
        "p2p": {"laddr": f"tcp://{addresses.p2p}"} | _peering(own.p2p),
        "consensus": {
            "timeout_propose": _duration(own.timeout_propose_s),
            "timeout_commit": _duration(settings.block_interval_s),
            "create_empty_blocks": True,
            "create_empty_blocks_interval": _duration(settings.empty_blocks_interval_s),
        },
        "tx_index": {"indexer": "kv"},
    }
    lines = ["# Written by enigmacli at every start; edit config.toml of the home above."]
    for name, values in sections.items():
        lines += [f"\n[{name}]"] if name else []
        lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in
                  values.items()]  # fmt: skip
    return "\n".join((*lines, "")).encode()


def _peering(p2p: P2pSection) -> dict[str, Any]:
    """Whom CometBFT dials, and whom it lets in."""
    return {
        "external_address": p2p.external_address,
        "persistent_peers": _joined(p2p.persistent_peers),
        "seeds": _joined(p2p.seeds),
        "private_peer_ids": _joined(p2p.private_peers),
        "pex": p2p.pex,
        "addr_book_strict": not p2p.one_machine,
        "allow_duplicate_ip": p2p.one_machine,
    }


def _joined(items: str) -> str:
    """A list of ours as CometBFT reads it: without blanks."""
    return ",".join(one.strip() for one in items.split(","))


def _duration(seconds: float) -> str:
    return f"{max(1, round(seconds * 1_000))}ms"


def _write_genesis(folder: Path, genesis: bytes) -> None:
    path = folder / "config" / "genesis.json"
    if path.exists() and path.read_bytes() == genesis:
        return
    if (folder / "data" / "blockstore.db").exists():
        raise ConfigError(
            "genesis changed since CometBFT started its chain",
            hint="bring back the former genesis.json, or begin a new home",
        )
    durable.replace(path, genesis)


def _copy_key(ours: Path, theirs: Path) -> None:
    key = ours.read_bytes()
    if not theirs.exists():
        durable.write_new(theirs, key)
    elif theirs.read_bytes() != key:
        raise ConfigError(
            f"{theirs} is another key than {ours}",
            hint="bring back the key that this chain has signed with",
        )

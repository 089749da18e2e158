"""What a node needs to know to run; the command line fills it in."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """Paths, addresses and intervals of one node."""

    genesis_file: Path
    data_dir: Path
    enclave_dir: Path
    priv_validator_key_file: Path
    node_key_file: Path
    moniker: str
    rpc_listen: str = "127.0.0.1:26657"
    """``host:port``; port 0 takes a free one."""
    block_interval_s: float = 1.0
    """The shortest time between two blocks with transactions."""
    empty_blocks_interval_s: float = 5.0
    """The longest time between two blocks."""
    follow_url: str | None = None
    """The JSON-RPC address of the node to follow; ``None`` makes blocks."""
    poll_interval_s: float = 0.5
    """How often a follower that has caught up asks for the next block."""
    wait_for_seed: bool = False
    seed_poll_interval_s: float = 2.0
    unseal: Callable[[], bool] | None = None
    """Tries to fetch and install the seed; true once it is installed (``wait_for_seed``)."""
    enclave_package: Path | None = None
    """The folder that contains the trusted package; ``None`` for the installed one."""
    enclave_backend: str = "simulation"

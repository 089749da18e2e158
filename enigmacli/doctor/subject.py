"""What is examined: a home, its configuration, and the world as arguments."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from enigmacli.config import Config

if TYPE_CHECKING:
    from enclave.client import EnclaveClient
    from enigmacli.doctor.ports import NodeRpc


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One home on one machine, and what an examination may ask about it.

    Nothing here is opened, started or dialled before an examination wants it.
    """

    home: Path
    """The home folder, which may not exist."""
    config: Config
    """Its configuration; the defaults where ``config_fault`` says that it cannot be read."""
    now_us: Callable[[], int]
    """The clock: microseconds since the Unix epoch."""
    node: "Callable[[], NodeRpc] | None" = None
    """Connects to the node that is asked; None: the configured one."""
    enclave: "Callable[[], EnclaveClient] | None" = None
    """Gives this home's enclave, with keys; None: one is started and ended again."""
    noted: "Callable[[bytes], bytes | None] | None" = None
    """The hash of the register transaction that this home sent for a node id; None: not known."""
    config_fault: str = ""
    """What is wrong with the configuration, empty where it was read."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """The environment, for names that look like configuration; may be empty."""
    evidence: tuple[Path, ...] = ()
    """Where evidence of this node may be."""
    backups: tuple[Path, ...] = ()
    """Folders of backups; empty: looked for in the home and beside it."""
    program: str = "enigmacli"
    """The name by which hints call the program."""
    root: Path = Path("/")
    """Where ``/dev``, ``/proc`` and the like are; a test puts a folder in its place."""
    limit_s: float = 12.0
    """The longest examination as a whole, in seconds."""

"""What probes find: frozen values, gathered without judging any of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from enigmacli.doctor.subject import Subject

if TYPE_CHECKING:
    from enigmacli.chain.records import NodeRecord


@dataclass(frozen=True, slots=True)
class Device:
    """A device node that exists."""

    path: str
    usable: bool
    """Whether this user may read and write it."""


@dataclass(frozen=True, slots=True)
class Platform:
    """What there is to run a hardware enclave with."""

    devices: tuple[Device, ...]
    has_tsm: bool
    """Whether the kernel makes quotes for TDs by configfs."""
    cpu_flags: frozenset[str]
    """Those of /proc/cpuinfo that concern SGX and TDX."""
    has_aesm: bool
    """Whether the socket of Intel's architectural enclave service is there."""
    gramine: tuple[str, ...]
    """Gramine's programs that are on PATH."""
    gramine_version: str
    """Empty where it is not known."""


@dataclass(frozen=True, slots=True)
class Hardening:
    """What this system lets the enclave's process do, and what the kernel is set to."""

    measures: tuple[str, ...]
    """Those of :mod:`enclave.hardening` that took hold in a process of its own."""
    ptrace_scope: int | None
    """yama's, 0 to 3; None where there is no yama."""
    core_pattern: str
    swaps: tuple[str, ...]
    """Active swap devices and files, without those that keep to memory."""
    memlock_bytes: int | None
    """How much memory a process may lock; None: as much as it likes."""
    offers: tuple[str, ...]
    """What the kernel has and the enclave does not use, for example ``seccomp``."""


@dataclass(frozen=True, slots=True)
class Clock:
    """This machine's clock beside others'; microseconds since the Unix epoch."""

    now_us: int
    synchronised: bool | None
    """Whether the kernel says that something keeps the clock; None: it does not say."""
    service: str
    """The attestation service that was asked for the time."""
    service_us: int | None
    """What it answered, in whole seconds; None: nothing."""


@dataclass(frozen=True, slots=True)
class Mode:
    """Owner and mode of something in the home."""

    path: Path
    mode: int
    """The permission bits."""
    uid: int


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system that the home is on, or would be."""

    path: Path
    """The nearest folder that exists."""
    free_bytes: int
    """For this user."""
    free_files: int
    """How many more files there can be; -1: no such limit."""
    filesystem: str
    """As in /proc/self/mounts; empty where it is not known."""
    read_only: bool
    sync_fault: str
    """Why the folder cannot be made durable; empty where it can."""


@dataclass(frozen=True, slots=True)
class HomeFolder:
    """The home on disk."""

    exists: bool
    """Whether ``init`` was completed."""
    unknown_variables: tuple[str, ...]
    """Environment variables that look like configuration and are none."""
    owner_pid: int | None
    """Of the process that owns it now; 0 where that does not say."""
    uid: int
    """Of this process."""
    modes: tuple[Mode, ...]
    """Of every folder and file in which a secret is, or that leads to one."""


@dataclass(frozen=True, slots=True)
class Port:
    """An address of the configuration on which a server would listen."""

    key: str
    listen: str
    held_by: str
    """``""`` nobody, ``us`` the home's own process, ``other``."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A node that the configuration names, dialled once."""

    name: str
    address: str
    fault: str
    """Empty where it took the connection."""


@dataclass(frozen=True, slots=True)
class Node:
    """What the configured node says of itself: its word, not proven."""

    url: str
    fault: str
    """Why it did not answer; then nothing below is set."""
    latency_s: float = 0.0
    chain_id: str = ""
    height: int = 0
    block_us: int = 0
    """The time of its newest block, 0 where it does not say."""
    catching_up: bool = False
    genesis_sha256: str = ""
    """Of its genesis document as this program writes it; empty where it gave none."""
    records: "tuple[NodeRecord, ...] | None" = None
    """The registered nodes; None where it did not say."""


@dataclass(frozen=True, slots=True)
class Genesis:
    """This home's genesis document."""

    fault: str
    """Why it cannot be used; then nothing below is set."""
    fault_hint: str = ""
    chain_id: str = ""
    sha256: str = ""
    """Of the document as this program writes it."""
    bootstrapped: bool = False
    has_policy: bool = False
    simulation: bool = False
    """Whether the policy is a simulated network's."""
    policy_sha256: str = ""
    policy_warnings: tuple[str, ...] = ()
    """Members of the policy that deserve a second look."""
    mr_enclaves: tuple[str, ...] = ()
    """The measurements that the policy allows, hex."""
    network_id: str = ""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed file that opened."""

    name: str
    purpose: str
    generation: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Held:
    """What the enclave answered."""

    measurement: str
    backend: str
    simulation: bool
    network_id: str
    node_id: str
    seeds: int
    files: tuple[Sealed, ...]
    sent_tx: str = ""
    """The hash of the register transaction that this home sent last, hex; empty: none."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A folder that says it is a backup."""

    folder: Path
    made_us: int
    """When its manifest was written."""
    fault: str
    """Why the enclave does not open it; empty where it does."""
    files: tuple[Sealed, ...] = ()


@dataclass(frozen=True, slots=True)
class Trusted:
    """The trusted package, this home's enclave, and backups of what it holds."""

    is_new: bool
    """Nothing was made yet, so nothing was started: a start would make the platform's key."""
    package_measurement: str
    package_fault: str
    held: Held | None = None
    fault: str = ""
    fault_code: str = ""
    sealed_names: tuple[str, ...] = ()
    """Sealed files on disk, whether or not they open."""
    backups: tuple[Backup, ...] = ()
    """Newest first."""


@dataclass(frozen=True, slots=True)
class Dated:
    """A part of evidence with an end of its own."""

    name: str
    end_us: int


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """One file of evidence in the home."""

    name: str
    fault: str
    """Why it is no evidence, or not authentic; then nothing below is set."""
    kind: str = ""
    verdict: str = ""
    """``accept`` or ``reject``, by this home's policy and now."""
    code: str = ""
    reason: str = ""
    status: str = ""
    """TCB or quote status; empty where none is known."""
    fmspc: str = ""
    evaluation_number: int | None = None
    newest_number: int | None = None
    """The highest evaluation number among cached documents of that FMSPC."""
    ends: tuple[Dated, ...] = ()
    """What ends the evidence, the first end at the front."""


@dataclass(frozen=True, slots=True)
class Engine:
    """CometBFT on this machine."""

    wanted: bool
    """Whether this home or its configuration has this program start it."""
    path: str
    fault: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was gathered; None: not asked for, or it could not be."""

    subject: Subject
    platform: Platform | None = None
    hardening: Hardening | None = None
    clock: Clock | None = None
    disk: Disk | None = None
    home: HomeFolder | None = None
    ports: tuple[Port, ...] | None = None
    peers: tuple[Peer, ...] | None = None
    node: Node | None = None
    genesis: Genesis | None = None
    trusted: Trusted | None = None
    evidence: tuple[EvidenceFile, ...] | None = None
    engine: Engine | None = None
    faults: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Why a probe gave nothing, by its name."""

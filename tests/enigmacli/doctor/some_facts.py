"""Facts of a home where all is well; each test changes what it is about."""

from pathlib import Path
from typing import Any, Final

from enigmacli.chain.records import NodeRecord
from enigmacli.config import Config
from enigmacli.doctor.facts import (
    Backup,
    Clock,
    Dated,
    Disk,
    Engine,
    EvidenceFile,
    Facts,
    Genesis,
    Hardening,
    Held,
    HomeFolder,
    Mode,
    Node,
    Peer,
    Platform,
    Port,
    Sealed,
    Trusted,
)
from enigmacli.doctor.subject import Subject

NOW_US: Final = 1_800_000_000_000_000
DAY_US: Final = 86_400_000_000
HOME: Final = Path("/home/node")
NODE_ID: Final = bytes(31) + b"\x01"

SEED: Final = Sealed("seed.sealed", "seed", 1, "aa" * 32)
KEY: Final = Sealed("registration.sealed", "registration", 1, "bb" * 32)
CLOCK_FILE: Final = Sealed("clock.sealed", "clock", 7, "cc" * 32)

SUBJECT: Final = Subject(home=HOME, config=Config(), now_us=lambda: NOW_US)
PLATFORM: Final = Platform(
    (), has_tsm=False, cpu_flags=frozenset(), has_aesm=False, gramine=("gramine-sgx",),
    gramine_version="1.9",
)  # fmt: skip
HARDENING: Final = Hardening(
    ("no-core-dumps", "not-dumpable", "no-new-privileges", "dies-with-parent"),
    1, "core", (), 64 * 1024, ("seccomp",),
)  # fmt: skip
CLOCK: Final = Clock(NOW_US, synchronised=True, service="https://as.example", service_us=NOW_US)
DISK: Final = Disk(HOME, 2**40, -1, "ext4", read_only=False, sync_fault="")
FOLDER: Final = HomeFolder(
    exists=True, unknown_variables=(), owner_pid=None, uid=1000, modes=(Mode(HOME, 0o700, 1000),)
)
RECORD: Final = NodeRecord(NODE_ID, bytes(32), bytes(48), bytes(20), 5, "epid", bytes(32), "OK", 0)
NODE: Final = Node(
    "http://127.0.0.1:26657", "", 0.01, "net-1", 9, NOW_US - 1_000_000,
    genesis_sha256="ee" * 32, records=(RECORD,),
)  # fmt: skip
GENESIS: Final = Genesis(
    "", chain_id="net-1", sha256="ee" * 32, bootstrapped=True, has_policy=True, simulation=True,
    policy_sha256="dd" * 32, mr_enclaves=("11" * 32,), network_id="22" * 32,
)  # fmt: skip
HELD: Final = Held(
    "11" * 32, "simulation", simulation=True, network_id="22" * 32, node_id=NODE_ID.hex(), seeds=1,
    files=(KEY, SEED, CLOCK_FILE),
)  # fmt: skip
BACKUP: Final = Backup(HOME / "backup", NOW_US - DAY_US, "", (KEY, SEED))
TRUSTED: Final = Trusted(
    is_new=False, package_measurement="11" * 32, package_fault="", held=HELD,
    sealed_names=("registration.sealed", "seed.sealed"), backups=(BACKUP,),
)  # fmt: skip
EVIDENCE: Final = EvidenceFile(
    "attestation_combined.bin", "", "dcap-sgx", "accept", "ok", "fine", "UpToDate", "00906ed50000",
    17, 17, (Dated("tcb-info", NOW_US + 30 * DAY_US),),
)  # fmt: skip


def facts(**changes: Any) -> Facts:
    """All is well, but for ``changes``."""
    values: dict[str, Any] = {
        "platform": PLATFORM, "hardening": HARDENING, "clock": CLOCK, "disk": DISK,
        "home": FOLDER, "ports": (Port("rpc.listen", "127.0.0.1:26657", ""),),
        "peers": (Peer("00" * 20, "node.example:26656", ""),), "node": NODE, "genesis": GENESIS,
        "trusted": TRUSTED, "evidence": (EVIDENCE,),
        "engine": Engine(wanted=True, path="/bin/cometbft", fault=""),
    }  # fmt: skip
    return Facts(**{"subject": SUBJECT, **values, **changes})

"""Every check with each of its outcomes; the facts are those of a good home, changed in one way."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from enigmacli.config import Config
from enigmacli.config_sections import ChainSection
from enigmacli.doctor.checks import CHECKS
from enigmacli.doctor.examination import judge
from enigmacli.doctor.facts import Backup, Device, Engine, Facts, Mode, Peer, Port
from enigmacli.doctor.findings import Finding, Severity
from enigmacli.doctor.groups import BEFORE_UPDATE, GROUPS
from tests.enigmacli.doctor.some_facts import (
    BACKUP,
    CLOCK,
    DAY_US,
    DISK,
    EVIDENCE,
    FOLDER,
    GENESIS,
    HARDENING,
    HELD,
    HOME,
    KEY,
    NODE,
    NOW_US,
    PLATFORM,
    RECORD,
    SUBJECT,
    TRUSTED,
    facts,
)

INTEL = replace(GENESIS, simulation=False)
SGX = replace(
    PLATFORM,
    devices=(Device("/dev/sgx_enclave", usable=True),),
    cpu_flags=frozenset({"sgx"}),
    has_aesm=True,
    gramine=(),
)
UNWANTED = Engine(wanted=False, path="", fault="there is none")
CLOSED = replace(SGX, devices=(Device("/dev/sgx_enclave", usable=False),), has_aesm=False)
UNSEEDED = replace(HELD, seeds=0, files=(KEY,))
KEYED = replace(TRUSTED, held=UNSEEDED, sealed_names=("registration.sealed",))
REJECTED = replace(EVIDENCE, verdict="reject", code="tcb-status", reason="no")
REAL = replace(HELD, simulation=False, backend="gramine")

Case = tuple[str, Severity, dict[str, Any]]

OK, NOTE, WARNING, ERROR = Severity

CASES: list[Case] = [
    ("home.exists", NOTE, {"home": replace(FOLDER, exists=False)}),
    ("home.config", ERROR, {"subject": replace(SUBJECT, config_fault="no TOML")}),
    ("home.variables", WARNING, {"home": replace(FOLDER, unknown_variables=("ENIGMA_RPC_LISTN",))}),
    ("home.process", OK, {"home": replace(FOLDER, owner_pid=7)}),
    ("home.process", OK, {"home": replace(FOLDER, owner_pid=0)}),
    ("permissions.owner", ERROR, {"home": replace(FOLDER, uid=1001)}),
    ("permissions.owner", ERROR, {"home": replace(FOLDER, uid=0)}),
    (
        "permissions.modes",
        ERROR,
        {"home": replace(FOLDER, modes=(Mode(HOME / "enclave", 0o750, 1000),))},
    ),
    ("disk.space", WARNING, {"disk": replace(DISK, free_bytes=2**29)}),
    ("disk.space", WARNING, {"disk": replace(DISK, free_files=500)}),
    ("disk.space", ERROR, {"disk": replace(DISK, free_bytes=2**20)}),
    ("disk.space", ERROR, {"disk": replace(DISK, free_files=3)}),
    ("disk.filesystem", ERROR, {"disk": replace(DISK, read_only=True)}),
    ("disk.filesystem", WARNING, {"disk": replace(DISK, filesystem="tmpfs")}),
    ("disk.filesystem", WARNING, {"disk": replace(DISK, filesystem="nfs4")}),
    ("disk.filesystem", WARNING, {"disk": replace(DISK, filesystem="fuse.sshfs")}),
    ("disk.filesystem", WARNING, {"disk": replace(DISK, filesystem="vfat")}),
    ("disk.filesystem", NOTE, {"disk": replace(DISK, filesystem="overlay")}),
    ("disk.sync", ERROR, {"disk": replace(DISK, sync_fault="invalid argument")}),
    ("clock.kept", WARNING, {"clock": replace(CLOCK, synchronised=False)}),
    ("clock.kept", NOTE, {"clock": replace(CLOCK, synchronised=None)}),
    ("clock.node", ERROR, {"node": replace(NODE, block_us=NOW_US + 11_000_000)}),
    ("clock.node", OK, {"node": replace(NODE, block_us=NOW_US + 9_000_000)}),
    ("clock.service", NOTE, {"clock": replace(CLOCK, service="")}),
    ("clock.service", NOTE, {"clock": replace(CLOCK, service_us=None)}),
    ("clock.service", WARNING, {"clock": replace(CLOCK, service_us=NOW_US + 61_000_000)}),
    ("clock.service", ERROR, {"clock": replace(CLOCK, service_us=NOW_US - 301_000_000)}),
    ("platform.tee", NOTE, {}),
    ("platform.tee", ERROR, {"genesis": INTEL}),
    (
        "platform.tee",
        ERROR,
        {"genesis": INTEL, "platform": replace(PLATFORM, cpu_flags=frozenset({"sgx"}))},
    ),
    ("platform.tee", OK, {"platform": SGX}),
    ("platform.tee", OK, {"platform": replace(PLATFORM, has_tsm=True)}),
    ("platform.access", OK, {"platform": SGX}),
    ("platform.access", NOTE, {"platform": CLOSED}),
    ("platform.access", WARNING, {"platform": CLOSED, "genesis": INTEL}),
    ("platform.aesm", OK, {"platform": SGX}),
    ("platform.aesm", NOTE, {"platform": CLOSED}),
    ("platform.aesm", WARNING, {"platform": CLOSED, "genesis": INTEL}),
    ("platform.gramine", NOTE, {"platform": SGX}),
    ("platform.gramine", WARNING, {"platform": SGX, "genesis": INTEL}),
    ("hardening.process", WARNING, {"hardening": replace(HARDENING, measures=("not-dumpable",))}),
    ("hardening.ptrace", NOTE, {"hardening": replace(HARDENING, ptrace_scope=0)}),
    (
        "hardening.ptrace",
        WARNING,
        {"hardening": replace(HARDENING, ptrace_scope=None, measures=())},
    ),
    ("hardening.core-files", WARNING, {"hardening": replace(HARDENING, measures=())}),
    ("hardening.core-files", OK, {"hardening": replace(HARDENING, measures=("no-core-dumps",))}),
    (
        "hardening.core-files",
        WARNING,
        {"hardening": replace(HARDENING, core_pattern="|x", measures=("no-core-dumps",))},
    ),
    ("hardening.swap", NOTE, {"hardening": replace(HARDENING, swaps=("/dev/sda2",))}),
    (
        "hardening.swap",
        WARNING,
        {"hardening": replace(HARDENING, swaps=("/dev/sda2",)), "genesis": INTEL},
    ),
    ("hardening.unused", NOTE, {"hardening": replace(HARDENING, memlock_bytes=None)}),
    ("ports.rpc", OK, {"ports": (Port("rpc.listen", "127.0.0.1:1", "us"),)}),
    ("ports.rpc", ERROR, {"ports": (Port("rpc.listen", "127.0.0.1:1", "other"),)}),
    ("ports.p2p", ERROR, {"ports": (Port("p2p.listen", "127.0.0.1:1", "other"),)}),
    (
        "ports.p2p",
        NOTE,
        {"ports": (Port("p2p.listen", "127.0.0.1:1", "other"),), "engine": UNWANTED},
    ),
    ("peers.reachable", OK, {"peers": ()}),
    ("peers.reachable", ERROR, {"peers": (Peer("a", "h:1", "refused"),)}),
    ("peers.reachable", WARNING, {"peers": (Peer("a", "h:1", "refused"), Peer("b", "h:2", ""))}),
    ("node.answers", WARNING, {"node": replace(NODE, latency_s=1.5)}),
    ("node.answers", NOTE, {"node": replace(NODE, fault="refused")}),
    (
        "node.answers",
        ERROR,
        {"node": replace(NODE, fault="refused"), "home": replace(FOLDER, owner_pid=7)},
    ),
    (
        "node.answers",
        ERROR,
        {"node": replace(NODE, fault="refused", url="http://node.example:26657")},
    ),
    ("node.synced", WARNING, {"node": replace(NODE, catching_up=True)}),
    ("node.blocks", WARNING, {"node": replace(NODE, block_us=NOW_US - 121_000_000)}),
    ("node.blocks", ERROR, {"node": replace(NODE, block_us=NOW_US - 3_601_000_000)}),
    ("chain.id", ERROR, {"node": replace(NODE, chain_id="net-2")}),
    (
        "chain.id",
        ERROR,
        {"subject": replace(SUBJECT, config=Config(chain=ChainSection(chain_id="net-3")))},
    ),
    ("chain.id", NOTE, {"node": None, "genesis": None}),
    ("chain.genesis", ERROR, {"genesis": replace(GENESIS, fault="malformed")}),
    ("chain.genesis", NOTE, {"genesis": replace(GENESIS, bootstrapped=False)}),
    ("chain.genesis", ERROR, {"node": replace(NODE, genesis_sha256="00" * 32)}),
    ("chain.genesis", OK, {"node": None}),
    ("chain.registered", NOTE, {"node": replace(NODE, records=())}),
    ("chain.registered", WARNING, {"node": replace(NODE, records=()), "trusted": KEYED}),
    ("policy.settings", ERROR, {"genesis": replace(GENESIS, has_policy=False)}),
    ("policy.settings", WARNING, {"genesis": replace(GENESIS, policy_warnings=("measurements",))}),
    ("engine.version", ERROR, {"engine": replace(UNWANTED, wanted=True)}),
    ("engine.version", NOTE, {"engine": UNWANTED}),
    ("enclave.package", ERROR, {"trusted": replace(TRUSTED, package_fault="none")}),
    ("enclave.measurement", ERROR, {"trusted": replace(TRUSTED, package_measurement="99" * 32)}),
    ("enclave.starts", NOTE, {"trusted": replace(TRUSTED, is_new=True, held=None)}),
    (
        "enclave.starts",
        ERROR,
        {"trusted": replace(TRUSTED, held=None, fault="elsewhere", fault_code="sealed")},
    ),
    ("enclave.network", ERROR, {"genesis": replace(GENESIS, network_id="33" * 32)}),
    ("backup.exists", WARNING, {"trusted": replace(TRUSTED, backups=())}),
    (
        "backup.opens",
        WARNING,
        {"trusted": replace(TRUSTED, backups=(replace(BACKUP, fault="torn"),))},
    ),
    (
        "backup.current",
        WARNING,
        {"trusted": replace(TRUSTED, backups=(replace(BACKUP, files=(KEY,)),))},
    ),
    ("evidence.readable", NOTE, {"evidence": (), "trusted": KEYED}),
    ("evidence.readable", NOTE, {"evidence": (replace(EVIDENCE, fault="torn"),)}),
    (
        "evidence.readable",
        ERROR,
        {"evidence": (replace(EVIDENCE, fault="torn"),), "trusted": KEYED},
    ),
    ("evidence.accepted", NOTE, {"evidence": (REJECTED,)}),
    ("evidence.accepted", ERROR, {"evidence": (REJECTED,), "trusted": KEYED}),
    ("tcb.status", NOTE, {"evidence": (replace(EVIDENCE, status="SWHardeningNeeded"),)}),
    ("tcb.status", WARNING, {"evidence": (replace(EVIDENCE, status="OutOfDate"),)}),
    ("tcb.recovery", WARNING, {"evidence": (replace(EVIDENCE, newest_number=18),)}),
    ("join.unfinished", NOTE, {"trusted": KEYED}),
    (
        "join.unfinished",
        NOTE,
        {"trusted": replace(KEYED, held=replace(UNSEEDED, sent_tx="AB" * 32))},
    ),
    ("doctor.incomplete", WARNING, {"node": None, "faults": {"node": "it did not end"}}),
    ("update.state", OK, {"trusted": replace(TRUSTED, sealed_names=())}),
    ("update.state", ERROR, {"trusted": replace(TRUSTED, held=None, fault="elsewhere")}),
    ("update.binding", NOTE, {}),
    ("update.binding", WARNING, {"trusted": replace(TRUSTED, held=REAL)}),
    ("update.backup", WARNING, {"trusted": replace(TRUSTED, held=None)}),
    ("update.backup", ERROR, {"trusted": replace(TRUSTED, held=None, backups=())}),
    ("update.backup", ERROR, {"trusted": replace(TRUSTED, backups=())}),
    (
        "update.backup",
        ERROR,
        {"trusted": replace(TRUSTED, backups=(Backup(Path("b"), 0, "torn"),))},
    ),
    (
        "update.backup",
        ERROR,
        {"trusted": replace(TRUSTED, backups=(replace(BACKUP, files=(KEY,)),))},
    ),
    ("update.holders", WARNING, {"node": None}),
    ("update.holders", WARNING, {"node": replace(NODE, records=())}),
    (
        "update.holders",
        ERROR,
        {"node": replace(NODE, records=()), "trusted": replace(TRUSTED, held=REAL)},
    ),
    ("update.holders", OK, {"node": replace(NODE, records=(replace(RECORD, node_id=bytes(32)),))}),
    ("update.evidence", NOTE, {"trusted": replace(TRUSTED, held=REAL)}),
]
ENDS = [
    (30 * DAY_US, OK, OK),
    (2 * DAY_US, NOTE, WARNING),
    (-DAY_US, NOTE, ERROR),
]


def examined(of: Facts) -> dict[str, Finding]:
    """By id: here none comes twice."""
    return {finding.id: finding for finding in judge(of, (*GROUPS, BEFORE_UPDATE))}


@pytest.mark.parametrize(("check", "severity", "changes"), CASES)
def test_a_fact_is_judged(check: str, severity: Severity, changes: dict[str, Any]) -> None:
    finding = examined(facts(**changes))[check]

    assert finding.severity is severity, finding
    assert finding.seen
    assert finding.seen[-1] != "."
    assert finding.why == CHECKS[check].why


def test_in_a_good_home_all_is_well() -> None:
    found = examined(facts(platform=SGX, hardening=replace(HARDENING, offers=())))

    worse = {one.id for one in found.values() if one.severity is not OK}
    assert worse == {"platform.gramine", "hardening.unused", "update.binding"}


@pytest.mark.parametrize(("left_us", "seeded", "unseeded"), ENDS)
def test_evidence_that_runs_out_matters_until_the_seed_is_held(
    left_us: int, seeded: Severity, unseeded: Severity
) -> None:
    ends = (replace(EVIDENCE.ends[0], end_us=NOW_US + left_us),)
    files = (replace(EVIDENCE, ends=ends),)

    got = [examined(facts(evidence=files, trusted=held)) for held in (TRUSTED, KEYED)]

    assert [one["evidence.expiry"].severity for one in got] == [seeded, unseeded]


def test_every_listed_check_is_found_by_some_judgement() -> None:
    always = set(examined(facts()))

    assert always | {check for check, _, _ in CASES} == set(CHECKS)


def test_every_error_and_warning_says_what_helps_where_something_does() -> None:
    for check, severity, changes in CASES:
        finding = examined(facts(**changes))[check]
        without = {"chain.genesis", "enclave.starts", "update.state"}  # the cause names its own
        assert severity < WARNING or finding.hint or check in without, finding


def test_nothing_is_judged_where_nothing_was_gathered() -> None:
    assert set(examined(Facts(SUBJECT))) == {"home.config", "chain.id"}

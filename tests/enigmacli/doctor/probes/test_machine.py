"""Probes of the machine, over a folder in the place of ``/``."""

from dataclasses import replace
from pathlib import Path

import pytest

from enigmacli.config import Config
from enigmacli.config_sections import RpcSection
from enigmacli.doctor.judgements.hardening import MEASURES
from enigmacli.doctor.probes import clock, disk, hardening, platform, ports
from enigmacli.doctor.subject import Subject
from tests.enigmacli.doctor.some_facts import NOW_US

TABLE = "sl local rem st tx tr tm retr uid timeout inode\n"
LISTENING = " 0: 0100007F:{port:04X} 00000000:0000 0A 0:0 00:0 0 1000 0 {inode} 1\n"


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    root = tmp_path / "root"
    (root / "proc").mkdir(parents=True)
    return Subject(home=tmp_path / "home", config=Config(), now_us=lambda: NOW_US, root=root)


def put(subject: Subject, name: str, text: str = "") -> None:
    file = subject.root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_devices_flags_and_sockets_are_found(subject: Subject) -> None:
    for name in ("dev/sgx_enclave", "var/run/aesmd/aesm.socket", "sys/kernel/config/tsm/report/x"):
        put(subject, name)
    put(
        subject, "proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu sgx sgx_lc\n\nflags\t: tdx_guest\n"
    )

    seen = platform.probe(subject)

    assert [(one.path, one.usable) for one in seen.devices] == [("/dev/sgx_enclave", True)]
    assert seen.cpu_flags == {"sgx", "sgx_lc"}
    assert (seen.has_tsm, seen.has_aesm) == (True, True)


def test_a_machine_without_any_of_it_is_no_failure(subject: Subject) -> None:
    seen = platform.probe(subject)

    assert not any((seen.devices, seen.cpu_flags, seen.has_tsm, seen.has_aesm))


def test_gramine_s_version_is_that_of_its_python_package(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "gramine/bin/gramine-sgx"
    metadata = tmp_path / "gramine/lib/python3.11/site-packages/graminelibos.dist-info/METADATA"
    for file in (program, metadata):
        file.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    metadata.write_text("Name: graminelibos\nVersion: 1.9\n")
    monkeypatch.setenv("PATH", str(program.parent))

    seen = platform.probe(subject)

    assert (seen.gramine, seen.gramine_version) == (("gramine-sgx",), "1.9")


def test_the_kernel_s_settings_are_read_and_memory_is_no_swap(subject: Subject) -> None:
    put(subject, "proc/sys/kernel/yama/ptrace_scope", "2\n")
    put(subject, "proc/sys/kernel/core_pattern", "|/bin/crash %p\n")
    put(subject, "proc/sys/kernel/seccomp/actions_avail", "kill\n")
    put(subject, "sys/kernel/security/lsm", "capability,landlock")
    put(subject, "proc/swaps", "Filename Type\n/dev/zram0 partition\n/dev/sda2 partition\n")

    seen = hardening.probe(subject)

    assert (seen.ptrace_scope, seen.core_pattern) == (2, "|/bin/crash %p")
    assert (seen.swaps, seen.offers) == (("/dev/sda2",), ("seccomp", "landlock"))


def test_the_enclave_s_own_measures_are_tried_in_a_process(subject: Subject) -> None:
    seen = hardening.probe(subject)

    assert set(seen.measures) <= set(MEASURES)
    assert "no-core-dumps" in seen.measures
    assert seen.ptrace_scope is None


def test_a_service_that_cannot_be_reached_has_no_time(subject: Subject) -> None:
    seen = clock.probe(subject)

    assert seen.service == "http://127.0.0.1:8090"
    assert seen.service_us is None
    assert seen.now_us >= NOW_US


@pytest.mark.parametrize(
    ("mounts", "kind"),
    [
        ("/dev/a / ext4 rw 0 0\ntmpfs {0} tmpfs rw 0 0\n", "tmpfs"),
        ("tmpfs / tmpfs rw 0 0\n/dev/a / ext4 rw 0 0\n", "ext4"),
        ("/dev/a / ext4 rw 0 0\nnfs {0}x nfs4 rw 0 0\n", "ext4"),
        ("nonsense\n", ""),
    ],
)
def test_the_file_system_is_that_of_the_nearest_mount(
    subject: Subject, mounts: str, kind: str
) -> None:
    put(subject, "proc/self/mounts", mounts.format(subject.home.parent))

    seen = disk.probe(subject)

    assert seen.filesystem == kind
    assert seen.path == subject.home.parent
    assert seen.free_bytes > 0
    assert seen.sync_fault == ""


@pytest.mark.parametrize(
    ("listen", "held_by"),
    [
        ("127.0.0.1:26657", "other"),
        ("0.0.0.0:26657", "other"),
        ("127.0.0.2:26657", ""),
        ("127.0.0.1:26658", ""),
    ],
)
def test_an_address_is_taken_by_whoever_listens_on_it(
    subject: Subject, listen: str, held_by: str
) -> None:
    put(subject, "proc/net/tcp", TABLE + LISTENING.format(port=26657, inode=77))

    rpc, _ = ports.probe(replace(subject, config=Config(rpc=RpcSection(listen=listen))))

    assert (rpc.listen, rpc.held_by) == (listen, held_by)


def test_port_0_is_always_free(subject: Subject) -> None:
    found = ports.probe(replace(subject, config=Config(rpc=RpcSection(listen="127.0.0.1:0"))))

    assert [port.key for port in found] == ["p2p.listen"]


def test_sockets_are_found_in_a_process_and_its_children(subject: Subject) -> None:
    for pid, parent, inode in ((7, 1, 77), (8, 7, 88), (9, 1, 99)):
        put(subject, f"proc/{pid}/stat", f"{pid} (a b) S {parent} 0")
        (subject.root / f"proc/{pid}/fd").mkdir()
        (subject.root / f"proc/{pid}/fd/3").symlink_to(f"socket:[{inode}]")

    assert ports.sockets_of_family(subject.root / "proc", 7) == {"77", "88"}

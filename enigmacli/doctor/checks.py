"""Every finding that there can be: why it matters, and the exit code of an error.

A judgement makes findings only by :func:`found`, so none is missing here; docs/doctor.md has
a section for each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from enigmacli.doctor.findings import Finding, Severity


@dataclass(frozen=True, slots=True)
class Check:
    """What one id is about."""

    why: str
    """Why it matters; one line."""
    exit_code: int = 3
    """Of an error: by its cause, as everywhere in the program."""


CHECKS: Final[Mapping[str, Check]] = MappingProxyType(
    {
        "doctor.incomplete": Check("what was not examined may be wrong"),
        "home.exists": Check("everything this node is and knows lies in its home"),
        "home.config": Check("no command runs with a configuration that cannot be read"),
        "home.variables": Check("a mistyped variable changes nothing, and nobody says so"),
        "home.process": Check("one process at a time may change a home"),
        "permissions.owner": Check("the node cannot write what another user owns"),
        "permissions.modes": Check("whoever can read a key can be this node"),
        "disk.space": Check("a full disk stops the node: it can neither seal nor store a block"),
        "disk.filesystem": Check("keys must outlive a restart, and locks must hold"),
        "disk.sync": Check("what is not made durable is lost with the power"),
        "clock.kept": Check("evidence, headers and certificates are judged by this clock"),
        "clock.node": Check("headers from the future are refused"),
        "clock.service": Check("evidence from the future, or too old, is refused"),
        "platform.tee": Check("evidence of a real network comes from SGX or TDX hardware"),
        "platform.access": Check("an enclave's process has to open these devices"),
        "platform.aesm": Check("it starts Intel's own enclaves, which sign quotes"),
        "platform.gramine": Check("it is what runs the trusted program inside SGX"),
        "hardening.process": Check("each measure keeps other programs from the enclave's memory"),
        "hardening.ptrace": Check("who may trace a process may read its memory"),
        "hardening.core-files": Check("a core file is a copy of a process's memory"),
        "hardening.swap": Check("swap is a copy of memory, and the enclave locks none of its own"),
        "hardening.unused": Check("further walls that a service manager can put up"),
        "ports.rpc": Check("the node does not start on an address that is taken"),
        "ports.p2p": Check("the node does not start on an address that is taken"),
        "peers.reachable": Check("without peers no block arrives and none is decided", 4),
        "node.answers": Check("whether a node is admitted, only the network can say", 4),
        "node.synced": Check("a node that catches up shows an old state"),
        "node.blocks": Check("a chain that makes no blocks admits nobody", 4),
        "chain.id": Check("what is signed for one chain is refused by every other"),
        "chain.genesis": Check("the genesis document is the network: its keys, policy, validators"),
        "chain.registered": Check("only a registered node is given the seed"),
        "policy.settings": Check(
            "such a setting refuses good evidence, or admits what it should not"
        ),
        "engine.version": Check("CometBFT of another line speaks another protocol"),
        "enclave.package": Check("the trusted package is what a policy measures"),
        "enclave.starts": Check("the enclave holds every key of this node", 8),
        "enclave.measurement": Check("a network refuses code that its policy does not name", 6),
        "enclave.network": Check("a seed of one network opens nothing of another"),
        "backup.exists": Check("sealed files that are lost cannot be made again"),
        "backup.opens": Check("a backup that does not open is none", 8),
        "backup.current": Check("an older backup lacks the newest seeds"),
        "evidence.readable": Check("what is not authentic proves nothing", 5),
        "evidence.accepted": Check("validators judge by the same rules", 6),
        "evidence.expiry": Check("evidence that has run out registers nobody"),
        "tcb.status": Check("it says whether this platform's known weaknesses are mended"),
        "tcb.recovery": Check("newer documents of Intel's may judge this platform worse"),
        "join.unfinished": Check("a join goes on where it stopped"),
        "update.binding": Check("a sealed file opens with the key that sealed it alone"),
        "update.state": Check("what does not open before the update will not after it", 8),
        "update.backup": Check("without one, whatever the update takes is gone"),
        "update.holders": Check("a seed that nobody else holds is lost with this home"),
        "update.evidence": Check("evidence states the platform as it was before the update"),
    }
)
"""By id, ``group.name``, in the order of the report."""


def found(check: str, severity: Severity, seen: str, hint: str | None = None) -> Finding:
    """A finding of a listed check.

    Raises:
        KeyError: it is not listed.
    """
    return Finding(check, severity, seen, CHECKS[check].why, hint)


def ok(check: str, seen: str) -> Finding:
    """All is well."""
    return found(check, Severity.OK, seen)


def note(check: str, seen: str, hint: str | None = None) -> Finding:
    """Worth knowing."""
    return found(check, Severity.NOTE, seen, hint)


def warning(check: str, seen: str, hint: str | None) -> Finding:
    """Works now, and will hurt later."""
    return found(check, Severity.WARNING, seen, hint)


def error(check: str, seen: str, hint: str | None) -> Finding:
    """Does not work, or loses something."""
    return found(check, Severity.ERROR, seen, hint)

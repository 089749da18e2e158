"""The groups of findings in the order of the report: which facts each needs, and who judges."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from enigmacli.doctor.facts import Facts
from enigmacli.doctor.findings import Finding
from enigmacli.doctor.judgements import (
    backup,
    chain,
    clock,
    disk,
    enclave,
    engine,
    evidence,
    hardening,
    home,
    join,
    network,
    node,
    permissions,
    platform,
    policy,
    update,
)


@dataclass(frozen=True, slots=True)
class Group:
    """What belongs together in a report."""

    name: str
    judge: Callable[[Facts], Iterator[Finding]]
    facts: tuple[str, ...]
    """The fields of :class:`Facts` that it looks at."""


GROUPS: Final = (
    Group("home", home.judge, ("home",)),
    Group("permissions", permissions.judge, ("home",)),
    Group("disk", disk.judge, ("disk",)),
    Group("clock", clock.judge, ("clock", "node")),
    Group("platform", platform.judge, ("platform", "genesis")),
    Group("hardening", hardening.judge, ("hardening", "genesis")),
    Group("ports", network.judge_ports, ("ports", "engine")),
    Group("peers", network.judge_peers, ("peers",)),
    Group("node", node.judge, ("node", "home", "clock")),
    Group("chain", chain.judge, ("node", "genesis", "home", "trusted")),
    Group("policy", policy.judge, ("genesis",)),
    Group("engine", engine.judge, ("engine",)),
    Group("enclave", enclave.judge, ("trusted", "genesis")),
    Group("backup", backup.judge, ("trusted",)),
    Group("evidence", evidence.judge, ("evidence", "trusted")),
    Group("tcb", evidence.judge_tcb, ("evidence",)),
    Group("join", join.judge, ("trusted",)),
)
"""What ``doctor`` examines."""

BEFORE_UPDATE: Final = Group("update", update.judge, ("trusted", "node", "evidence"))
"""What ``doctor --before-update`` examines."""

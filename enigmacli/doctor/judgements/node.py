"""``node``: does the node that is asked answer, and is it up to date?"""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from enigmacli.doctor.checks import error, note, ok, warning
from enigmacli.doctor.facts import Facts, Node
from enigmacli.doctor.findings import Finding

SLOW_S: Final = 1.0
OLD_S: Final = 120
STOPPED_S: Final = 3_600

_US: Final = 1_000_000
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def judge(facts: Facts) -> Iterator[Finding]:
    """Findings about the node at ``[chain] node``."""
    node, program = facts.node, facts.subject.program
    if node is None:
        return
    if node.fault:
        yield _silent(facts, node)
        return
    seen = f"{node.url} answers in {node.latency_s * 1000:.0f} ms, height {node.height}"
    if node.latency_s > SLOW_S:
        yield warning(
            "node.answers", seen, f"ask a nearer one: {program} config set chain.node URL"
        )
    else:
        yield ok("node.answers", seen)
    if node.catching_up:
        yield warning("node.synced", "the node is catching up", f"{program} status --watch")
    else:
        yield ok("node.synced", "the node says that it is up to date")
    if node.block_us and facts.clock is not None:
        yield _age((facts.clock.now_us - node.block_us) / _US)


def _silent(facts: Facts, node: Node) -> Finding:
    program = facts.subject.program
    if _is_our_own(facts, node):
        return note("node.answers", "this home's own node does not run", f"{program} start")
    hint = f"start it, or name another: {program} config set chain.node URL"
    return error("node.answers", node.fault, hint)


def _is_our_own(facts: Facts, node: Node) -> bool:
    """Whether the address is the one on which this home's node would listen, and it does not."""
    where, listen = urlsplit(node.url), facts.subject.config.rpc.listen
    same = where.hostname in _LOOPBACK and str(where.port) == listen.rpartition(":")[2]
    return same and facts.home is not None and facts.home.owner_pid is None


def _age(age_s: float) -> Finding:
    seen = f"the newest block is {max(0, age_s):.0f} s old"
    hint = "ask the network's operators; more than 2/3 of the power must vote"
    if age_s > STOPPED_S:
        return error("node.blocks", seen, hint)
    if age_s > OLD_S:
        return warning("node.blocks", seen, hint)
    return ok("node.blocks", seen)

"""``ports`` and ``peers``: can the node be reached, and reach others?"""

from collections.abc import Iterator, Sequence

from enigmacli.doctor.checks import error, note, ok, warning
from enigmacli.doctor.facts import Facts, Peer, Port
from enigmacli.doctor.findings import Finding


def judge_ports(facts: Facts) -> Iterator[Finding]:
    """Findings about the addresses to listen on; P2P is CometBFT's alone."""
    engine = facts.engine
    for port in facts.ports or ():
        check = f"ports.{port.key.partition('.')[0]}"
        used = port.key != "p2p.listen" or engine is None or engine.wanted
        yield _port(check, port, facts.subject.program, used=used)


def _port(check: str, port: Port, program: str, *, used: bool) -> Finding:
    if port.held_by == "us":
        return ok(check, f"this home's process listens on {port.listen}")
    if not port.held_by:
        return ok(check, f"{port.listen} is free")
    seen = f"another process listens on {port.listen}"
    hint = f"stop it (ss -ltnp), or: {program} config set {port.key} HOST:PORT"
    return error(check, seen, hint) if used else note(check, f"{seen}; only CometBFT needs it")


def judge_peers(facts: Facts) -> Iterator[Finding]:
    """Findings about the nodes that the configuration names."""
    if facts.peers is not None:
        yield _peers(facts.peers, facts.subject.program)


def _peers(peers: Sequence[Peer], program: str) -> Finding:
    if not peers:
        return ok("peers.reachable", "the configuration names none")
    silent = [peer for peer in peers if peer.fault]
    if not silent:
        return ok("peers.reachable", f"all {len(peers)} take connections")
    first = silent[0]
    seen = f"{len(silent)} of {len(peers)} do not: {first.address} ({first.fault})"
    hint = f"ask its operator, or: {program} config set p2p.persistent_peers ID@HOST:PORT,…"
    judged = error if len(silent) == len(peers) else warning
    return judged("peers.reachable", seen, hint)

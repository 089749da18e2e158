"""``chain``: do configuration, genesis document, node and enclave mean the same network?"""

from collections.abc import Iterator

from enigmacli.doctor.checks import error, note, ok, warning
from enigmacli.doctor.facts import Facts, Genesis, Held
from enigmacli.doctor.findings import Finding


def judge(facts: Facts) -> Iterator[Finding]:
    """Findings about which network this home is of."""
    yield _chain_id(facts)
    genesis = facts.genesis
    if genesis is None or (facts.home is not None and not facts.home.exists):
        return
    if genesis.fault:
        yield error("chain.genesis", genesis.fault, genesis.fault_hint or None)
        return
    yield _genesis(facts, genesis)
    held = facts.trusted.held if facts.trusted else None
    if held is not None and held.node_id:
        yield from _registered(facts, held)


def _chain_id(facts: Facts) -> Finding:
    named = {
        "the configuration": facts.subject.config.chain.chain_id,
        "the genesis document": facts.genesis.chain_id if facts.genesis else "",
        "the node": facts.node.chain_id if facts.node else "",
    }
    known = {where: chain_id for where, chain_id in named.items() if chain_id}
    if len(set(known.values())) > 1:
        seen = ", ".join(f"{where} says {chain_id}" for where, chain_id in known.items())
        program = facts.subject.program
        hint = f"{program} config show --origin, and --home or --node of one network"
        return error("chain.id", seen, hint)
    if not known:
        return note("chain.id", "no chain id is known yet", f"{facts.subject.program} init MONIKER")
    return ok("chain.id", f"{next(iter(known.values()))}, by {' and '.join(known)}")


def _genesis(facts: Facts, genesis: Genesis) -> Finding:
    node = facts.node
    seen = f"sha256 {genesis.sha256[:16]}…"
    if not genesis.bootstrapped:
        hint = f"on the network's first node: {facts.subject.program} bootstrap"
        return note("chain.genesis", f"{seen}, without the network's keys", hint)
    if node is None or not node.genesis_sha256:
        return ok("chain.genesis", f"{seen}, compared with no node's")
    if node.genesis_sha256 != genesis.sha256:
        theirs = f"the node's is another one, sha256 {node.genesis_sha256[:16]}…"
        hint = "ask the operators for the hash, and use the home or node of that network"
        return error("chain.genesis", f"{seen}; {theirs}", hint)
    return ok("chain.genesis", f"{seen}, the node's as well")


def _registered(facts: Facts, held: Held) -> Iterator[Finding]:
    records = facts.node.records if facts.node else None
    if records is None:
        return
    program = facts.subject.program
    own = next((one for one in records if one.node_id.hex() == held.node_id), None)
    if own is not None:
        seen = f"at height {own.height}, {own.evidence_kind} {own.tcb_status}, as the node says"
        yield ok("chain.registered", seen)
    elif held.seeds:
        seen = "no, as the node says; the first node of a network never is"
        yield note("chain.registered", seen)
    else:
        yield warning("chain.registered", "not yet, as the node says", f"{program} join")

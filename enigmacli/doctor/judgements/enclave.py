"""``enclave``: does it start, open what it sealed, and is it the code that the policy allows?"""

from collections.abc import Iterator

from enigmacli.doctor.checks import error, note, ok
from enigmacli.doctor.facts import Facts, Genesis, Trusted
from enigmacli.doctor.findings import Finding


def judge(facts: Facts) -> Iterator[Finding]:
    """Findings about the trusted side."""
    trusted, program = facts.trusted, facts.subject.program
    if trusted is None:
        return
    if trusted.package_fault:
        yield error("enclave.package", trusted.package_fault, f"{program} config show enclave.path")
        return
    yield ok("enclave.package", f"measured {trusted.package_measurement[:16]}…")
    if facts.genesis is not None and facts.genesis.mr_enclaves:
        yield _measurement(trusted, facts.genesis, program)
    yield _starts(trusted, program)
    if trusted.held is not None and facts.genesis is not None and trusted.held.network_id:
        yield from _network(trusted.held.network_id, facts.genesis)


def _measurement(trusted: Trusted, genesis: Genesis, program: str) -> Finding:
    if trusted.package_measurement in genesis.mr_enclaves:
        return ok("enclave.measurement", "the policy names this code")
    seen = (
        f"{trusted.package_measurement[:16]}… is not among the {len(genesis.mr_enclaves)} "
        "measurements that the policy names"
    )
    hint = f"install the release that the network runs; {program} explain measurement-not-allowed"
    return error("enclave.measurement", seen, hint)


def _starts(trusted: Trusted, program: str) -> Finding:
    if trusted.is_new:
        return note("enclave.starts", "nothing was made yet", f"{program} enclave keygen")
    held = trusted.held
    if held is None:
        hint = f"{program} explain {trusted.fault_code}" if trusted.fault_code else None
        return error("enclave.starts", trusted.fault, hint)
    key = "a registration key" if held.node_id else "no registration key"
    seeds = f"{held.seeds} seed{'' if held.seeds == 1 else 's'}" if held.seeds else "no seed"
    return ok("enclave.starts", f"{held.backend}; {key} and {seeds} open")


def _network(network_id: str, genesis: Genesis) -> Iterator[Finding]:
    if not genesis.network_id:
        return
    if network_id == genesis.network_id:
        yield ok("enclave.network", "its files are of this genesis document's network")
    else:
        seen = "its files are of another network: chain id or policy differ"
        hint = "bring that network's genesis document back, or use another home"
        yield error("enclave.network", seen, hint)

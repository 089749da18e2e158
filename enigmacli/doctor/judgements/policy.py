"""``policy``: is it a sound one, and for what kind of network?"""

from collections.abc import Iterator

from enigmacli.doctor.checks import error, ok, warning
from enigmacli.doctor.facts import Facts
from enigmacli.doctor.findings import Finding


def judge(facts: Facts) -> Iterator[Finding]:
    """Findings about the policy in the genesis document."""
    genesis, program = facts.genesis, facts.subject.program
    if genesis is None or genesis.fault:
        return
    if not genesis.has_policy:
        hint = f"{program} genesis set-policy FILE"
        yield error("policy.settings", "the genesis document has no policy", hint)
        return
    kind = "simulated, protects nothing" if genesis.simulation else "Intel's attestation"
    seen = f"{kind}, sha256 {genesis.policy_sha256[:16]}…"
    if genesis.policy_warnings:
        named = ", ".join(genesis.policy_warnings)
        yield warning(
            "policy.settings", f"look again at {named} ({seen})", f"{program} policy check"
        )
    else:
        yield ok("policy.settings", seen)

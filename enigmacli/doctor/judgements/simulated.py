"""Whether the home is of a simulated network, which asks nothing of the hardware."""

from enigmacli.doctor.facts import Facts


def is_simulated(facts: Facts) -> bool:
    """By its policy; where there is none yet, by what stands behind the enclave."""
    genesis = facts.genesis
    if genesis is not None and genesis.has_policy:
        return genesis.simulation
    return facts.subject.config.enclave.backend == "simulation"

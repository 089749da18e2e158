"""This home's genesis document, and what is worth a second look in its policy."""

import hashlib
from dataclasses import replace

from enclave.appraise.reference_values import SgxMeasurement
from enclave.network import network_id
from enigmacli.app.genesis import GenesisDocument
from enigmacli.doctor.facts import Genesis
from enigmacli.doctor.subject import Subject
from enigmacli.errors import EnigmaError
from enigmacli.home import Home
from enigmacli.policy_warnings import policy_warnings


def probe(subject: Subject) -> Genesis:
    """Read and judge the document; whether it is the network's is not known here."""
    try:
        document = GenesisDocument.parse(Home(subject.home).read_genesis())
    except EnigmaError as error:
        return Genesis(error.message, error.hint)
    policy = document.app_state.policy
    found = Genesis(
        "",
        chain_id=document.chain_id,
        sha256=hashlib.sha256(document.encode()).hexdigest(),
        bootstrapped=document.app_state.keys is not None,
    )
    if policy is None:
        return found
    encoded = policy.encode()
    return replace(
        found,
        has_policy=True,
        simulation=policy.simulation,
        policy_sha256=hashlib.sha256(encoded).hexdigest(),
        policy_warnings=tuple(dict.fromkeys(one.member for one in policy_warnings(policy))),
        mr_enclaves=tuple(
            one.mr_enclave.hex() for one in policy.measurements if isinstance(one, SgxMeasurement)
        ),
        network_id=network_id(document.chain_id, encoded).hex(),
    )

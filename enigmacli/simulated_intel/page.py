"""SIMULATION ONLY: what a browser sees at the root of a simulated service."""

from typing import Final

from enigmacli.simulated_intel.exchange import Answer

_TEXT: Final = """\
SIMULATION ONLY

This is a simulated attestation service. It is not Intel's, it has never seen any hardware,
and its reports prove nothing. They count only in a network whose policy names this root:

{trust_root}

GET  /attestation/v4/sigrl/GID      POST /attestation/v4/report       (likewise v5)
POST /simulation/v1/provision       GET, POST /simulation/v1/faults
GET  /simulation/v1/root
"""


def answer(trust_root: str) -> Answer:
    """The page.

    Args:
        trust_root: as a policy's ``trust_roots`` names it.
    """
    body = _TEXT.format(trust_root=trust_root).encode()
    return Answer(200, body, {"Content-Type": "text/plain; charset=utf-8"})

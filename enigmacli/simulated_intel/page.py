"""SIMULATION ONLY: what a browser sees at the root of a simulated service."""

from typing import Final

from enigmacli.simulated_intel.exchange import Answer

IAS: Final = """\
GET  /attestation/v4/sigrl/GID      POST /attestation/v4/report       (likewise v5)
"""
PCS: Final = """\
GET  /sgx/certification/v4/pckcert, pckcerts, pckcrl, rootcacrl, crl, fmspcs, platforms
GET  /sgx/certification/v4/tcb, qe/identity, qve/identity, qae/identity, tcbevaluationdatanumbers
GET  /tdx/certification/v4/tcb, qe/identity, tcbevaluationdatanumbers
GET  /IntelSGXRootCA.der
"""

_TEXT: Final = """\
SIMULATION ONLY

This is a simulated attestation service. It is not Intel's, it has never seen any hardware,
and its reports and certificates prove nothing. They count only in a network whose policy
names this root:

{trust_root}

{paths}\
POST /simulation/v1/provision       GET, POST /simulation/v1/faults
GET  /simulation/v1/root
"""


def answer(paths: str, trust_root: str) -> Answer:
    """The page.

    Args:
        paths: what else can be asked, :data:`IAS` or :data:`PCS`.
        trust_root: as a policy's ``trust_roots`` names it.
    """
    body = _TEXT.format(paths=paths, trust_root=trust_root).encode()
    return Answer(200, body, {"Content-Type": "text/plain; charset=utf-8"})

"""A simulated PCS in memory, one provisioned platform, and how to ask."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from enclave.evidence import simulated_dcap
from enigmacli.simulated_intel import pck_certificates
from enigmacli.simulated_intel.exchange import Answer, Request
from enigmacli.simulated_intel.pcs import SimulatedPcs
from tests.simulators.dcap_pki_factory import key

AT_US: Final = 1_790_000_000_123_456  # 2026-09-21T14:13:20.123456Z
PCK: Final = simulated_dcap.raw_key(key("a platform").public_key())
FMSPC: Final = simulated_dcap.FMSPC.hex()
SGX: Final = "/sgx/certification/v4/"
TDX: Final = "/tdx/certification/v4/"


def get(
    pcs: SimulatedPcs, path: str, query: Mapping[str, str] | None = None, at_us: int = AT_US
) -> Answer:
    return pcs.answer(Request("GET", path, query or {}), at_us)


def post(pcs: SimulatedPcs, path: str, body: Any, **headers: str) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return pcs.answer(Request("POST", path, headers=headers, body=data), AT_US)


def order(pcs: SimulatedPcs, **settings: Any) -> dict[str, Any]:
    """Tell the service what to say from now on; what it then says it will."""
    answer = post(pcs, "/simulation/v1/faults", settings)
    assert answer.status == 200, answer.body
    said: dict[str, Any] = json.loads(answer.body)
    return said


def pck_query(**changed: str) -> dict[str, str]:
    """The query for the platform's PCK certificate."""
    return {
        "encrypted_ppid": pck_certificates.encrypted_ppid(PCK).hex(),
        "cpusvn": simulated_dcap.CPU_SVN.hex(),
        "pcesvn": "0d00",
        "pceid": "0000",
    } | changed


def chain(answer: Answer, header: str) -> list[x509.Certificate]:
    """The certificates of an issuer chain header, the issuer first."""
    return x509.load_pem_x509_certificates(unquote(answer.headers[header]).encode())


def public_key(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    found = certificate.public_key()
    assert isinstance(found, ec.EllipticCurvePublicKey)
    return found

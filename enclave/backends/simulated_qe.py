"""SIMULATION: the quoting enclave and the provisioning certification enclave of one platform.

Both keys are derived from the platform's own, so a platform keeps its PCK certificate for
life. Quotes have the genuine layout: version 3 for SGX, version 4 for TDX.
"""

from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from enclave import measurement
from enclave.errors import CallError, UnsupportedEvidenceError
from enclave.evidence import simulated_dcap
from enclave.evidence.dcap_quote import DCAP_SGX, DCAP_TDX
from enclave.evidence.simulated_dcap import QeCertification
from enclave.keys import Secret

_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_TEE_TYPES: Final = {DCAP_SGX: simulated_dcap.TEE_SGX, DCAP_TDX: simulated_dcap.TEE_TDX}
_VERSIONS: Final = {DCAP_SGX: 3, DCAP_TDX: 4}
_X87_SSE: Final = 0x03  # ATTRIBUTES.XFRM
_QE_ID_BYTES: Final = 16
_NUL: Final = b"\0"


class SimulatedQuotingEnclave:
    """Signs DCAP quotes of one simulated platform.

    Args:
        pck_seed: 32 bytes, gives the key that vouches for the quoting enclave; wiped.
        attestation_seed: 32 bytes, gives the key that signs quotes; wiped.
    """

    def __init__(self, pck_seed: Secret, attestation_seed: Secret) -> None:
        self._pck = _derive_p256(pck_seed)
        self._attestation = _derive_p256(attestation_seed)
        self.pck_key = simulated_dcap.raw_key(self._pck.public_key())

    def quote(
        self, kind: str, mr_enclave: bytes, report_data: bytes, certification_data: bytes
    ) -> bytes:
        """A SIMULATED quote over 64 bytes of report_data.

        Args:
            kind: ``dcap-sgx`` or ``dcap-tdx``.
            mr_enclave: of the running code, 32 bytes.
            report_data: 64 bytes.
            certification_data: this platform's PCK chain as PEM, leaf first.

        Raises:
            UnsupportedEvidenceError: another kind.
            CallError: not a PEM chain, or its leaf has another platform's key.
        """
        if kind not in _TEE_TYPES:
            raise UnsupportedEvidenceError(
                "a simulated platform makes no such quote",
                expected=", ".join(_TEE_TYPES),
                seen=ascii(kind),
            )
        self._check_chain(certification_data)
        tee_type = _TEE_TYPES[kind]
        body = _sgx_body if kind == DCAP_SGX else _td_body
        header = simulated_dcap.encode_header(
            _VERSIONS[kind], tee_type, self.pck_key[:_QE_ID_BYTES]
        )
        signed = header + body(mr_enclave, report_data)
        attestation_key = simulated_dcap.raw_key(self._attestation.public_key())
        report = simulated_dcap.encode_qe_report(tee_type, attestation_key)
        certification = QeCertification(
            report, simulated_dcap.sign(report, self._pck), certification_data + _NUL
        )
        return signed + simulated_dcap.encode_signature(
            simulated_dcap.sign(signed, self._attestation),
            attestation_key,
            certification,
            nested=kind == DCAP_TDX,
        )

    def _check_chain(self, certification_data: bytes) -> None:
        try:
            leaf = x509.load_pem_x509_certificates(certification_data)[0].public_key()
        except ValueError as error:
            raise CallError(
                "certification data is not a certificate chain",
                expected="PEM, the PCK certificate first",
                seen=ascii(certification_data[:32]),
            ) from error
        if leaf != self._pck.public_key():
            raise CallError("the PCK certificate is another platform's")


def _sgx_body(mr_enclave: bytes, report_data: bytes) -> bytes:
    return simulated_dcap.encode_fields(
        simulated_dcap.SGX_REPORT,
        {
            "cpu_svn": simulated_dcap.CPU_SVN,
            "flags": simulated_dcap.INIT_64BIT,
            "xfrm": _X87_SSE,
            "mr_enclave": mr_enclave,
            "mr_signer": measurement.SIMULATED_SIGNER,
            "isv_prod_id": measurement.ISV_PROD_ID,
            "isv_svn": measurement.ISV_SVN,
            "report_data": report_data,
        },
    )


def _td_body(mr_enclave: bytes, report_data: bytes) -> bytes:
    return simulated_dcap.encode_fields(
        simulated_dcap.TD_REPORT,
        {
            **measurement.simulated_td(mr_enclave),
            "tee_tcb_svn": simulated_dcap.TEE_TCB_SVN,
            "report_data": report_data,
        },
    )


def _derive_p256(seed: Secret) -> ec.EllipticCurvePrivateKey:
    with seed:
        scalar = int.from_bytes(seed.data) % (_P256_ORDER - 1) + 1
    return ec.derive_private_key(scalar, ec.SECP256R1())

"""Parsers of DCAP evidence: quotes, collateral, documents, lists, and the judgement of it all."""

from collections.abc import Sequence
from functools import cache, partial
from types import MappingProxyType
from typing import Final

from enclave.appraise.policy import Policy
from enclave.appraise.registration import judge_registration
from enclave.binding import NO_OWNER
from enclave.errors import EnclaveError, EvidenceFormatError
from enclave.evidence.collateral import (
    TCB_INFO,
    Collateral,
    split_signed,
)
from enclave.evidence.crl import CrlFrame
from enclave.evidence.dcap_quote import DcapQuote
from enclave.evidence.dcap_signature import DcapSignature
from enclave.evidence.der import DerError
from enclave.evidence.pck import PckExtension
from enclave.evidence.pem import PemError, split_chain
from enclave.evidence.qe_identity import QeIdentity
from enclave.evidence.tcb_info import TcbInfo
from enclave.verify.roots import TrustRoots
from enigmacli.attestation.issuer_chain import parse_header
from enigmacli.attestation.pcs_answer import decode_crl
from enigmacli.errors import EnigmaError
from enigmacli.evidence_check import parse_evidence, verify_evidence
from enigmacli.evidence_expiry import calendar_of
from enigmacli.simulated_intel.sgx_extension import PlatformClaims
from tests.fuzz.parser import Parser
from tests.negatives import dcap
from tests.simulators.dcap_factory import SGX_V3, TDX_V4, TDX_V5, Made

_TEES: Final = {0: "sgx", 0x81: "tdx"}
_REFUSED: Final = (EnclaveError,)
_FORMAT: Final = (EvidenceFormatError,)
_DOCUMENT_WORDS: Final = (
    b'"tcbInfo"', b'"enclaveIdentity"', b'"signature"', b'"id"', b'"version"', b'"issueDate"',
    b'"nextUpdate"', b'"fmspc"', b'"pceId"', b'"tcbType"', b'"tcbEvaluationDataNumber"',
    b'"tdxModule"', b'"tdxModuleIdentities"', b'"tcbLevels"', b'"sgxtcbcomponents"', b'"svn"',
    b'"pcesvn"', b'"tdxtcbcomponents"', b'"tcbStatus"', b'"UpToDate"', b'"advisoryIDs"',
    b'"isvsvn"', b'"mrsigner"', b'"attributesMask"', b"2026-11-13T10:00:00Z",
)  # fmt: skip


@cache
def _made() -> tuple[Made, ...]:
    """Sound evidence of every form that is judged."""
    return tuple(dcap.Case(0, "", "", {}, form).made() for form in (SGX_V3, TDX_V4, TDX_V5))


@cache
def _policy() -> Policy:
    return dcap.policy_of(_made()[0])


def _judge(data: bytes) -> object:
    return judge_registration(data, NO_OWNER, _policy(), dcap.NETWORK, dcap.Case(0, "", "").at_us)


def _containers() -> Sequence[bytes]:
    return [one.container for one in _made()]


def _collateral(data: bytes) -> object:
    """A collateral that nobody has seen before, beside a sound quote."""
    return verify_evidence(_made()[0].quote, at_us=dcap.Case(0, "", "").at_us, collateral=data)


def _parse_quote(data: bytes) -> object:
    quote = DcapQuote.parse(data)
    return DcapSignature.parse(quote.signature, quote.version)


def _signature(version: int) -> Parser:
    index = 0 if version == 3 else 1
    return Parser(
        lambda data: DcapSignature.parse(data, version),
        lambda: [DcapQuote.parse(_made()[index].quote).signature],
        _FORMAT,
    )


def _documents(name: str) -> dict[int, bytes]:
    """The signed text by TEE."""
    return {
        0: str(_made()[0].collateral[name]).encode(),
        0x81: str(_made()[1].collateral[name]).encode(),
    }


def _calendar(data: bytes) -> object:
    return calendar_of(data, TrustRoots.of_intel(), 3600)


def _served() -> Sequence[bytes]:
    collateral = Collateral.parse_json(_made()[1].collateral_json)
    return [collateral.tcb_info]


DCAP_PARSERS: Final = MappingProxyType(
    {
        "dcap-quote-whole": Parser(_parse_quote, lambda: [one.quote for one in _made()], _FORMAT),
        "dcap-signature-3": _signature(3),
        "dcap-signature-4": _signature(4),
        "collateral-on-chain": Parser(
            Collateral.parse_intel, lambda: [one.collateral_intel for one in _made()], _FORMAT
        ),
        "collateral-json": Parser(
            Collateral.parse_json, lambda: [one.collateral_json for one in _made()], _FORMAT
        ),
        "signed-document": Parser(
            partial(split_signed, TCB_INFO), _served, _FORMAT, (b'","signature":"', b'{"tcbInfo":')
        ),
        **{
            f"tcb-info-{tee}": Parser(
                partial(TcbInfo.parse, tee_type=number),
                lambda number=number: [_documents("tcb_info")[number]],  # type: ignore[misc]
                _FORMAT,
                _DOCUMENT_WORDS,
            )
            for number, tee in _TEES.items()
        },
        **{
            f"qe-identity-{tee}": Parser(
                partial(QeIdentity.parse, tee_type=number),
                lambda number=number: [_documents("qe_identity")[number]],  # type: ignore[misc]
                _FORMAT,
                _DOCUMENT_WORDS,
            )
            for number, tee in _TEES.items()
        },
        "sgx-extension": Parser(PckExtension.parse, lambda: [PlatformClaims().encode()], _REFUSED),
        "crl": Parser(
            CrlFrame.parse,
            lambda: [bytes.fromhex(str(_made()[0].collateral["pck_crl"]))],
            (DerError,),
        ),
        "pem-of-certificates": Parser(
            split_chain,
            lambda: [str(_made()[0].collateral["tcb_info_issuer_chain"]).encode()],
            (PemError,),
            (b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"),
        ),
        "dcap-judgement": Parser(_judge, _containers, _REFUSED),
        "dcap-collateral-judged": Parser(
            _collateral, lambda: [_made()[0].collateral_json], _REFUSED, _DOCUMENT_WORDS
        ),
        "attest-parse-dcap": Parser(parse_evidence, _containers, _FORMAT),
        "attest-expiry": Parser(_calendar, _containers, _REFUSED),
        "pcs-crl": Parser(
            decode_crl,
            lambda: [bytes.fromhex(str(_made()[0].collateral["pck_crl"]))],
            (EnigmaError,),
        ),
        "pcs-chain-header": Parser(
            lambda data: parse_header(data.decode("latin-1"), "TCB-Info-Issuer-Chain"),
            lambda: [b"-----BEGIN%20CERTIFICATE-----%0AMII%2B%0A-----END%20CERTIFICATE-----%0A"],
            (EnigmaError,),
            most_bytes=100 * 1024,  # of a response's head, as the HTTP library reads it
        ),
    }
)
"""By name."""

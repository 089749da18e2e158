"""The trusted side's parsers: evidence, policies, its calls and its sealed files."""

import json
from collections.abc import Sequence
from functools import cache
from types import MappingProxyType
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from nacl.signing import SigningKey

from enclave import calls, canonical_json, codec, sealing
from enclave.appraise.policy import Policy
from enclave.appraise.registration import judge_registration
from enclave.configuration import Configuration
from enclave.errors import (
    CallError,
    EnclaveError,
    EvidenceFormatError,
    PolicyFormatError,
    SealedStateError,
)
from enclave.evidence import base64_strict, simulated_quote
from enclave.evidence.containers import certificate_comment, parse_on_chain
from enclave.evidence.dcap_quote import DcapQuote, trim_padding
from enclave.evidence.der import CertificateFrame, DerError
from enclave.evidence.foreign import MAX_BYTES, decode_pem_chain, parse_any
from enclave.evidence.ias_report import IasReport
from enclave.evidence.sgx_quote import EpidQuoteBody
from enclave.evidence.sgx_report import SgxReport
from enclave.evidence.tdx_quote import TdReport
from enclave.keys import Secret
from enclave.sealing import Label, Purpose
from enclave.verify.roots import Root, TrustRoots
from enigmacli.evidence_check import load_trust_root, parse_evidence
from tests.enclave import simulated_pki as pki
from tests.fuzz.parser import Parser

MESSAGES: Final = (*calls.REQUESTS, *{call.REPLY: None for call in calls.REQUESTS})
"""What the pipe carries; the first byte of an input says which."""
_KEY: Final = bytes(range(32))
_QUOTE_SIZES: Final = ((3, 0, 384), (4, 0x81, 584))
_JSON_WORDS: Final = (
    b'{"',
    b'":',
    b"[",
    b"]",
    b"null",
    b"true",
    b"1e9",
    b"\\ud800",
    b"\xef\xbb\xbf",
)
_REPORT_WORDS: Final = (
    b'"id"', b'"timestamp"', b'"version"', b'"isvEnclaveQuoteStatus"', b'"isvEnclaveQuoteBody"',
    b'"platformInfoBlob"', b'"epidPseudonym"', b'"advisoryIDs"', b'"nonce"',
    b'"SW_HARDENING_NEEDED"',
)  # fmt: skip


def _whole(data: bytes) -> object:
    policy = pki.policy()
    return judge_registration(data, bytes(20), policy, _KEY, pki.AT_US)


def _call(data: bytes) -> object:
    kind = MESSAGES[data[0] % len(MESSAGES)] if data else MESSAGES[0]
    return codec.decode(kind, data[1:])


def _calls() -> Sequence[bytes]:
    judged = calls.Judge(b"certificate", bytes(20), 1, catch_up=False)
    found = (calls.Status(), judged, calls.Configure("enigma-test", pki.policy().encode()))
    return [bytes((MESSAGES.index(type(one)),)) + codec.encode(one) for one in found]


def _unseal(data: bytes) -> object:
    return sealing.unseal(data, Secret(bytearray(_KEY)), "simulation", Purpose.SEED, None)


def _sealed() -> Sequence[bytes]:
    label = Label("simulation", Purpose.SEED, bytes(32), 1, bytes(32))
    return [sealing.seal(label, Secret(bytearray(_KEY)), Secret(bytearray(_KEY)))]


def _configure(data: bytes) -> object:
    chain_id, _, policy = data.partition(b"\n")
    return Configuration.parse(chain_id.decode("latin-1"), policy)


@cache
def _certificate() -> bytes:
    return pki.on_chain()


def _foreign() -> Sequence[bytes]:
    sizes = b"".join(len(part).to_bytes(4, "little") for part in (b"", *_quotes()[:1], b"{}"))
    report = json.dumps(pki.comment(pki.signed())).encode()
    return [
        _certificate(),
        _pem(_certificate()),
        report,
        *_quotes(),
        sizes + _quotes()[0] + b"{}",
        *_tagged(),
    ]


def _pem(certificate: bytes) -> bytes:
    return x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM)


@cache
def _quotes() -> Sequence[bytes]:
    """A frame of each version; what is signed within is not the frame's business."""
    found = []
    for version, tee_type, size in _QUOTE_SIZES:
        header = version.to_bytes(2, "little") + b"\2\0" + tee_type.to_bytes(4, "little")
        found.append(header.ljust(48, b"\0") + bytes(size) + b"\4\0\0\0sign")
    header = b"\5\0\2\0\x81\0\0\0".ljust(48, b"\0")
    return [*found, header + b"\3\0\x88\2\0\0" + bytes(648) + b"\4\0\0\0sign"]


def _tagged() -> Sequence[bytes]:
    entry = ((2, _quotes()[0]), (3, b"collateral"))
    return [
        b"".join(bytes((tag,)) + len(value).to_bytes(4, "little") + value for tag, value in entry)
    ]


def _simulated_quote(data: bytes) -> object:
    return simulated_quote.verify_signature(data, b"")


def _simulated() -> bytes:
    key = SigningKey(_KEY)
    signature = key.sign(simulated_quote.signed_message(pki.quote_body(), b"")).signature
    return pki.quote_body() + simulated_quote.encode_signature(bytes(key.verify_key), signature)


_FORMAT: Final = (EvidenceFormatError,)

EVIDENCE_PARSERS: Final = MappingProxyType(
    {
        "container-on-chain": Parser(
            parse_on_chain, lambda: [_certificate(), *_tagged()], _FORMAT, (b"|", b'{"report":"')
        ),
        "container-off-chain": Parser(
            parse_any, _foreign, _FORMAT, (b"-----BEGIN CERTIFICATE-----",)
        ),
        "certificate-comment": Parser(certificate_comment, lambda: [_certificate()], _FORMAT),
        "pem-chain": Parser(
            decode_pem_chain,
            lambda: [_pem(_certificate()) * 2],
            _FORMAT,
            (b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"),
        ),
        "der-certificate": Parser(
            CertificateFrame.parse, lambda: [_certificate(), pki.certificate()], (DerError,)
        ),
        "ias-report": Parser(
            IasReport.parse,
            lambda: [pki.report(), pki.report(advisoryIDs=["INTEL-SA-00334"], nonce="1")],
            _FORMAT,
            _JSON_WORDS + _REPORT_WORDS,
        ),
        "epid-quote-body": Parser(EpidQuoteBody.parse, lambda: [pki.quote_body()], _FORMAT),
        "sgx-report": Parser(SgxReport.parse, lambda: [pki.quote_body()[48:]], _FORMAT),
        "td-report": Parser(TdReport.parse, lambda: [bytes(584), bytes(648)], _FORMAT),
        "dcap-quote": Parser(DcapQuote.parse, _quotes, _FORMAT),
        "dcap-quote-padded": Parser(trim_padding, _quotes, _FORMAT),
        "simulated-quote": Parser(
            _simulated_quote,
            lambda: [_simulated()],
            (EnclaveError,),
        ),
        "base64": Parser(
            lambda data: base64_strict.decode(data.decode("latin-1")),
            lambda: [b"QUJDRA=="],
            (ValueError,),
            most_bytes=MAX_BYTES,  # of the file that holds it
        ),
        "canonical-json": Parser(
            canonical_json.loads, lambda: [pki.policy().encode()], (ValueError,), _JSON_WORDS
        ),
        "policy": Parser(
            Policy.parse_any_layout,
            lambda: [pki.policy().encode()],
            (PolicyFormatError,),
            _JSON_WORDS + tuple(f'"{name}"'.encode() for name in pki.POLICY_MEMBERS),
        ),
        "trust-root": Parser(Root.parse, lambda: [pki.root()], (PolicyFormatError,)),
        "trust-root-file": Parser(
            load_trust_root, lambda: [pki.root(), _pem(pki.root())], (PolicyFormatError,)
        ),
        "trust-root-name": Parser(
            lambda data: TrustRoots.of(pki.Names((data.decode("latin-1"),))),
            lambda: [pki.trust_root(pki.root()).encode()],
            (PolicyFormatError,),
            most_bytes=canonical_json.MAX_BYTES,  # of the policy that names it
        ),
        "configuration": Parser(
            _configure,
            lambda: [b"enigma-test\n" + pki.policy().encode()],
            (CallError, PolicyFormatError),
        ),
        "call": Parser(_call, _calls, (CallError,)),
        "sealed-blob": Parser(_unseal, _sealed, (SealedStateError,)),
        "attest-parse": Parser(parse_evidence, _foreign, _FORMAT),
        "judgement": Parser(_whole, lambda: [_certificate()], (EnclaveError,)),
    }
)
"""By name."""

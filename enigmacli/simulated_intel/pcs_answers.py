"""SIMULATION ONLY: the forms in which a simulated PCS answers and refuses."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from enigmacli.simulated_intel.exchange import Answer, Delivery
from enigmacli.simulated_intel.faults import Fault, FaultKind, failure, note_of

PCK_CHAIN: Final = "SGX-PCK-Certificate-Issuer-Chain"
PCK_CRL_CHAIN: Final = "SGX-PCK-CRL-Issuer-Chain"
TCB_CHAIN: Final = "TCB-Info-Issuer-Chain"
TCB_CHAIN_V3: Final = "SGX-TCB-Info-Issuer-Chain"
IDENTITY_CHAIN: Final = "SGX-Enclave-Identity-Issuer-Chain"
NUMBERS_CHAIN: Final = "TCB-Evaluation-Data-Numbers-Issuer-Chain"

PEM_TYPE: Final = "application/x-pem-file"
CRL_TYPE: Final = "application/pkix-crl"
JSON_TYPE: Final = "application/json"
TEXT_TYPE: Final = "text/plain"

_OK: Final = 200
_CHAINS: Final = (PCK_CHAIN, PCK_CRL_CHAIN, TCB_CHAIN, IDENTITY_CHAIN, NUMBERS_CHAIN)
_BEGIN: Final = "-----BEGIN%20CERTIFICATE-----"
_END_OF_SIGNATURE: Final = -3  # the last hex digit before the quotation mark and brace


class Refused(Exception):  # noqa: N818 -- no error of the program: an answer to be sent
    """A request that gets another answer than a document."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason

    def answer(self) -> Answer:
        """As a PCCS words it, in plain text."""
        body = f"SIMULATION ONLY: {self.reason}".encode()
        return Answer(self.status, body, {"Content-Type": TEXT_TYPE}, note=self.reason)


def document(body: bytes, header: str, chain: str) -> Answer:
    """A signed JSON document with its issuer chain."""
    return Answer(_OK, body, {"Content-Type": JSON_TYPE, header: chain})


def values(content: Any, status: int = _OK) -> Answer:
    """A JSON answer that nobody signs."""
    body = json.dumps(content, separators=(",", ":")).encode()
    return Answer(status, body, {"Content-Type": JSON_TYPE})


def crl(der: bytes, encoding: str, headers: Mapping[str, str]) -> Answer:
    """A revocation list.

    Args:
        der: the list.
        encoding: ``der``, ``pem``, or ``hex`` as a caching service has it.
        headers: besides the content type.
    """
    if encoding == "der":
        return Answer(_OK, der, {"Content-Type": CRL_TYPE, **headers})
    if encoding == "hex":
        return Answer(_OK, der.hex().encode(), {"Content-Type": TEXT_TYPE, **headers})
    pem = x509.load_der_x509_crl(der).public_bytes(serialization.Encoding.PEM)
    return Answer(_OK, pem, {"Content-Type": PEM_TYPE, **headers})


def spoiled(fault: Fault | None, decide: Callable[[], Answer]) -> Answer:
    """What is sent in the place of what ``decide`` answers.

    Args:
        fault: ``None`` sends that answer itself.
        decide: not called where the fault needs no true answer.

    Raises:
        Refused: ``decide`` refused, which is not spoiled any further.
    """
    if fault is None:
        return decide()
    return failure(fault) or replace(_SPOILED[fault.kind](decide()), note=note_of(fault))


def _truncated(answer: Answer) -> Answer:
    return replace(answer, delivery=Delivery.TRUNCATED)


def _wrongly_signed(answer: Answer) -> Answer:
    body = bytearray(answer.body)
    body[_END_OF_SIGNATURE] = ord("0") if body[_END_OF_SIGNATURE] != ord("0") else ord("1")
    return replace(answer, body=bytes(body))


def _without_chain(answer: Answer) -> Answer:
    headers = {name: value for name, value in answer.headers.items() if name not in _CHAINS}
    return replace(answer, headers=headers)


def _with_wrong_chain(answer: Answer) -> Answer:
    headers = {
        name: _root_twice(value) if name in _CHAINS else value
        for name, value in answer.headers.items()
    }
    return replace(answer, headers=headers)


def _root_twice(chain: str) -> str:
    """The root in the place of whoever signed; the chain is percent-encoded PEM."""
    root = chain[chain.rindex(_BEGIN) :]
    return root + root


def _with_old_header(answer: Answer) -> Answer:
    headers = {
        TCB_CHAIN_V3 if name == TCB_CHAIN else name: value for name, value in answer.headers.items()
    }
    return replace(answer, headers=headers)


_SPOILED: Final[Mapping[FaultKind, Callable[[Answer], Answer]]] = {
    FaultKind.TRUNCATED_BODY: _truncated,
    FaultKind.WRONG_SIGNATURE: _wrongly_signed,
    FaultKind.MISSING_CHAIN: _without_chain,
    FaultKind.WRONG_CHAIN: _with_wrong_chain,
    FaultKind.OLD_HEADER: _with_old_header,
}

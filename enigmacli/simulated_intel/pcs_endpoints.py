"""SIMULATION ONLY: the questions that a PCS and a PCCS answer, one function each.

Source: Intel SGX and Intel TDX Provisioning Certification Service, API version 4. What a
caching service (PCCS) adds or does otherwise: Intel SGX DCAP, ``QuoteGeneration/pccs``.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

from enclave import canonical_json
from enclave.evidence import simulated_dcap
from enigmacli.simulated_intel import certificates, pck_certificates, pcs_answers
from enigmacli.simulated_intel.dcap_pki import Ca
from enigmacli.simulated_intel.exchange import Answer, Request
from enigmacli.simulated_intel.pcs_answers import Refused
from enigmacli.simulated_intel.pcs_documents import GoneError, PcsDocuments, UnknownNumberError
from enigmacli.simulated_intel.platforms import Platforms

MAX_BODY_BYTES: Final = 64 * 1024

_PLATFORM_CLASS: Final = "E5"  # what a server with TDX has
_PLATFORM_CLASSES: Final = ("all", "client", "E3", "E5")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_UPDATES: Final = ("standard", "early")
_UNKNOWN_TO_CACHE: Final = 461


@dataclass(frozen=True, slots=True)
class Question:
    """One request, and what there is to answer with."""

    request: Request
    documents: PcsDocuments
    platforms: Platforms
    tee_type: int
    """Which branch of the API was asked."""

    @property
    def query(self) -> Mapping[str, str]:
        """By name; of a name given twice, one value."""
        return self.request.query

    def hex(self, name: str, size: int, values: Mapping[str, Any] | None = None) -> bytes:
        """A parameter of exactly ``size`` bytes, written in hex.

        Raises:
            Refused: it is missing, or something else.
        """
        text = (self.query if values is None else values).get(name)
        if not isinstance(text, str) or not re.fullmatch(rf"[0-9a-fA-F]{{{2 * size}}}", text):
            raise Refused(400, f"{name} is not {2 * size} hex characters")
        return bytes.fromhex(text)


Endpoint = Callable[[Question], Answer]


def tcb_info(question: Question) -> Answer:
    """TCB Info of an FMSPC."""
    fmspc = question.hex("fmspc", len(simulated_dcap.FMSPC))
    early, number = _edition(question.query)
    if fmspc != simulated_dcap.FMSPC:
        raise Refused(404, f"no TCB Info for this FMSPC; there is {simulated_dcap.FMSPC.hex()}")
    body = _numbered(
        lambda: question.documents.tcb_info(question.tee_type, early=early, number=number)
    )
    return pcs_answers.document(body, pcs_answers.TCB_CHAIN, _signer(question))


def identity(enclave: str | None) -> Endpoint:
    """The identity of the quoting enclave (``None``), or of another enclave by its id."""

    def answer(question: Question) -> Answer:
        early, number = _edition(question.query)
        body = _numbered(
            lambda: question.documents.identity(
                question.tee_type, enclave, early=early, number=number
            )
        )
        return pcs_answers.document(body, pcs_answers.IDENTITY_CHAIN, _signer(question))

    return answer


def evaluation_numbers(question: Question) -> Answer:
    """Which TCB evaluation data sets there are."""
    body = question.documents.evaluation_numbers(question.tee_type)
    return pcs_answers.document(body, pcs_answers.NUMBERS_CHAIN, _signer(question))


def fmspcs(question: Question) -> Answer:
    """Which kinds of platforms there are."""
    wanted = question.query.get("platform", "all")
    if wanted not in _PLATFORM_CLASSES:
        raise Refused(400, f"platform is one of {', '.join(_PLATFORM_CLASSES)}")
    known = {"fmspc": simulated_dcap.FMSPC.hex().upper(), "platform": _PLATFORM_CLASS}
    return pcs_answers.values([known] if wanted in ("all", _PLATFORM_CLASS) else [])


def pck_crl(question: Question) -> Answer:
    """The revocation list of PCK certificates; a PCCS sends hex, whatever was asked for."""
    ca = _ca(question.query.get("ca", ""))
    encoding = question.query.get("encoding", "pem").lower()
    if encoding not in ("pem", "der"):
        raise Refused(400, "encoding is pem or der")
    documents = question.documents
    return pcs_answers.crl(
        documents.pck_crl(ca),
        "hex" if documents.behaviour.caching else encoding,
        {pcs_answers.PCK_CRL_CHAIN: documents.pki.ca_chain_header(ca)},
    )


def root_crl_file(question: Question) -> Answer:
    """The root's revocation list as a file."""
    return pcs_answers.crl(question.documents.root_crl(), "der", {})


def root_crl_in_hex(question: Question) -> Answer:
    """The root's revocation list as a PCCS has it."""
    return pcs_answers.crl(question.documents.root_crl(), "hex", {})


def crl_by_uri(question: Question) -> Answer:
    """The revocation list that a certificate's distribution point names, from a PCCS."""
    try:
        uri = urlsplit(question.query.get("uri", ""))
    except ValueError as error:
        raise Refused(400, "uri is malformed") from error
    if uri.path.endswith("/IntelSGXRootCA.der"):
        return pcs_answers.crl(question.documents.root_crl(), "der", {})
    if uri.path.endswith("/pckcrl"):
        ca = _ca(parse_qs(uri.query).get("ca", [""])[0])
        return pcs_answers.crl(question.documents.pck_crl(ca), "der", {})
    raise Refused(400, "uri is no distribution point of these certificates")


def pck_certificate(question: Question) -> Answer:
    """The PCK certificate of one platform at one TCB."""
    given = _given(question)
    cpu_svn = question.hex("cpusvn", len(simulated_dcap.CPU_SVN), given)
    pce_svn = int.from_bytes(question.hex("pcesvn", 2, given), "little")
    leaf, headers = _issued(question, given)
    if not pck_certificates.is_served(cpu_svn, pce_svn):
        raise Refused(404, "no certificate for a TCB as low as that")
    headers |= {"SGX-TCBm": pck_certificates.tcbm(), "Content-Type": pcs_answers.PEM_TYPE}
    return Answer(200, leaf, headers)


def pck_certificates_of_all_tcbs(question: Question) -> Answer:
    """Every PCK certificate of one platform."""
    leaf, headers = _issued(question, _given(question))
    answer = pcs_answers.values(pck_certificates.listed(quote(leaf, safe="")))
    return Answer(200, answer.body, {**answer.headers, **headers})


def platforms(question: Question) -> Answer:
    """What a PCCS knows of platforms; one that was not provisioned cannot be registered."""
    if question.request.method == "GET":
        return pcs_answers.values([_registration(key) for key in question.platforms.listed()])
    given = posted(question.request)
    named = question.hex("enc_ppid", pck_certificates.ENCRYPTED_PPID_BYTES, given)
    if pck_certificates.named_by_ppid(named) not in question.platforms.listed():
        raise Refused(_UNKNOWN_TO_CACHE, "this platform was not provisioned")
    return Answer(200, b"Operation successful.", {"Content-Type": pcs_answers.TEXT_TYPE})


def posted(request: Request) -> dict[str, Any]:
    """The JSON object in a request's body.

    Raises:
        Refused: another method, or another body.
    """
    if request.method != "POST":
        raise Refused(405, "this path wants POST")
    try:
        values = canonical_json.loads(request.body, max_bytes=MAX_BODY_BYTES)
    except ValueError as error:
        raise Refused(400, f"the body is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise Refused(400, "the body is not a JSON object")
    return values


def _given(question: Question) -> Mapping[str, Any]:
    return posted(question.request) if question.request.method == "POST" else question.query


def _issued(question: Question, given: Mapping[str, Any]) -> tuple[bytes, dict[str, str]]:
    """A platform's certificate as PEM, and the headers that come with it."""
    if question.hex("pceid", len(simulated_dcap.PCE_ID), given) != simulated_dcap.PCE_ID:
        raise Refused(404, "there is no such PCE")
    documents = question.documents
    key = _platform(question, given)
    if key is None or key not in question.platforms:
        status = _UNKNOWN_TO_CACHE if documents.behaviour.caching else 404
        raise Refused(status, "this platform was not provisioned")
    ca = documents.behaviour.pck_ca
    headers = {
        pcs_answers.PCK_CHAIN: documents.pki.ca_chain_header(ca),
        "SGX-FMSPC": simulated_dcap.FMSPC.hex().upper(),
        "SGX-PCK-Certificate-CA-Type": ca.value,
    }
    return certificates.pem(documents.pki.issue_pck(ca, key)), headers


def _platform(question: Question, given: Mapping[str, Any]) -> bytes | None:
    if question.request.method == "POST":
        size = len(pck_certificates.platform_manifest(bytes(64)))
        manifest = question.hex("platformManifest", size, given)
        return pck_certificates.named_by_manifest(manifest)
    ppid = question.hex("encrypted_ppid", pck_certificates.ENCRYPTED_PPID_BYTES, given)
    return pck_certificates.named_by_ppid(ppid)


def _registration(pck_key: bytes) -> dict[str, str]:
    """A platform in the words of a PCCS."""
    return {
        "enc_ppid": pck_certificates.encrypted_ppid(pck_key).hex().upper(),
        "platform_manifest": pck_certificates.platform_manifest(pck_key).hex().upper(),
        "qe_id": pck_key[:16].hex().upper(),
        "pce_id": simulated_dcap.PCE_ID.hex().upper(),
        "cpu_svn": simulated_dcap.CPU_SVN.hex().upper(),
        "pce_svn": simulated_dcap.PCE_SVN.to_bytes(2, "little").hex().upper(),
    }


def _signer(question: Question) -> str:
    return question.documents.pki.tcb_chain_header()


def _ca(word: str) -> Ca:
    for ca in Ca:
        if ca == word.lower():
            return ca
    raise Refused(400, f"ca is one of {', '.join(Ca)}")


def _edition(query: Mapping[str, str]) -> tuple[bool, int | None]:
    """Whether the early edition is asked for, and the number that is, if any."""
    update, number = query.get("update"), query.get("tcbEvaluationDataNumber")
    if update is not None and number is not None:
        raise Refused(400, "update and tcbEvaluationDataNumber exclude each other")
    if update not in (None, *_UPDATES):
        raise Refused(400, f"update is one of {', '.join(_UPDATES)}")
    if number is not None and not _NUMBER.fullmatch(number):
        raise Refused(400, "tcbEvaluationDataNumber is not a number")
    return update == "early", None if number is None else int(number)


def _numbered(make: Callable[[], bytes]) -> bytes:
    try:
        return make()
    except GoneError as error:
        raise Refused(410, "this TCB evaluation data number is no longer served") from error
    except UnknownNumberError as error:
        raise Refused(404, "there is no such TCB evaluation data number") from error

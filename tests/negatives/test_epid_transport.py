"""Cases 35, 36 and 86 to 88: containers that hold something else, services that lie."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from enclave.errors import PolicyFormatError
from enclave.evidence.containers import NETSCAPE_COMMENT
from enigmacli.attestation.ias import IasClient
from enigmacli.errors import ConfigError, MalformedError, ServiceRefusedError
from tests.enclave import simulated_pki as pki
from tests.enigmacli.attestation.scripted import (
    NONCE,
    QUOTE,
    Service,
    client,
    report_body,
    report_headers,
    respond,
)
from tests.negatives import dcap, epid
from tests.simulators.dcap_quote_factory import Form

MISSING = "evidence-missing"
CONTAINER = "container-malformed"


def test_case_35_a_software_mode_certificate_on_a_hardware_chain() -> None:
    for name in ("attestation_cert_sw", "attestation_cert_sw.combined"):
        file = epid.peer_file(name)
        document = epid.verdict(file, at_us=2**62)
        assert (document["authentic"], document["code"]) == (False, MISSING)

    assert epid.judged(epid.peer_file("attestation_cert_sw"), epid.intel_policy()) == MISSING


def test_case_35_a_certificate_whose_extension_holds_a_bare_key() -> None:
    for comment in (b"\1" * 64, base64.b64encode(b"\1" * 64), b"[]", b"null", b""):
        assert epid.judged(pki.container(comment)) == MISSING
    assert epid.judged(pki.container(b"{}", object_id="2.16.840.1.113730.1.12")) == MISSING


def piped(*parts: bytes) -> bytes:
    return pki.container(b"|".join(parts))


def test_case_36_the_pipe_form_has_three_fields_and_is_for_files_only() -> None:
    evidence = epid.signed()
    encoded = pki.comment(evidence)
    parts = (evidence.report, encoded["signature"].encode(), encoded["signing_cert"].encode())
    policy = pki.policy()

    assert epid.verdict(piped(*parts), policy)["code"] == epid.ACCEPTED
    assert epid.judged(piped(*parts)) == "container-not-allowed"
    for other in (parts[:2], (*parts, parts[2]), (*parts, b""), parts[:1]):
        document = epid.verdict(piped(*other), policy)
        assert (document["authentic"], document["verdict"]) == (False, "reject")
        assert epid.judged(piped(*other)) != epid.ACCEPTED


@pytest.mark.parametrize("count", [2, 4])
def test_case_36_two_or_four_fields_are_malformed(count: int) -> None:
    fields = [b'{"report":1}', b"AAAA", b"AAAA", b"AAAA"][:count]

    assert epid.verdict(piped(*fields))["code"] == CONTAINER
    assert epid.judged(piped(*fields)) == "container-not-allowed"


def planted(decoy: bytes, comment: bytes, other: str = "1.3.6.1.4.1.55555.1") -> bytes:
    """A certificate whose names and first extension hold the identifier and a decoy."""
    text = NETSCAPE_COMMENT.decode("latin-1") + decoy.decode("latin-1")[:40]
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(NETSCAPE_COMMENT, "big"))
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2046, 1, 1, tzinfo=UTC))
    )
    for identifier, value in (
        (other, b"\x06\x09" + NETSCAPE_COMMENT + b"\x04\x82" + decoy),
        ("2.16.840.1.113730.1.13", comment),
    ):
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(identifier), value)
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


def test_case_36_the_extensions_identifier_planted_earlier_finds_nothing() -> None:
    genuine = json.dumps(pki.comment(epid.signed())).encode()
    decoy = json.dumps(pki.comment(epid.signed(b'{"forged":1}'))).encode()

    assert epid.judged(planted(decoy, genuine)) == epid.ACCEPTED
    assert epid.judged(planted(genuine, decoy)) == "ias-report-malformed"


def test_case_36_the_extension_twice() -> None:
    comment = json.dumps(pki.comment(epid.signed())).encode()
    neighbour = NETSCAPE_COMMENT[:-1] + b"\x0c"  # 2.16.840.1.113730.1.12
    both = planted(comment, comment, other="2.16.840.1.113730.1.12")

    assert epid.judged(both) == epid.ACCEPTED
    assert epid.judged(both.replace(neighbour, NETSCAPE_COMMENT)) == CONTAINER


def test_case_36_bytes_behind_the_certificate() -> None:
    certificate = pki.on_chain(epid.signed())

    for more in (b"\0", b"\n", certificate):
        assert epid.judged(certificate + more) == CONTAINER


@pytest.mark.parametrize("missing", ["X-IASReport-Signature", "X-IASReport-Signing-Certificate"])
def test_case_86_an_answer_without_its_signature_header(missing: str) -> None:
    headers = report_headers()
    del headers[missing]
    service = Service([respond(200, report_body(), headers)])

    with pytest.raises(MalformedError, match=missing):
        client(service).report(QUOTE, NONCE)


@pytest.mark.parametrize("value", ["", " ", "?"])
def test_case_86_an_answer_with_an_empty_signature_header(value: str) -> None:
    service = Service([respond(200, report_body(), report_headers() | _signature(value))])

    with pytest.raises(MalformedError, match="X-IASReport-Signature"):
        client(service).report(QUOTE, NONCE)


def _signature(value: str) -> dict[str, str]:
    return {"X-IASReport-Signature": value}


def test_case_86_an_unsigned_report_is_refused_whoever_brings_it() -> None:
    members = pki.comment(epid.signed()) | {"signature": ""}

    assert epid.verdict(json.dumps(members).encode())["code"] == "ias-unsigned"
    assert epid.judged(pki.container(json.dumps(members).encode())) == CONTAINER


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", ["http://ias.example/", "https://elsewhere.example/"])
def test_case_87_a_redirect_is_refused_and_the_key_goes_nowhere(status: int, target: str) -> None:
    service = Service([respond(status, headers={"Location": target})])

    with pytest.raises(ServiceRefusedError, match="redirect"):
        client(service).report(QUOTE, NONCE)

    assert [request.url.host for request in service.seen] == ["ias.example"]


def test_case_87_plain_http_to_another_machine_is_refused_from_the_start() -> None:
    with pytest.raises(ConfigError, match="plain http"):
        IasClient("http://ias.example/sgx", "a-key")


def test_case_88_simulated_evidence_on_a_production_chain() -> None:
    assert epid.judged() == epid.ACCEPTED
    assert epid.judged(policy=epid.intel_policy()) == "ias-certificate-chain"


@pytest.mark.parametrize("form", dcap.ALL, ids=lambda form: f"version {form.version}")
def test_case_88_simulated_quotes_on_a_production_chain(form: Form) -> None:
    intel = {"trust_roots": ["intel"], "simulation": False}
    good = dcap.Case(88, "unchanged", dcap.ACCEPTED, form=form)

    assert good.verdict() == dcap.ACCEPTED
    assert replace(good, policy=intel).verdict() == "dcap-root"


def test_case_88_no_production_policy_can_name_a_simulated_root() -> None:
    root = pki.trust_root(pki.root())

    for changes in (
        {"trust_roots": [root], "simulation": False},
        {"trust_roots": ["intel"], "simulation": True},
        {"trust_roots": ["intel", root], "simulation": True},
        {"trust_roots": ["intel", root], "simulation": False},
    ):
        with pytest.raises(PolicyFormatError):
            pki.policy(**changes)

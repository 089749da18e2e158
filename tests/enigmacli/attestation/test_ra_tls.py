import json
from datetime import UTC, datetime, timedelta

from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from enclave.evidence import containers
from enclave.evidence.ias_report import SignedReport
from enigmacli.attestation.ra_tls import NETSCAPE_COMMENT, build_certificate, encode_comment

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
SIGNED = SignedReport(b'{"id":"1"}', b"\xff" * 256, b"\x30\x00")

parts = st.binary(min_size=1, max_size=300)


@given(parts, parts, parts)
def test_the_chain_reads_back_what_was_put_in(report: bytes, signature: bytes, leaf: bytes) -> None:
    signed = SignedReport(report, signature, leaf)

    assert containers.parse_on_chain(build_certificate(signed, NOW)) == signed


def test_certificates_behind_the_leaf_do_not_go_on_chain() -> None:
    signed = SignedReport(SIGNED.report, SIGNED.signature, SIGNED.signing_cert, (b"root",))

    assert containers.parse_on_chain(build_certificate(signed, NOW)) == SIGNED


def test_the_certificate_has_the_shape_of_the_peers() -> None:
    certificate = x509.load_der_x509_certificate(build_certificate(SIGNED, NOW))

    assert certificate.serial_number == 1
    assert certificate.issuer.rfc4514_string() == "CN=EnigmaTEE"
    assert certificate.subject.rfc4514_string() == "CN=EnigmaChain Node Certificate"
    assert certificate.not_valid_before_utc == NOW
    assert certificate.not_valid_after_utc == NOW + timedelta(days=3652)
    (extension,) = certificate.extensions
    assert extension.oid == NETSCAPE_COMMENT
    assert not extension.critical
    assert isinstance(extension.value, x509.UnrecognizedExtension)
    assert extension.value.value == encode_comment(SIGNED)


def test_the_comment_is_json_with_three_members_in_base64() -> None:
    assert json.loads(encode_comment(SIGNED)) == {
        "report": "eyJpZCI6IjEifQ==",
        "signature": "/" * 341 + "w==",
        "signing_cert": "MAA=",
    }


def test_every_certificate_has_a_key_of_its_own() -> None:
    keys = {
        x509.load_der_x509_certificate(build_certificate(SIGNED, NOW)).public_key().public_numbers()  # type: ignore[union-attr]
        for _ in range(2)
    }

    assert len(keys) == 2

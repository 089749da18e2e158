import ssl
from pathlib import Path

import pytest

from enigmacli.attestation.address import ServiceUrl, is_loopback
from enigmacli.errors import ConfigError
from enigmacli.simulated_intel.dcap_pki import DcapPki


@pytest.mark.parametrize(
    ("text", "base", "loopback"),
    [
        (
            "https://api.trustedservices.intel.com/sgx",
            "https://api.trustedservices.intel.com/sgx",
            False,
        ),
        ("https://ias.example/", "https://ias.example", False),
        ("http://127.0.0.1:8090", "http://127.0.0.1:8090", True),
        ("http://127.8.9.10:1/x/", "http://127.8.9.10:1/x", True),
        ("http://[::1]:8090", "http://[::1]:8090", True),
        ("http://localhost:8090", "http://localhost:8090", True),
        ("https://127.0.0.1", "https://127.0.0.1", True),
        ("https://a.b-c.example.:8443", "https://a.b-c.example.:8443", False),
    ],
)
def test_https_anywhere_and_http_on_this_machine_are_services(
    text: str,
    base: str,
    loopback: bool,  # noqa: FBT001 -- a column of the table
) -> None:
    assert ServiceUrl.parse(text) == ServiceUrl(base, loopback)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("http://ias.example", "plain http is for this machine only"),
        ("http://10.0.0.1:8090", "plain http is for this machine only"),
        ("http://localhost.ias.example", "plain http is for this machine only"),
        ("http://127.0.0.1.ias.example", "plain http is for this machine only"),
        ("ftp://ias.example", "not an https URL"),
        ("ias.example", "not an https URL"),
        ("https://", "not an https URL"),
        ("", "not an https URL"),
        ("https://ias.example:0", "not an https URL"),
        ("https://ias.example:x", "malformed"),
        ("https://[::1", "malformed"),
        ("https://ias example", "malformed"),
        ("https://ias..example", "malformed"),
        ("https://ias.example/\x00", "malformed"),
        ("https://-ias.example", "malformed"),
        ("https://iäs.example", "malformed"),
        (f"https://{'a' * 64}.example", "malformed"),
        ("https://user:password@ias.example", "no user"),
        ("https://ias.example/?key=1", "no user, query"),
        ("https://ias.example/#a", "no user, query or fragment"),
    ],
)
def test_anything_else_is_refused(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        ServiceUrl.parse(text)


def test_a_refused_url_with_a_password_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        ServiceUrl.parse("https://user:password@ias.example")

    assert "password" not in str(caught.value)


@pytest.mark.parametrize("host", ["", "10.0.0.1", "::", "example.com", "::ffff:1.2.3.4"])
def test_other_hosts_are_not_this_machine(host: str) -> None:
    assert not is_loopback(host)


def test_https_is_verified_with_the_usual_roots() -> None:
    assert ServiceUrl.parse("https://ias.example").verification() is True


def test_plain_http_trusts_no_root() -> None:
    context = ServiceUrl.parse("http://127.0.0.1").verification()

    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.cert_store_stats()["x509_ca"] == 0


def test_a_tls_authority_of_its_own_takes_the_place_of_the_usual_ones(
    dcap_pki: DcapPki, tmp_path: Path
) -> None:
    file = tmp_path / "authority.pem"
    file.write_bytes(dcap_pki.root_pem)

    context = ServiceUrl.parse("https://pccs.example").verification(str(file))

    assert isinstance(context, ssl.SSLContext)
    assert len(context.get_ca_certs()) == 1
    assert context.verify_mode is ssl.CERT_REQUIRED

"""Quotes of a simulated platform, as a verifier that knows nothing of simulation reads them."""

from dataclasses import replace
from pathlib import Path

import dcap_qvl  # type: ignore[import-untyped]
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import Certificate

from enclave import measurement
from enclave.backends.simulation import SimulatedPlatform
from enclave.errors import CallError, UnsupportedEvidenceError
from enclave.evidence import simulated_dcap
from enclave.evidence.dcap_quote import DcapQuote
from enclave.evidence.dcap_signature import DcapSignature
from enclave.evidence.sgx_report import SgxReport
from enclave.evidence.tdx_quote import TdReport
from enigmacli.simulated_intel import certificates
from enigmacli.simulated_intel.certificates import CertificateSpec
from enigmacli.simulated_intel.dcap_pki import parse_pck_key
from enigmacli.simulated_intel.sgx_extension import PlatformClaims
from tests.simulators.dcap_factory import AT, SGX_V3, TDX_V4, Made, make
from tests.simulators.dcap_pki_factory import VALID_FROM, VALID_TO, key

MEASUREMENT = bytes(range(32))
REPORT_DATA = bytes(range(64))
FORMS = {"dcap-sgx": SGX_V3, "dcap-tdx": TDX_V4}


@pytest.fixture
def platform(tmp_path: Path) -> SimulatedPlatform:
    return SimulatedPlatform.open(tmp_path, MEASUREMENT)


def pck(platform: SimulatedPlatform) -> Certificate:
    """A certificate for this platform, by the authority of the tests' own PKI."""
    ca = key("platform-ca")
    return CertificateSpec(
        subject=certificates.name(certificates.PCK),
        issuer=certificates.name(certificates.PLATFORM_CA),
        public_key=parse_pck_key(platform.pck_key),
        issuer_key=ca.public_key(),
        serial=7,
        not_before=VALID_FROM,
        not_after=VALID_TO,
        usages=certificates.SIGNS,
        sgx_extension=PlatformClaims().encode(),
    ).signed(ca)


def chain_of(platform: SimulatedPlatform) -> bytes:
    issued = make(SGX_V3).certificates
    return certificates.pem(pck(platform), issued["platform-ca"], issued["root"])


def quoted(platform: SimulatedPlatform, kind: str) -> Made:
    quote = platform.quote_dcap(kind, REPORT_DATA, chain_of(platform))
    return replace(make(FORMS[kind]), quote=quote)


@pytest.mark.parametrize("kind", FORMS)
def test_the_engine_accepts_a_simulated_quote_under_its_root(
    platform: SimulatedPlatform, kind: str
) -> None:
    made = quoted(platform, kind)

    collateral = dcap_qvl.QuoteCollateralV3.from_json(made.collateral_json.decode())
    now = int(AT.timestamp())
    report = dcap_qvl.verify_with_root_ca(made.quote, collateral, made.root_der, now)

    assert (report.status, report.advisory_ids) == ("UpToDate", [])
    with pytest.raises(ValueError, match="root CA CRL"):
        dcap_qvl.verify(made.quote, collateral, now)


def test_an_sgx_quote_says_what_an_epid_quote_says(platform: SimulatedPlatform) -> None:
    quote = DcapQuote.parse(quoted(platform, "dcap-sgx").quote)

    epid = SgxReport.parse(platform.quote_epid(REPORT_DATA, b"")[48:432])
    assert isinstance(quote.body, SgxReport)
    assert quote.version == 3
    assert replace(quote.body, cpu_svn=epid.cpu_svn) == epid


def test_a_tdx_quote_says_what_a_policy_can_list(platform: SimulatedPlatform) -> None:
    quote = DcapQuote.parse(quoted(platform, "dcap-tdx").quote)

    assert isinstance(quote.body, TdReport)
    assert quote.version == 4
    for name, value in measurement.simulated_td(MEASUREMENT).items():
        assert getattr(quote.body, name) == value
    assert quote.body.report_data == REPORT_DATA
    assert quote.body.td_attributes == bytes((0, 0, 0, 0x10, 0, 0, 0, 0))  # SEPT_VE_DISABLE


def test_a_simulated_domain_of_other_code_has_another_measurement() -> None:
    here, there = measurement.simulated_td(MEASUREMENT), measurement.simulated_td(bytes(32))

    assert {name for name in here if here[name] != there[name]} == {"mr_td"}
    assert {len(here[name]) for name in here.keys() - {"td_attributes", "xfam"}} == {48}


def test_the_platforms_keys_last_and_are_its_own(
    platform: SimulatedPlatform, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    again = SimulatedPlatform.open(tmp_path, bytes(32))
    elsewhere = SimulatedPlatform.open(tmp_path / "other", MEASUREMENT)

    assert again.pck_key == platform.pck_key
    assert elsewhere.pck_key != platform.pck_key
    assert isinstance(parse_pck_key(platform.pck_key), ec.EllipticCurvePublicKey)
    assert quoted(platform, "dcap-sgx").quote == quoted(platform, "dcap-sgx").quote


def test_the_two_keys_of_a_platform_differ(platform: SimulatedPlatform) -> None:
    quote = DcapQuote.parse(quoted(platform, "dcap-sgx").quote)

    attestation_key = DcapSignature.parse(quote.signature, 3).attestation_key
    assert attestation_key != platform.pck_key


@pytest.mark.parametrize("kind", FORMS)
def test_the_chain_in_the_quote_is_the_one_given(platform: SimulatedPlatform, kind: str) -> None:
    quote = DcapQuote.parse(quoted(platform, kind).quote)

    signature = DcapSignature.parse(quote.signature, quote.version)
    assert signature.pck_chain.rstrip(b"\0") == chain_of(platform)


@pytest.mark.parametrize("data", [b"", b"junk", b"-----BEGIN CERTIFICATE-----\n"])
def test_refuses_what_is_no_chain(platform: SimulatedPlatform, data: bytes) -> None:
    with pytest.raises(CallError, match="not a certificate chain"):
        platform.quote_dcap("dcap-sgx", REPORT_DATA, data)


def test_refuses_the_chain_of_another_platform(platform: SimulatedPlatform, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = SimulatedPlatform.open(tmp_path / "other", MEASUREMENT)

    with pytest.raises(CallError, match="another platform's"):
        platform.quote_dcap("dcap-sgx", REPORT_DATA, chain_of(other))


@pytest.mark.parametrize("kind", ["epid", "dcap", ""])
def test_refuses_another_kind(platform: SimulatedPlatform, kind: str) -> None:
    with pytest.raises(UnsupportedEvidenceError):
        platform.quote_dcap(kind, REPORT_DATA, chain_of(platform))


def test_fields_have_the_sizes_of_the_layout() -> None:
    sizes = {
        384: simulated_dcap.SGX_REPORT,
        584: simulated_dcap.TD_REPORT,
        48: simulated_dcap.HEADER,
    }

    for size, layout in sizes.items():
        assert len(simulated_dcap.encode_fields(layout, {})) == size
    with pytest.raises(KeyError, match="no such field"):
        simulated_dcap.encode_fields(simulated_dcap.HEADER, {"versions": 3})

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from enigmacli.simulated_intel import certificates
from tests.enclave.verify.dcap_evidence import accepted, refused
from tests.simulators.dcap_factory import AT, ISSUED, NEXT_UPDATE, SGX_V3, TDX_V5
from tests.simulators.dcap_pki_factory import key, serial_of

Changes = dict[str, Any]

PROCESSOR = {
    "certificates": {"pck": {"issuer": certificates.PROCESSOR_CA, "signed_by": "processor-ca"}},
    "pck_chain": ("pck", "processor-ca", "root"),
}
PROCESSOR_LIST = {"issuer": certificates.PROCESSOR_CA, "signed_by": "processor-ca"}
SECOND_CA = {
    "certificates": {"second": {"like": "platform-ca", "serial": serial_of("second")}},
    "crl_chain": ("second", "root"),
}


def built(*critical: x509.ExtensionType) -> str:
    """A list of the platform CA with these extensions, in hexadecimal."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(certificates.name(certificates.PLATFORM_CA))
        .last_update(ISSUED)
        .next_update(NEXT_UPDATE)
        .add_extension(x509.CRLNumber(1), critical=False)
    )
    for extension in critical:
        builder = builder.add_extension(extension, critical=True)
    return certificates.der(builder.sign(key("platform-ca"), hashes.SHA256())).hex()


RULES: list[tuple[str, Changes]] = [
    ("dcap-crl-malformed-root-crl", {"collateral": {"root_ca_crl": "3000"}}),
    ("dcap-crl-malformed-pck-crl", {"collateral": {"pck_crl": "3000"}}),
    ("dcap-crl-malformed-pck-crl", {"collateral": {"pck_crl": b"3000".hex()}}),
    ("dcap-crl-issuer-root-crl", {"root_crl": {"issuer": certificates.PLATFORM_CA}}),
    ("dcap-crl-issuer-pck-crl", {"pck_crl": {"issuer": certificates.PROCESSOR_CA}}),
    ("dcap-crl-issuer-crl-ca", {"crl_chain": ("processor-ca", "root"), "pck_crl": PROCESSOR_LIST}),
    ("dcap-crl-issuer-crl-ca", PROCESSOR),
    ("dcap-crl-issuer-pck-crl", PROCESSOR | {"crl_chain": ("processor-ca", "root")}),
    ("dcap-pck-issuer-crl-ca", {
        "certificates": {"other": {"like": "platform-ca", "subject": "Another CA"}},
        "crl_chain": ("other", "root"),
    }),
    ("dcap-crl-authority-key-root-crl", {"root_crl": {"authority_key": "platform-ca"}}),
    ("dcap-crl-authority-key-pck-crl", {"pck_crl": {"authority_key": "root"}}),
    ("dcap-crl-signature-root-crl", {"root_crl": {"signed_by": "pck"}}),
    ("dcap-crl-signature-pck-crl", {"pck_crl": {"signed_by": "root"}}),
    ("dcap-crl-signature-pck-crl", {"pck_crl": {"digest": hashes.SHA384()}}),
    ("dcap-crl-time-root-crl", {"root_crl": {"next_update": AT}}),
    ("dcap-crl-time-pck-crl", {"pck_crl": {"this_update": AT + timedelta(seconds=31)}}),
    ("dcap-pck-revoked-pck", {"pck_crl": {"revoked": (1, serial_of("pck"))}}),
    ("dcap-pck-ca-revoked-pck-ca", {"root_crl": {"revoked": (serial_of("platform-ca"),)}}),
    ("dcap-pck-ca-revoked-crl-ca", SECOND_CA | {"root_crl": {"revoked": (serial_of("second"),)}}),
    ("dcap-tcb-signer-revoked-tcb-signer", {"root_crl": {"revoked": (serial_of("tcb-signer"),)}}),
    ("dcap-tcb-signer-revoked-qe-identity-signer", {
        "certificates": {"other": {"like": "tcb-signer", "serial": serial_of("other")}},
        "qe_chain": ("other", "root"),
        "root_crl": {"revoked": (serial_of("other"),)},
    }),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "changes"), RULES, ids=range(len(RULES)))
def test_a_list_or_a_certificate_in_it_is_refused_by_its_rule(rule: str, changes: Changes) -> None:
    assert refused(SGX_V3, **changes) == rule


def test_a_platform_of_the_processor_ca_has_that_cas_list() -> None:
    accepted(SGX_V3, **PROCESSOR, crl_chain=("processor-ca", "root"), pck_crl=PROCESSOR_LIST)


def test_the_ca_may_hold_two_certificates_for_its_key() -> None:
    names = {date.name for date in accepted(TDX_V5, **SECOND_CA).dates}

    assert {"pck-ca", "crl-ca"} <= names


def test_other_serial_numbers_revoke_nothing() -> None:
    accepted(SGX_V3, pck_crl={"revoked": (1, serial_of("pck") + 1)}, root_crl={"revoked": (5,)})


def test_a_list_need_not_name_its_issuers_key() -> None:
    accepted(SGX_V3, collateral={"pck_crl": built()})


PARTIAL = x509.IssuingDistributionPoint(
    full_name=None,
    relative_name=None,
    only_contains_user_certs=True,
    only_contains_ca_certs=False,
    only_some_reasons=None,
    indirect_crl=False,
    only_contains_attribute_certs=False,
)
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\x05\x00")


@pytest.mark.parametrize("extension", [x509.DeltaCRLIndicator(1), PARTIAL, UNKNOWN])
def test_a_list_that_covers_only_a_part_is_refused(extension: x509.ExtensionType) -> None:
    crl = built(extension)

    assert refused(SGX_V3, collateral={"pck_crl": crl}) == "dcap-crl-malformed-pck-crl"

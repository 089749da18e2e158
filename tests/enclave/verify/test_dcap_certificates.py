import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from enclave.checks import Check
from enclave.evidence.pem import split_chain
from enclave.verify.dcap_certificates import PCK_CHAIN, TCB_INFO_CHAIN, verify_chain
from enclave.verify.roots import TrustRoots
from enigmacli.simulated_intel import certificates
from enigmacli.simulated_intel.sgx_extension import element
from tests.enclave import simulated_pki as pki
from tests.enclave.verify.dcap_evidence import accepted, refused
from tests.simulators.dcap_factory import SGX_V3, TDX_V4, make
from tests.simulators.dcap_pki_factory import serial_of

Changes = dict[str, Any]

SEQUENCE = 0x30
UNKNOWN_CRITICAL = element(
    SEQUENCE, element(0x06, b"\x2a\x03"), element(0x01, b"\xff"), element(0x04, b"\x05\x00")
)
UNKNOWN = element(SEQUENCE, element(0x06, b"\x2a\x03"), element(0x04, b"\x05\x00"))


def one(role: str, **changes: Any) -> Changes:
    return {"certificates": {role: changes}}


def other_signer(document: str, **changes: Any) -> Changes:
    """Another TCB signing certificate for one of the documents."""
    role = {"tcb_info": "tcb_chain", "qe_identity": "qe_chain"}[document]
    signer = {"like": "tcb-signer", "key": "other", "serial": serial_of("other"), **changes}
    return {
        "certificates": {"other": signer},
        f"{document}_signed_by": "other",
        role: ("other", "root"),
    }


def with_byte_behind(pem: bytes, at: int) -> bytes:
    """The chain whose certificate ``at`` is followed by a byte within its PEM."""
    ders = list(split_chain(pem.removesuffix(b"\0")))
    ders[at] += b"\0"
    begin, end = (f"-----{word} CERTIFICATE-----\n".encode() for word in ("BEGIN", "END"))
    return b"".join(begin + base64.encodebytes(der) + end for der in ders)


RULES: list[tuple[str, Changes]] = [
    ("dcap-certificate-malformed-pck", {"pem": lambda pem: b" " + pem}),
    ("dcap-certificate-malformed-pck", {"pem": lambda pem: pem + b"\0"}),
    ("dcap-certificate-malformed-pck-ca", {"pem": lambda pem: with_byte_behind(pem, 1)}),
    ("dcap-certificate-malformed-pck", {"pem": lambda pem: with_byte_behind(pem, 0)}),
    ("dcap-chain-length-pck", {"pck_chain": ("pck", "root")}),
    ("dcap-chain-length-crl-ca", {"crl_chain": ("platform-ca", "platform-ca", "root")}),
    ("dcap-chain-length-tcb-signer", {"tcb_chain": ("tcb-signer",)}),
    ("dcap-chain-length-qe-identity-signer", {"qe_chain": ("tcb-signer",)}),
    ("dcap-root-pck", {"pck_chain": ("pck", "platform-ca", "platform-ca")}),
    ("dcap-root-crl-ca", {"crl_chain": ("platform-ca", "platform-ca")}),
    ("dcap-root-tcb-signer", {"tcb_chain": ("tcb-signer", "tcb-signer")}),
    ("dcap-root-qe-identity-signer", {"qe_chain": ("tcb-signer", "tcb-signer")}),
    ("dcap-certificate-issuer-pck-ca", one("platform-ca", issuer="Another")),
    ("dcap-certificate-issuer-pck", one("pck", issuer="Another")),
    ("dcap-certificate-issuer-tcb-signer", one("tcb-signer", issuer="Another")),
    ("dcap-certificate-algorithm-pck-ca", one("platform-ca", digest=hashes.SHA384())),
    ("dcap-certificate-algorithm-pck", one("pck", digest=hashes.SHA384())),
    ("dcap-certificate-signature-pck-ca", one("platform-ca", signed_by="other")),
    ("dcap-certificate-signature-pck", one("pck", signed_by="other")),
    ("dcap-certificate-signature-tcb-signer", one("tcb-signer", signed_by="other")),
    ("dcap-certificate-key-pck", one("pck", curve=ec.SECP384R1())),
    ("dcap-certificate-key-tcb-signer", one("tcb-signer", curve=ec.SECP256K1())),
    ("dcap-certificate-ca-pck", one("pck", is_ca=True)),
    ("dcap-certificate-ca-pck-ca", one("platform-ca", is_ca=False, path_length=None)),
    ("dcap-path-length-pck", one("root", path_length=0)),
    ("dcap-certificate-key-usage-pck", one("pck", usages=certificates.ISSUES)),
    ("dcap-certificate-key-usage-pck-ca", one("platform-ca", usages=certificates.SIGNS)),
    ("dcap-certificate-authority-key-pck", one("pck", authority_key="root")),
    ("dcap-certificate-authority-key-pck-ca", one("platform-ca", authority_key="pck")),
    (
        "dcap-certificate-extension-pck",
        one("pck", extensions=lambda listed: [*listed, UNKNOWN_CRITICAL]),
    ),
    ("dcap-pck-role-pck", one("pck", subject="SIMULATION ONLY SGX TCB Signing")),
    ("dcap-pck-role-pck", one("pck", subject="SIMULATION ONLY SGX PCK Certificate 2")),
    ("dcap-sgx-extension-pck", one("pck", claims=None)),
    ("dcap-sgx-extension-pck", one("pck", claims={"fmspc": b"short"})),
    ("dcap-cpu-svn-pck", one("pck", claims={"cpu_svn": bytes(16)})),
    ("dcap-tcb-signer-role-tcb-signer", one("tcb-signer", subject=certificates.PCK)),
    ("dcap-tcb-signer-role-tcb-signer", other_signer("tcb_info", subject="Another")),
    ("dcap-tcb-signer-role-qe-identity-signer", other_signer("qe_identity", subject="Another")),
    ("dcap-tcb-signer-sgx-extension-tcb-signer", one("tcb-signer", claims={})),
    ("dcap-tcb-signer-sgx-extension-qe-identity-signer", other_signer("qe_identity", claims={})),
]


@pytest.mark.parametrize(("rule", "changes"), RULES, ids=range(len(RULES)))
def test_a_certificate_is_refused_by_its_rule(rule: str, changes: Changes) -> None:
    assert refused(SGX_V3, **changes) == rule


def test_the_pck_is_not_issued_by_any_other_ca() -> None:
    other = "SIMULATION ONLY SGX PCK Other CA"
    changes = {"platform-ca": {"subject": other}, "pck": {"issuer": other}}

    assert refused(SGX_V3, certificates=changes, pck_crl={"issuer": other}) == "dcap-pck-issuer-pck"


def test_an_extension_that_is_not_critical_may_be_unknown() -> None:
    accepted(SGX_V3, **one("pck", extensions=lambda listed: [*listed, UNKNOWN]))


@pytest.mark.parametrize("document", ["tcb_info", "qe_identity"])
def test_each_document_may_have_a_tcb_signer_of_its_own(document: str) -> None:
    names = {date.name for date in accepted(TDX_V4, **other_signer(document)).dates}

    assert {"tcb-signer", "qe-identity-signer"} <= names


def test_a_root_without_a_limit_allows_a_ca_below_it() -> None:
    accepted(SGX_V3, **one("root", path_length=None))


@pytest.mark.parametrize("role", ["pck", "platform-ca"])
def test_a_certificate_need_not_name_its_issuers_key(role: str) -> None:
    authority_key = b"\x55\x1d\x23"

    accepted(SGX_V3, **one(role, extensions=lambda listed: [
        extension for extension in listed if authority_key not in extension
    ]))  # fmt: skip


def test_a_simulated_pki_may_use_intels_names() -> None:
    names = {
        "platform-ca": {"subject": "Intel SGX PCK Platform CA"},
        "pck": {"subject": "Intel SGX PCK Certificate", "issuer": "Intel SGX PCK Platform CA"},
        "tcb-signer": {"subject": "Intel SGX TCB Signing"},
    }

    accepted(SGX_V3, certificates=names, pck_crl={"issuer": "Intel SGX PCK Platform CA"})


def test_an_rsa_root_anchors_no_quote() -> None:
    made = make(SGX_V3)
    chain = certificates.pem(*(made.certificates[role] for role in ("tcb-signer", "root")))
    checks: list[Check] = []

    with pytest.raises(Exception, match="trusted root"):
        verify_chain(chain, TCB_INFO_CHAIN, TrustRoots.standing_in(pki.root()), checks)


def test_what_is_known_under_the_root_is_not_verified_again() -> None:
    made = make(SGX_V3)
    chain = certificates.pem(*(made.certificates[role] for role in ("tcb-signer", "root")))
    (signer, _) = verify_chain(chain, TCB_INFO_CHAIN, made.roots, [])
    checks: list[Check] = []

    again, root = verify_chain(chain, TCB_INFO_CHAIN, made.roots, checks, known=signer)

    assert again is signer
    assert root.role == "root"
    assert [check.id for check in checks] == [
        "dcap-chain-length-tcb-signer", "dcap-root-tcb-signer", "dcap-path-length-tcb-signer",
    ]  # fmt: skip


def test_a_chain_gives_its_certificates_leaf_first() -> None:
    made = make(SGX_V3)
    chain = certificates.pem(*(made.certificates[role] for role in ("pck", "platform-ca", "root")))

    verified = verify_chain(chain, PCK_CHAIN, made.roots, [])

    assert tuple(certificate.role for certificate in verified) == PCK_CHAIN
    assert verified[0].serial == serial_of("pck")
    assert verified[0].sgx_extension is not None
    assert verified[2].der == made.root_der

import base64
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from enclave.evidence import simulated_dcap
from enclave.verify.roots import TrustRoots
from enigmacli.errors import StorageError
from enigmacli.simulated_intel import key_folder
from enigmacli.simulated_intel.dcap_pki import FILE_NAME, ROOT_FILE_NAME, Ca, DcapPki
from tests.corpus import load
from tests.enigmacli.simulated_intel.pcs_kit import PCK, public_key

NOW = datetime(2026, 1, 2, tzinfo=UTC)
INTELS = "dcap/automata_quotev3.json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("network") / "pccs"
    DcapPki.load_or_create(folder, NOW)
    return folder


def pem(header: str) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(unquote(header).encode())


def intels_certificates() -> dict[str, x509.Certificate]:
    """A genuine PCK certificate, its CA, the TCB signer and the root."""
    case = load(INTELS)
    quote = base64.b64decode(case["quote_b64"])
    pck = x509.load_pem_x509_certificates(quote[quote.index(b"-----BEGIN") :].rstrip(b"\0"))
    signer = x509.load_pem_x509_certificates(case["collateral"]["tcb_info_issuer_chain"].encode())
    return {"pck": pck[0], "ca": pck[1], "root": pck[2], "signer": signer[0]}


def our_certificates(pki: DcapPki) -> dict[str, x509.Certificate]:
    signer, root = pem(pki.tcb_chain_header())
    ca = pem(pki.ca_chain_header(Ca.PLATFORM))[0]
    return {
        "pck": pki.issue_pck(Ca.PLATFORM, PCK), "ca": ca, "root": root, "signer": signer,
    }  # fmt: skip


def common_name(certificate: x509.Certificate) -> str:
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(name.value)


@pytest.mark.parametrize("role", ["pck", "ca", "root", "signer"])
def test_certificates_have_the_shape_of_intels(dcap_pki: DcapPki, role: str) -> None:
    ours, theirs = our_certificates(dcap_pki)[role], intels_certificates()[role]

    for one in (ours, theirs):
        assert isinstance(public_key(one).curve, ec.SECP256R1)
    assert ours.signature_algorithm_oid == theirs.signature_algorithm_oid
    assert [(one.oid, one.critical) for one in ours.extensions] == [
        (one.oid, one.critical) for one in theirs.extensions
    ]
    for kind in (x509.KeyUsage, x509.BasicConstraints):
        found: list[Any] = [one.extensions.get_extension_for_class(kind) for one in (ours, theirs)]
        assert found[0].value == found[1].value
    assert common_name(ours) == common_name(theirs).replace("Intel", simulated_dcap.NAME_PREFIX)


@pytest.mark.parametrize("role", ["pck", "ca", "root", "signer"])
def test_every_name_says_what_it_is(dcap_pki: DcapPki, role: str) -> None:
    certificate = our_certificates(dcap_pki)[role]

    for name in (certificate.subject, certificate.issuer):
        assert name.rfc4514_string().count("SIMULATION ONLY") == 2
        assert "O=Intel Corporation" not in name.rfc4514_string()


def test_the_root_anchors_dcap_under_a_policy_that_names_it(dcap_pki: DcapPki) -> None:
    entry = dcap_pki.trust_root_entry()

    class Policy:
        trust_roots = (entry,)

    roots = TrustRoots.of(Policy())
    assert roots.simulated
    assert roots.roots[0].der == dcap_pki.root_der
    assert roots.roots[0] not in TrustRoots.of_intel().roots


def test_certificates_are_older_than_any_document_that_is_served(dcap_pki: DcapPki) -> None:
    oldest = our_certificates(dcap_pki)["root"].not_valid_before_utc

    assert NOW - oldest > timedelta(days=45)


def test_keys_are_kept_for_their_owner_only(folder: Path) -> None:
    assert stat.S_IMODE((folder / FILE_NAME).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert b"PRIVATE" not in (folder / ROOT_FILE_NAME).read_bytes()


def test_the_same_folder_gives_the_same_certificates(folder: Path) -> None:
    before = (folder / FILE_NAME).read_bytes()

    first, second = (DcapPki.load_or_create(folder, NOW) for _ in range(2))

    assert our_certificates(first) == our_certificates(second)
    assert (folder / FILE_NAME).read_bytes() == before


def test_another_folder_gives_another_root(folder: Path, dcap_pki: DcapPki) -> None:
    assert DcapPki.load_or_create(folder, NOW).root_der != dcap_pki.root_der


def test_each_authority_gives_a_platform_its_own_certificate(dcap_pki: DcapPki) -> None:
    by_platform, by_processor = (dcap_pki.issue_pck(ca, PCK) for ca in Ca)

    assert by_platform.serial_number != by_processor.serial_number
    assert by_platform.issuer != by_processor.issuer
    assert by_platform.public_key() == by_processor.public_key()


@pytest.mark.parametrize("pck_key", [b"", PCK[:63], PCK + b"\0", bytes(64)])
def test_no_certificate_for_what_is_no_key(dcap_pki: DcapPki, pck_key: bytes) -> None:
    with pytest.raises(ValueError, match=r"64 bytes|Invalid EC key"):
        dcap_pki.issue_pck(Ca.PLATFORM, pck_key)


def reordered(data: bytes) -> bytes:
    """The two PCK authorities in each other's place, each with its own key."""
    begin = b"-----BEGIN PRIVATE KEY-----"
    _, root, platform, processor, signer = data.split(begin)
    return b"".join(begin + part for part in (root, processor, platform, signer))


def with_a_key_of_another_kind(data: bytes) -> bytes:
    end = b"-----END PRIVATE KEY-----\n"
    return key_folder.key_pem(ed25519.Ed25519PrivateKey.generate()) + data.partition(end)[2]


def first_part(data: bytes) -> bytes:
    return data[: len(data) // 2]


def swapped_keys(data: bytes) -> bytes:
    end = b"-----END PRIVATE KEY-----\n"
    first, second, rest = data.split(end, 2)
    certificate, _, key = second.partition(b"-----BEGIN PRIVATE KEY-----")
    return b"-----BEGIN PRIVATE KEY-----" + key + end + certificate + first + end + rest


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda _: b"junk",
        lambda _: b"-----BEGIN PRIVATE KEY-----\n",
        first_part,
        swapped_keys,
        reordered,
        with_a_key_of_another_kind,
        lambda data: data + data[data.rindex(b"-----BEGIN CERTIFICATE") :],
    ],
)
def test_a_damaged_file_is_refused_and_kept(folder: Path, tmp_path: Path, damage: Any) -> None:
    data = damage((folder / FILE_NAME).read_bytes())
    (tmp_path / FILE_NAME).write_bytes(data)

    with pytest.raises(StorageError, match="damaged"):
        DcapPki.load_or_create(tmp_path, NOW)

    assert (tmp_path / FILE_NAME).read_bytes() == data


def test_authorities_of_two_folders_do_not_mix(
    folder: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    DcapPki.load_or_create(other, NOW)
    last = b"-----BEGIN PRIVATE KEY-----"
    ours, theirs = ((one / FILE_NAME).read_bytes() for one in (folder, other))
    (tmp_path / FILE_NAME).write_bytes(ours[: ours.rindex(last)] + theirs[theirs.rindex(last) :])

    with pytest.raises(StorageError, match="not the root's"):
        DcapPki.load_or_create(tmp_path, NOW)

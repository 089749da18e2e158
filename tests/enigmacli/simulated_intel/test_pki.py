import base64
import stat
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from enigmacli.errors import StorageError
from enigmacli.simulated_intel.pki import FILE_NAME, ROOT_FILE_NAME, SimulatedPki

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("network") / "simulated_intel"
    SimulatedPki.load_or_create(folder, NOW)
    return folder


def chain(pki: SimulatedPki) -> tuple[x509.Certificate, x509.Certificate]:
    leaf, root = x509.load_pem_x509_certificates(unquote(pki.chain_header).encode())
    return leaf, root


def test_the_root_is_self_signed_and_says_what_it_is(pki: SimulatedPki) -> None:
    _, root = chain(pki)

    root.verify_directly_issued_by(root)
    assert "SIMULATION ONLY" in root.subject.rfc4514_string()
    assert "O=Intel Corporation" not in root.subject.rfc4514_string()
    key = root.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size == 3072
    constraints = root.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value.ca
    assert root.not_valid_before_utc == datetime(2026, 1, 1, tzinfo=UTC)
    assert root.not_valid_after_utc == datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_the_leaf_is_the_roots_and_may_only_sign(pki: SimulatedPki) -> None:
    leaf, root = chain(pki)

    leaf.verify_directly_issued_by(root)
    assert leaf.not_valid_after_utc == root.not_valid_after_utc
    key = leaf.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size == 2048
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert usage.value.content_commitment
    assert not usage.value.key_cert_sign
    assert not usage.value.crl_sign


def test_the_leaf_signs_as_intels_does(pki: SimulatedPki) -> None:
    leaf, _ = chain(pki)
    key = leaf.public_key()
    assert isinstance(key, rsa.RSAPublicKey)

    signature = pki.sign(b"report")

    key.verify(signature, b"report", padding.PKCS1v15(), hashes.SHA256())
    assert signature == pki.sign(b"report")
    with pytest.raises(InvalidSignature):
        key.verify(signature, b"another", padding.PKCS1v15(), hashes.SHA256())


def test_the_policy_names_the_root_in_der(pki: SimulatedPki) -> None:
    _, root = chain(pki)

    prefix, _, der = pki.trust_root_entry().partition(":")

    assert prefix == "simulation"
    assert x509.load_der_x509_certificate(base64.b64decode(der, validate=True)) == root


def test_keys_are_kept_for_their_owner_only(folder: Path) -> None:
    assert stat.S_IMODE((folder / FILE_NAME).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert b"PRIVATE" not in (folder / ROOT_FILE_NAME).read_bytes()


def test_the_same_folder_gives_the_same_root_and_leaf(folder: Path) -> None:
    before = (folder / FILE_NAME).read_bytes()

    first, second = (SimulatedPki.load_or_create(folder, NOW) for _ in range(2))

    assert first.trust_root_entry() == second.trust_root_entry()
    assert first.chain_header == second.chain_header
    assert (folder / FILE_NAME).read_bytes() == before


def test_another_folder_gives_another_root(folder: Path, pki: SimulatedPki) -> None:
    assert SimulatedPki.load_or_create(folder, NOW).trust_root_entry() != pki.trust_root_entry()


@pytest.mark.parametrize("data", [b"", b"junk", b"-----BEGIN PRIVATE KEY-----\n"])
def test_a_damaged_file_is_refused_and_kept(tmp_path: Path, data: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(data)

    with pytest.raises(StorageError, match="damaged"):
        SimulatedPki.load_or_create(tmp_path, NOW)

    assert (tmp_path / FILE_NAME).read_bytes() == data


def test_the_key_of_another_leaf_is_refused(
    folder: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    SimulatedPki.load_or_create(other, NOW)
    end = b"-----END PRIVATE KEY-----\n"
    key, _, _ = (other / FILE_NAME).read_bytes().partition(end)
    _, _, certificates = (folder / FILE_NAME).read_bytes().partition(end)
    (tmp_path / FILE_NAME).write_bytes(key + end + certificates)

    with pytest.raises(StorageError, match="not the leaf's"):
        SimulatedPki.load_or_create(tmp_path, NOW)


def test_the_root_of_another_leaf_is_refused(
    folder: Path, tmp_path: Path, pki: SimulatedPki
) -> None:
    begin = b"-----BEGIN CERTIFICATE-----\n"
    key, leaf, _ = (folder / FILE_NAME).read_bytes().split(begin)
    (tmp_path / FILE_NAME).write_bytes(key + begin + leaf + pki.root_pem)

    with pytest.raises(StorageError, match="not the root's"):
        SimulatedPki.load_or_create(tmp_path, NOW)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageError, match="cannot keep simulated keys"):
        SimulatedPki.load_or_create(tmp_path / "file" / "folder", NOW)

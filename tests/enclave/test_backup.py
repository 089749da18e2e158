from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from enclave import calls, canonical_json
from enclave.backup import make_bundle
from enclave.calls import BackupBundle, SealedBlob
from enclave.errors import BackupConflictError, BackupError, SealedFormatError
from enclave.sealing import Purpose
from tests.simulators.attested_network import NOW_US
from tests.simulators.enclave_home import OTHER_NETWORK, EnclaveHome

SEEDS: Final = (b"\x01" * 32, b"\x02" * 32)


class Home(EnclaveHome):
    """A home with backups."""

    def fill(self) -> None:
        self.keygen()
        self.add_seeds(*SEEDS)
        self.service.advance(calls.Advance(NOW_US))

    def backup(self) -> BackupBundle:
        return self.service.backup(calls.Backup())

    def verify(self, bundle: BackupBundle) -> tuple[calls.SealedFile, ...]:
        return self.service.verify_backup(calls.VerifyBackup(bundle)).files

    def restore(self, bundle: BackupBundle) -> tuple[str, ...]:
        return self.service.restore(calls.Restore(bundle)).restored

    def empty(self) -> None:
        for path in self.folder.glob("*.sealed"):
            path.unlink()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.fill()
    return made


def test_a_backup_is_a_copy_byte_for_byte_with_its_hashes(home: Home) -> None:
    bundle = home.backup()

    assert {blob.name: blob.data for blob in bundle.blobs} == home.files()
    manifest = canonical_json.loads(bundle.manifest)
    assert manifest["format"] == "enigma/sealed-backup/v1"
    assert [file["purpose"] for file in manifest["files"]] == ["registration", "seed", "clock"]
    assert bundle.manifest == canonical_json.encode(manifest)


def test_a_good_backup_verifies(home: Home) -> None:
    assert home.verify(home.backup()) == home.seal()


def test_there_is_no_backup_of_nothing_or_of_damage(home: Home, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="no sealed file"):
        Home(tmp_path / "empty").backup()

    (home.folder / "seed.sealed").write_bytes(b"damaged")
    with pytest.raises(SealedFormatError):
        home.backup()


def test_restores_all_that_is_missing(home: Home) -> None:
    files, bundle = home.files(), home.backup()
    home.empty()

    assert home.restore(bundle) == ("registration.sealed", "seed.sealed", "clock.sealed")
    assert home.files() == files


@pytest.mark.parametrize("name", ["registration.sealed", "seed.sealed", "clock.sealed"])
def test_restores_only_what_is_missing(home: Home, name: str) -> None:
    files, bundle = home.files(), home.backup()
    (home.folder / name).unlink()

    assert home.restore(bundle) == (name,)
    assert home.files() == files
    assert home.restore(bundle) == ()


def test_never_lowers_the_clock(home: Home) -> None:
    bundle = home.backup()
    home.service.advance(calls.Advance(NOW_US + 1))
    later = home.files()

    assert home.restore(bundle) == ()
    assert home.files() == later


def test_never_takes_an_epoch_away_and_may_add_one(home: Home) -> None:
    two = home.backup()
    home.add_seeds(b"\x03" * 32)
    three = home.backup()

    assert home.restore(two) == ()
    home.empty()
    home.restore(two)
    assert home.restore(three) == ("seed.sealed",)
    assert home.status().seeds == 3


def test_never_replaces_a_key_that_differs(home: Home) -> None:
    bundle = home.backup()
    home.empty()
    home.keygen()
    files = home.files()

    with pytest.raises(BackupConflictError, match="another registration key"):
        home.restore(bundle)

    assert home.files() == files  # the seed was not restored either


def test_never_replaces_a_seed_that_differs(home: Home) -> None:
    bundle = home.backup()
    (home.folder / "seed.sealed").unlink()
    (home.folder / "registration.sealed").unlink()
    home.add_seeds(b"\x03" * 32)
    files = home.files()

    with pytest.raises(BackupConflictError, match="other seeds"):
        home.restore(bundle)

    assert home.files() == files


def test_never_mixes_two_networks(home: Home) -> None:
    bundle = home.backup()
    home.empty()
    home.bootstrap(OTHER_NETWORK)

    with pytest.raises(BackupConflictError, match="another network"):
        home.restore(bundle)


def test_a_backup_opens_nowhere_else(home: Home, tmp_path: Path) -> None:
    bundle = home.backup()
    elsewhere, updated = Home(tmp_path / "elsewhere"), Home(home.folder, b"\x02" * 32)

    for place in (elsewhere, updated):
        with pytest.raises(BackupError, match="does not open here"):
            place.verify(bundle)
        with pytest.raises(BackupError, match="does not open here"):
            place.restore(bundle)
    assert elsewhere.files() == {}


def altered(bundle: BackupBundle) -> list[BackupBundle]:
    """Every way in which a backup can be torn or altered."""
    blobs = bundle.blobs
    cut = SealedBlob(blobs[0].name, blobs[0].data[:-1])
    renamed = SealedBlob("other.sealed", blobs[0].data)
    swapped = (
        SealedBlob(blobs[0].name, blobs[1].data),
        SealedBlob(blobs[1].name, blobs[0].data),
        blobs[2],
    )
    return [
        replace(bundle, manifest=b""),
        replace(bundle, manifest=bundle.manifest[:-1]),
        replace(bundle, manifest=bundle.manifest + b" "),
        replace(bundle, manifest=bundle.manifest.replace(b"/v1", b"/v2")),
        replace(bundle, manifest=b'{"files":[]}'),
        replace(bundle, manifest=b"[]"),
        replace(bundle, blobs=()),
        replace(bundle, blobs=blobs[1:]),
        replace(bundle, blobs=(*blobs, blobs[0])),
        replace(bundle, blobs=(cut, *blobs[1:])),
        replace(bundle, blobs=(renamed, *blobs[1:])),
        replace(bundle, blobs=swapped),
    ]


def test_a_torn_or_altered_backup_is_refused_and_restores_nothing(home: Home) -> None:
    bundles = altered(home.backup())
    home.empty()

    for bundle in bundles:
        with pytest.raises(BackupError):
            home.verify(bundle)
        with pytest.raises(BackupError):
            home.restore(bundle)
    assert home.files() == {}


def test_a_backup_whose_manifest_was_forged_along_still_does_not_open(home: Home) -> None:
    bundle = home.backup()
    flipped = bytearray(bundle.blobs[1].data)
    flipped[-1] ^= 1
    forged = make_bundle({Purpose.SEED: bytes(flipped)})

    with pytest.raises(BackupError, match="does not open here"):
        home.verify(forged)


def test_the_order_in_which_a_folder_lists_its_files_does_not_matter(first: EnclaveHome) -> None:
    first.keygen()
    first.service.advance(calls.Advance(NOW_US))
    bundle = first.service.backup(calls.Backup())
    assert len(bundle.blobs) == 3

    listed = replace(bundle, blobs=tuple(sorted(bundle.blobs, key=lambda blob: blob.name)))

    opened = first.service.verify_backup(calls.VerifyBackup(listed))
    assert {file.purpose for file in opened.files} == {"registration", "seed", "clock"}

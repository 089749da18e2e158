"""A whole state folder under a live enclave: every damage and every swap is refused by name.

Going back to an older file of the same home is not among them: where nothing else is kept,
nobody can tell, and the last test here says so.
"""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

import enclave
from enclave.client import EnclaveClient
from enclave.errors import (
    EnclaveError,
    SealedElsewhereError,
    SealedFormatError,
    SealedNetworkError,
    SealedPurposeError,
    SealedStateError,
)
from enclave.measurement import measure
from tests.simulators.attested_network import NOW_US, OWNER, AttestedNetwork

MEASUREMENT: Final = measure(Path(enclave.__file__).parent)
NETWORK: Final = AttestedNetwork(MEASUREMENT)
OTHER: Final = AttestedNetwork(MEASUREMENT, chain_id="another")
NAMES: Final = ("registration.sealed", "seed.sealed", "clock.sealed")


@dataclass
class LiveHome:
    """A state folder and the running enclave over it."""

    folder: Path
    client: EnclaveClient

    def fill(self, network: AttestedNetwork = NETWORK) -> "LiveHome":
        """A registration key, a seed and a clock bound."""
        self.client.keygen(network.chain_id, network.policy)
        self.client.bootstrap(network.chain_id, network.policy)
        self.client.advance(NOW_US)
        return self

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.glob("*.sealed")}

    def refusal(self) -> EnclaveError | None:
        """Why the files do not open, if they do not."""
        try:
            self.client.seal()
        except EnclaveError as error:
            return error
        return None

    def refusals(self, name: str, contents: Iterator[bytes]) -> list[EnclaveError | None]:
        """What each of these contents of one file is refused for; afterwards it is whole."""
        path = self.folder / name
        whole = path.read_bytes()
        found = []
        for content in contents:
            path.write_bytes(content)
            found.append(self.refusal())
        path.write_bytes(whole)
        assert self.refusal() is None
        return found


@pytest.fixture
def clients() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def home(tmp_path: Path, clients: ExitStack) -> LiveHome:
    return live(tmp_path / "home", clients).fill()


def live(folder: Path, clients: ExitStack) -> LiveHome:
    client = clients.enter_context(EnclaveClient.keys(package=None, state=folder))
    client.status()
    return LiveHome(folder, client)


@pytest.mark.parametrize("name", NAMES)
def test_every_flipped_byte_of_every_file_is_refused_by_name(home: LiveHome, name: str) -> None:
    whole = home.files()[name]
    flipped = (
        whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1 :]
        for at in range(len(whole))
    )

    found = home.refusals(name, flipped)

    assert len(found) == len(whole)
    assert [at for at, error in enumerate(found) if not isinstance(error, SealedStateError)] == []
    assert {type(error) for error in found} == {
        SealedElsewhereError, SealedFormatError, SealedNetworkError, SealedPurposeError,
    } - ({SealedNetworkError} if name == NAMES[0] else set())  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_truncation_of_every_file_is_refused_by_name(home: LiveHome, name: str) -> None:
    whole = home.files()[name]

    found = home.refusals(name, (whole[:size] for size in range(len(whole))))

    assert {type(error) for error in found} == {SealedFormatError}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("tail", [b"\x00", b"\xff" * 16, b"a line\n"])
def test_every_addition_is_refused_by_name(home: LiveHome, name: str, tail: bytes) -> None:
    found = home.refusals(name, iter([home.files()[name] + tail]))

    assert [type(error) for error in found] == [SealedFormatError]


def test_every_swap_of_purposes_is_refused_by_name(home: LiveHome) -> None:
    files = home.files()
    swaps = [(to, source) for to in NAMES for source in NAMES if to != source]

    for to, source in swaps:
        (error,) = home.refusals(to, iter([files[source]]))
        assert isinstance(error, SealedPurposeError), (to, source)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_another_home_is_refused_by_name(
    home: LiveHome, tmp_path: Path, clients: ExitStack, name: str
) -> None:
    other = live(tmp_path / "other", clients).fill()

    (error,) = home.refusals(name, iter([other.files()[name]]))

    assert isinstance(error, SealedElsewhereError)
    assert "another platform" in error.message


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_another_network_on_the_same_platform_is_refused_by_name(
    home: LiveHome, tmp_path: Path, clients: ExitStack, name: str
) -> None:
    folder = tmp_path / "same-platform"
    folder.mkdir()
    shutil.copy(home.folder / "platform.key", folder)
    other = live(folder, clients).fill(OTHER)

    (error,) = home.refusals(name, iter([other.files()[name]]))

    # the first file that opens names the network; the next one then does not belong
    assert isinstance(error, SealedNetworkError)


@pytest.mark.parametrize("name", NAMES)
def test_a_changed_generation_is_refused_by_name(home: LiveHome, name: str) -> None:
    whole = home.files()[name]
    network_id = NETWORK.configuration.network_id
    at = whole.index(network_id) + len(network_id)
    changed = (
        whole[:at] + generation.to_bytes(8, "big") + whole[at + 8 :] for generation in (0, 2, 9)
    )

    found = home.refusals(name, changed)

    assert {type(error) for error in found} == {SealedElsewhereError}


def test_sealed_files_of_other_code_are_refused_by_name(home: LiveHome, tmp_path: Path) -> None:
    package = tmp_path / "package"
    shutil.copytree(Path(enclave.__file__).parent, package / "enclave")
    with (package / "enclave" / "__init__.py").open("a") as source:
        source.write("# other code\n")

    with (
        EnclaveClient.keys(package=package, state=home.folder) as other,
        pytest.raises(SealedElsewhereError, match="other code"),
    ):
        other.seal()


@pytest.mark.parametrize("size", [0, 1, 31, 33])
def test_a_platform_key_of_another_size_is_refused_by_name(home: LiveHome, size: int) -> None:
    home.client.close()
    (home.folder / "platform.key").write_bytes(bytes(size))

    assert isinstance(home.refusal(), SealedFormatError)


def test_another_platform_key_opens_nothing(home: LiveHome) -> None:
    home.client.close()
    key = bytearray((home.folder / "platform.key").read_bytes())
    key[31] ^= 1
    (home.folder / "platform.key").write_bytes(key)

    assert isinstance(home.refusal(), SealedElsewhereError)


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_file_is_never_replaced_by_a_new_key(home: LiveHome, name: str) -> None:
    path = home.folder / name
    path.write_bytes(path.read_bytes()[:-1])
    before = home.files()
    certificate = NETWORK.certify_report_data(bytes(64))
    attempts = [
        lambda: home.client.keygen(NETWORK.chain_id, NETWORK.policy),
        lambda: home.client.bootstrap(NETWORK.chain_id, NETWORK.policy),
        lambda: home.client.advance(NOW_US + 1),
        lambda: home.client.admit(certificate, OWNER, NOW_US),
        home.client.backup,
        home.client.public_keys,
        home.client.status,
    ]

    for attempt in attempts:
        with pytest.raises(SealedFormatError):
            attempt()

    assert home.files() == before


def test_an_older_file_of_the_same_home_cannot_be_told_from_the_newest(home: LiveHome) -> None:
    older = home.files()["clock.sealed"]
    home.client.advance(NOW_US + 1_000_000)
    newer = home.files()["clock.sealed"]
    generations = []
    for clock in (older, newer):
        (home.folder / "clock.sealed").write_bytes(clock)
        generations.append([one.generation for one in home.client.seal() if one.purpose == "clock"])

    # The README says what this means: the lower bound on time holds only while the host does
    # not restore an older file. Keys cannot be taken back this way, only hidden.
    assert generations == [[1], [2]]

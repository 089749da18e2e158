"""A real enclave process that is killed right before each of its writes, fsyncs and renames.

Its trusted package is a copy that counts what it does to its folder, and kills itself before the
step that a file beside the package names; nothing in the product can be told to do so.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

import enclave
from enclave import calls
from enclave.client import EnclaveClient
from enclave.errors import EnclaveUnavailableError
from enclave.measurement import measure
from tests.simulators.attested_network import NOW_US, OWNER, AttestedNetwork
from tests.simulators.enclave_home import EnclaveHome

pytestmark = pytest.mark.e2e

_NEVER: Final = 1_000_000
_COUNTING: Final = """

def _let_count(name):
    import pathlib, signal, sys

    folder = pathlib.Path(__file__).parents[1]
    root = os.path.realpath(sys.argv[sys.argv.index("--state") + 1])
    genuine = getattr(os, name)

    def counting(first, *rest, **options):
        path = os.readlink(f"/proc/self/fd/{first}") if isinstance(first, int) else str(first)
        if path.startswith(root):
            left = int((folder / "steps_left").read_text())
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            (folder / "steps_left").write_text(str(left - 1))
        return genuine(first, *rest, **options)

    setattr(os, name, counting)


for _name in ("write", "pwrite", "fsync", "link", "rename", "replace", "unlink", "mkdir"):
    _let_count(_name)
"""


@dataclass(frozen=True)
class Counted:
    """A trusted package whose processes stop at a step."""

    package: Path

    @property
    def network(self) -> AttestedNetwork:
        return AttestedNetwork(measure(self.package / "enclave"))

    def enclave(self, state: Path) -> EnclaveClient:
        return EnclaveClient.keys(package=self.package, state=state)

    def stop_before(self, step: int) -> None:
        (self.package / "steps_left").write_text(str(step))

    def taken(self) -> int:
        return _NEVER - int((self.package / "steps_left").read_text())


Change = Callable[[EnclaveClient], object]
Prepare = Callable[[Counted, Path], tuple[Path, Change]]


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Counted:
    folder = tmp_path_factory.mktemp("package")
    package = folder / "enclave"
    shutil.copytree(
        Path(enclave.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__")
    )
    durable = package / "durable.py"
    durable.write_text(durable.read_text() + _COUNTING)
    made = Counted(folder)
    made.stop_before(_NEVER)
    return made


def keygen(counted: Counted, folder: Path) -> tuple[Path, Change]:
    network = counted.network
    state = folder / "state"
    state.mkdir(mode=0o700)
    return state, lambda client: client.keygen(network.chain_id, network.policy)


def bootstrap(counted: Counted, folder: Path) -> tuple[Path, Change]:
    """Behind a keygen, whose steps are tried by themselves."""
    network = counted.network
    state, make_key = keygen(counted, folder)
    with counted.enclave(state) as client:
        make_key(client)
    return state, lambda client: client.bootstrap(network.chain_id, network.policy)


def install(counted: Counted, folder: Path) -> tuple[Path, Change]:
    """A newcomer that the first node has answered."""
    network = counted.network
    first = EnclaveHome(folder / "first", network.mr_enclave)
    public = first.bootstrap(network)
    state, make_key = keygen(counted, folder)
    with counted.enclave(state) as client:
        make_key(client)
        quote = client.evidence("registration", "epid", OWNER).quote
    admitted = first.service.admit(calls.Admit(network.certify(quote), OWNER, NOW_US))
    own = network.certify(first.evidence("bootstrap", bytes(20)))
    return state, lambda client: client.install(
        genesis_exchange_pk=public.genesis_exchange_pk,
        genesis_io_pk=public.genesis_io_pk,
        bootstrap_certificate=own,
        bootstrap_at_us=NOW_US,
        exchange_pk=public.exchange_pk,
        encrypted_seed=admitted.encrypted_seed,
    )


def sealed(state: Path) -> dict[str, bytes]:
    """The files that must never be made a second time."""
    return {path.name: path.read_bytes() for path in state.iterdir()
            if path.suffix in (".key", ".sealed")}  # fmt: skip


@pytest.mark.parametrize("prepare", [keygen, bootstrap, install], ids=lambda one: one.__name__)
def test_an_enclave_that_is_killed_before_any_step_completes_when_it_is_asked_again(
    counted: Counted, tmp_path: Path, prepare: Prepare
) -> None:
    counted.stop_before(_NEVER)
    state, change = prepare(counted, tmp_path)
    shutil.copytree(state, tmp_path / "before")
    counted.stop_before(_NEVER)
    with counted.enclave(state) as client:
        change(client)
    steps, whole = counted.taken(), sealed(state).keys()
    assert steps >= 5

    for step in range(steps):
        shutil.rmtree(state)
        shutil.copytree(tmp_path / "before", state)
        counted.stop_before(step)
        with counted.enclave(state) as client, pytest.raises(EnclaveUnavailableError):
            change(client)
        held = sealed(state)
        counted.stop_before(_NEVER)
        with counted.enclave(state) as client:
            change(client)
            files = client.seal()

        assert sealed(state).keys() == whole, step
        assert held.items() <= sealed(state).items(), step
        assert {one.name for one in files} <= whole, step

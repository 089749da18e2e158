"""One home's enclave in this process: platform, sealed files and the calls of the keys role."""

from pathlib import Path
from typing import Any, Final

from enclave import calls
from enclave.backends.simulation import SimulatedPlatform
from enclave.keys import Secret
from enclave.service import KeysService
from enclave.state import SealedState
from tests.simulators.attested_network import NOW_US, OWNER, AttestedNetwork

MEASUREMENT: Final = b"\x01" * 32
NETWORK: Final = AttestedNetwork(MEASUREMENT)
OTHER_NETWORK: Final = AttestedNetwork(MEASUREMENT, chain_id="another")
DAY_US: Final = 86_400_000_000


class EnclaveHome:
    """A state folder, and the enclave that opens it."""

    def __init__(self, folder: Path, mr_enclave: bytes = MEASUREMENT) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.platform = SimulatedPlatform.open(folder, mr_enclave)
        self.state = SealedState(folder, self.platform)
        self.service = KeysService(self.platform, self.state)

    def keygen(self, network: AttestedNetwork = NETWORK) -> calls.KeygenReply:
        return self.service.keygen(calls.Keygen(network.chain_id, network.policy))

    def bootstrap(self, network: AttestedNetwork = NETWORK) -> calls.PublicKeysReply:
        return self.service.bootstrap(calls.Bootstrap(network.chain_id, network.policy))

    def evidence(self, purpose: str = "registration", owner: bytes = OWNER) -> bytes:
        """A quote, as the host gets it."""
        reply = self.service.evidence(calls.Evidence(purpose, "epid", owner, b""))
        assert reply.quote[368:432] == reply.report_data
        return reply.quote

    def certificate(self) -> bytes:
        """Good registration evidence of this enclave."""
        return NETWORK.certify(self.evidence())

    def status(self) -> calls.StatusReply:
        return self.service.status(calls.Status())

    def public_keys(self) -> calls.PublicKeysReply:
        return self.service.public_keys(calls.PublicKeys())

    def admit(self, certificate: bytes, at_us: int = NOW_US) -> calls.AdmitReply:
        return self.service.admit(calls.Admit(certificate, OWNER, at_us))

    def seal(self) -> tuple[calls.SealedFile, ...]:
        return self.service.seal(calls.Seal()).files

    def add_seeds(self, *seeds: bytes) -> None:
        """Seal these behind the seeds that are held."""
        added = [Secret(bytearray(seed)) for seed in seeds]
        with self.state.changing() as held:
            self.state.save_seeds(NETWORK.configuration, [*held.seeds, *added], held)

    def set_seeds(self, *seeds: bytes) -> None:
        """Hold these seeds and no others, as no enclave would let itself be told to."""
        self.file("seed").unlink(missing_ok=True)
        self.add_seeds(*seeds)

    def file(self, name: str) -> Path:
        return self.folder / f"{name}.sealed"

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.glob("*.sealed")}

    def installation(self, newcomer: "EnclaveHome", **changes: Any) -> calls.Install:
        """What a newcomer's host passes on, taken from the state of this node's network."""
        public = self.public_keys()
        values: dict[str, Any] = {
            "genesis_exchange_pk": public.genesis_exchange_pk,
            "genesis_io_pk": public.genesis_io_pk,
            "bootstrap_certificate": NETWORK.certify(self.evidence("bootstrap", bytes(20))),
            "bootstrap_at_us": NOW_US,
            "exchange_pk": public.exchange_pk,
            "encrypted_seed": self.admit(newcomer.certificate()).encrypted_seed,
        }
        return calls.Install(**values | changes)

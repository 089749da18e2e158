"""This call's home, enclave and node, as :mod:`enigmacli.standing` looks at them."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from enclave.errors import EnclaveError, EvidenceFormatError
from enigmacli import standing
from enigmacli.cli import registration_note
from enigmacli.cli.context import Services
from enigmacli.standing import Standing, Verified

if TYPE_CHECKING:
    from enclave.calls import StatusReply
    from enigmacli.chain.answers import NodeStatus

EVIDENCE_FILES: Final = ("attestation_cert.der", "attestation_combined.bin")


class HomeSurroundings:
    """See :class:`enigmacli.standing.Surroundings`."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @property
    def home(self) -> Path:
        """The home of this call."""
        return self._services.home_path

    @property
    def node_url(self) -> str:
        """The node named by ``--node``."""
        return self._services.config.chain.node

    def owner_pid(self) -> int | None:
        """Who holds the home's lock."""
        return self._services.home.owner_pid()

    def begin(self) -> None:
        """Let the enclave start while other answers are fetched."""
        with suppress(EnclaveError):  # is said when it is asked
            self._services.enclave().start_early()

    def held(self) -> "StatusReply":
        """Ask the enclave."""
        return self._services.enclave().status()

    def node(self) -> "NodeStatus":
        """Ask the node."""
        return self._services.rpc().status()

    def registration(self, node_id: bytes) -> Verified | None:
        """Ask the chain, whose answer is proven where there is something to verify from."""
        from enigmacli.cli.network import proving  # noqa: PLC0415 -- only where it is asked

        chain = proving(self._services)
        chain.node(node_id)
        by = chain.verified
        return Verified(by.height, by.header_hash.hex().upper()) if by else None

    def peer_id(self) -> str:
        """The peer id of the home's node key."""
        from enigmacli.engine.validator_key import Ed25519Key  # noqa: PLC0415 -- as above

        return Ed25519Key.load(self._services.home.node_key_file).address.hex()

    def evidence_for(self, node_id: bytes) -> Path | None:
        """Evidence where ``attest fetch`` puts it."""
        files = (self.home / name for name in EVIDENCE_FILES)
        return next((path for path in files if path.is_file() and _binds(path, node_id)), None)

    def sent_for(self, node_id: bytes) -> bytes | None:
        """The transaction that ``tx register auth`` noted."""
        return registration_note.read(self.home, node_id)


def _binds(path: Path, node_id: bytes) -> bool:
    from enigmacli import home as homes  # noqa: PLC0415 -- only where there is evidence
    from enigmacli.registration import claimed_node_id  # noqa: PLC0415

    try:
        return claimed_node_id(homes.read(path)) == node_id
    except EvidenceFormatError:
        return False  # not what a transaction may carry


def look(services: Services, *, thoroughly: bool = False) -> Standing:
    """Where the home of this call stands; a simulated network is warned of.

    Raises:
        ConfigError: the configuration or the genesis document is malformed.
        UntrustedAnswerError: the node gave an answer that it cannot prove.
    """
    found = standing.look(HomeSurroundings(services), thoroughly=thoroughly)
    if found.genesis is not None and found.genesis.policy == "simulated":
        services.warn_of_simulation()
    return found

"""The node named by ``--node``, and the machine's clock, as the flows' ports want them.

Answers are verified from this home's genesis document, or from the header that
``--trust-height`` and ``--trust-hash`` name.
"""

import time
from typing import TYPE_CHECKING, Any

from enigmacli.chain.queries import check_code
from enigmacli.cli.context import Services
from enigmacli.errors import ConfigError, NotFoundError, TxRejectedError

if TYPE_CHECKING:
    from enigmacli.chain.light_client import GenesisRoot, HeaderRoot, LightClient
    from enigmacli.chain.light_queries import VerifiedQueries
    from enigmacli.chain.queries import Queries
    from enigmacli.chain.trust_store import TrustStore

_UNVERIFIED = (
    "the answer is the node's word: without a genesis document in this home, or --trust-height "
    "and --trust-hash, nothing can be verified"
)


class SystemClock:
    """The machine's time."""

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        time.sleep(seconds)


class _LightClock(SystemClock):
    """The time of this call of the program, too."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        return self._services.now_us() * 1000


def connect(services: Services) -> "Queries | VerifiedQueries":
    """The node named by ``--node``, once it has said that it is of this network.

    Raises:
        ConfigError: it is of another network.
        ServiceUnavailableError: it did not answer.
    """
    expected, seen = services.chain_id, services.rpc().status().network
    if seen != expected:
        raise ConfigError(
            f"the node at {services.config.chain.node} is of another network, "
            f"expected {expected}, seen {seen}",
            hint="name a node of your network with --node",
            details={"expected": expected, "seen": seen},
        )
    return proving(services)


def proving(services: Services) -> "Queries | VerifiedQueries":
    """The node named by ``--node``, whose answers are proven.

    Where there is nothing to verify from, a warning says that they are the node's word.

    Raises:
        ConfigError: only one of ``--trust-height`` and ``--trust-hash`` was given.
        GenesisError: the genesis document is malformed.
    """
    root = _root(services)
    if root is None:
        services.warn(_UNVERIFIED)
        return services.queries()
    from enigmacli.chain.light_queries import VerifiedQueries  # noqa: PLC0415

    light = _light_client(services, root, _store(services))
    return VerifiedQueries(services.queries(), light)


def verified_document(chain: "Queries | VerifiedQueries") -> dict[str, Any]:
    """What ``-o json`` says of the header that proved the last answer."""
    by = chain.verified
    header = {"height": by.height, "header_hash": by.header_hash.hex().upper()} if by else None
    return {"verified": header}


def light_from_the_root(services: Services) -> "tuple[LightClient | None, int]":
    """A light client that remembers nothing, so that old headers are within its reach.

    Returns:
        The client, None where there is nothing to verify from; and the lowest height that
        it verifies.

    Raises:
        ConfigError: only one of ``--trust-height`` and ``--trust-hash`` was given.
        GenesisError: the genesis document is malformed.
    """
    from enigmacli.chain.light_client import GenesisRoot  # noqa: PLC0415
    from enigmacli.chain.trust_store import TrustStore  # noqa: PLC0415

    root = _root(services)
    if root is None:
        return None, 0
    lowest = root.initial_height if isinstance(root, GenesisRoot) else root.height
    forgetful = TrustStore(None, services.chain_id, "", services.warn)
    return _light_client(services, root, forgetful), lowest


def refusal_of(services: Services, tx_hash: bytes) -> TxRejectedError | None:
    """Why a block's execution refused a transaction; ``None`` while none has."""
    try:
        found = services.rpc().tx(tx_hash)
        check_code(found.result.code, found.result.codespace, found.result.log, tx_hash)
    except NotFoundError:
        return None
    except TxRejectedError as error:
        return error
    return None


def _root(services: Services) -> "GenesisRoot | HeaderRoot | None":
    from enigmacli.chain.light_client import GenesisRoot, HeaderRoot  # noqa: PLC0415
    from enigmacli.chain.validators import Validator, ValidatorSet  # noqa: PLC0415

    height, header_hash = services.config.chain.trust_height, services.config.chain.trust_hash
    if bool(height) != bool(header_hash):
        raise ConfigError(
            "a header to trust has a height and a hash",
            hint="give --trust-height N and --trust-hash HEX together",
        )
    if height:
        return HeaderRoot(height, bytes.fromhex(header_hash))
    if not services.has_genesis or not services.genesis.validators:
        return None
    genesis = services.genesis
    voters = ValidatorSet.of(Validator.of(one.public_key, one.power) for one in genesis.validators)
    return GenesisRoot(genesis.initial_height, genesis.genesis_time_us * 1000, voters)


def _light_client(
    services: Services, root: "GenesisRoot | HeaderRoot", store: "TrustStore"
) -> "LightClient":
    from enigmacli.chain.block_time import SECOND_NS  # noqa: PLC0415
    from enigmacli.chain.light_client import LightClient  # noqa: PLC0415

    options = services.config.chain
    return LightClient(
        services.chain_id,
        services.rpc(),
        root,
        store,
        _LightClock(services),
        trusting_period_ns=int(options.trusting_period_s * SECOND_NS) or None,
        timeout_s=options.timeout_s,
    )


def _store(services: Services) -> "TrustStore":
    """What this home remembers; nothing where there is no home, or none with a genesis."""
    from enigmacli.app.genesis import genesis_hash  # noqa: PLC0415
    from enigmacli.chain.trust_store import FILE_NAME, TrustStore  # noqa: PLC0415

    if not services.has_genesis:
        return TrustStore(None, services.chain_id, "", services.warn)
    digest = genesis_hash(services.home.read_genesis())
    path = services.home.data_dir / FILE_NAME
    return TrustStore(path, services.chain_id, digest, services.warn)

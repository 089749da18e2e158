"""The network's first node: its seed, and its public keys and evidence in genesis.

protocol.md sections 1, 5 and 6. Every step can be run again: the enclave makes its seed once
and keeps it, and genesis is written whole and last, so a crash anywhere leaves the old
document and a rerun completes it with the same seed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from enclave.calls import JudgeReply, PublicKeysReply
from enclave.errors import NoSeedError
from enigmacli import home as homes
from enigmacli.app.app_state import NetworkKeys
from enigmacli.app.genesis import GenesisDocument, GenesisValidator
from enigmacli.engine.block_store import BLOCKS_FILE, BlockStore
from enigmacli.errors import ConfigError, GenesisError
from enigmacli.home import Home

DEFAULT_POWER: Final = 10
"""Voting power of the first validator; ten leaves room for fractions of it."""

_SECOND_US: Final = 1_000_000


class Enclave(Protocol):
    """The trusted program in the role with keys, as far as the first node asks it."""

    def public_keys(self) -> PublicKeysReply:
        """Of the seeds held; :class:`NoSeedError` without one."""
        ...

    def bootstrap(self, chain_id: str, policy: bytes) -> PublicKeysReply:
        """Make and seal the first seed; an existing one is kept."""
        ...

    def judge_bootstrap(
        self, certificate: bytes, at_us: int, exchange_pk: bytes, io_pk: bytes
    ) -> JudgeReply:
        """The judgement that InitChain and every newcomer will ask for."""
        ...


@dataclass(frozen=True, slots=True)
class FirstValidator:
    """Who makes the first blocks."""

    public_key: bytes
    """32 bytes, Ed25519: this home's validator key."""
    operator: bytes
    """20 bytes: the account that votes for it."""
    name: str = ""
    power: int = DEFAULT_POWER


@dataclass(frozen=True, slots=True)
class BootstrapResult:
    """The network's keys as genesis has them; ``changed`` is false where it had them all."""

    keys: NetworkKeys
    changed: bool


def bootstrap(
    home: Home,
    enclave: Enclave,
    fetch: Callable[[], bytes],
    validator: Callable[[], FirstValidator],
    now_us: Callable[[], int],
) -> BootstrapResult:
    """Make the network's seed once, and write keys, evidence and validator into genesis.

    Args:
        home: the first node's home, whose lock the caller holds.
        enclave: its enclave, with keys.
        fetch: asks the attestation service for evidence of the network's keys, and answers
            with the certificate; called only when genesis has no keys yet.
        validator: who makes the first blocks; asked only when genesis does not name one.
        now_us: the clock, microseconds since the Unix epoch.

    Raises:
        GenesisError: no policy, or the keys of another bootstrap.
        ConfigError: the chain has blocks already, so its genesis is fixed.
        EnclaveError: the enclave refused, or the evidence is not acceptable.
        ServiceUnavailableError: the attestation service did not answer.
    """
    document = GenesisDocument.parse(home.read_genesis())
    keys = document.app_state.keys
    if keys is None:
        _check_no_block(home)
        keys = _make_keys(document, enclave, fetch, now_us)
    else:
        _check_own(keys, enclave)
    complete = _with_first_validator(home, document.with_network_keys(keys), keys, validator)
    if complete != document:
        homes.replace(home.genesis_file, complete.encode())
    return BootstrapResult(keys, changed=complete != document)


def _check_own(keys: NetworkKeys, enclave: Enclave) -> None:
    try:
        held = enclave.public_keys()
    except NoSeedError as error:
        raise GenesisError(
            "genesis has the keys of another bootstrap, and this enclave holds no seed",
            hint="join that network with `enigmacli tx register auth`",
            details={"expected": keys.exchange_pk.hex(), "seen": ""},
        ) from error
    if (held.genesis_exchange_pk, held.genesis_io_pk) != (keys.exchange_pk, keys.io_pk):
        raise GenesisError(
            "genesis has the keys of another bootstrap",
            hint="use the genesis document that belongs to this home",
            details={"expected": keys.exchange_pk.hex(), "seen": held.genesis_exchange_pk.hex()},
        )


def _check_no_block(home: Home) -> None:
    height = stored_height(home.data_dir)
    if height > 0:
        raise ConfigError(
            f"the chain in this home is at height {height}, so its genesis is fixed",
            hint="start a new network in a new home",
            details={"height": height},
        )


def _make_keys(
    document: GenesisDocument,
    enclave: Enclave,
    fetch: Callable[[], bytes],
    now_us: Callable[[], int],
) -> NetworkKeys:
    policy = document.app_state.policy
    if policy is None:
        raise GenesisError(
            "genesis has no policy, and a seed is bound to one",
            hint="enigmacli genesis set-policy FILE",
        )
    made = enclave.bootstrap(document.chain_id, policy.encode())
    exchange_pk, io_pk = made.genesis_exchange_pk, made.genesis_io_pk
    certificate = fetch()
    at_us = _whole_seconds(now_us())
    judged = enclave.judge_bootstrap(certificate, at_us, exchange_pk, io_pk)
    if judged.valid_from_us > at_us:
        # the service's clock is ahead: the recorded time must not lie before the evidence
        at_us = _whole_seconds(judged.valid_from_us)
        enclave.judge_bootstrap(certificate, at_us, exchange_pk, io_pk)
    return NetworkKeys(exchange_pk, io_pk, certificate, at_us)


def _whole_seconds(at_us: int) -> int:
    """Rounded up: evidence made in the running second is not later than the result."""
    return -(-at_us // _SECOND_US) * _SECOND_US


def _with_first_validator(
    home: Home,
    document: GenesisDocument,
    keys: NetworkKeys,
    validator: Callable[[], FirstValidator],
) -> GenesisDocument:
    """Add this node as validator where genesis names none that is the bootstrap node."""
    if any(entry.node_id == keys.exchange_pk for entry in document.app_state.validators):
        return document
    _check_no_block(home)
    first = validator()
    known = next(
        (one for one in document.validators if one.public_key == first.public_key),
        GenesisValidator(first.public_key, first.power, first.name),
    )
    return document.with_validator(known, first.operator, keys.exchange_pk)


def stored_height(data_dir: Path) -> int:
    """The height of the newest block in a node's store, 0 where there is none.

    Raises:
        StorageError: the store cannot be read.
    """
    path = data_dir / BLOCKS_FILE
    if not path.exists():
        return 0
    store = BlockStore(path)
    try:
        return store.height
    finally:
        store.close()

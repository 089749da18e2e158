"""``app_state`` of a genesis document: what the application starts from (protocol.md section 6).

Reading checks the form of every member. Whether the whole is consistent and complete is the
business of :func:`check_complete`, for a document grows step by step on the first node:
``register`` has no ``params`` before the policy is set, and no keys before the bootstrap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Self

from enclave import canonical_json
from enclave.appraise.policy import Policy
from enclave.binding import check_public_key
from enclave.errors import PolicyFormatError, PublicKeyError
from enclave.times import format_rfc3339
from enigmacli.app.coins import coins_from_value, coins_to_value
from enigmacli.app.genesis_nodes import GenesisNode
from enigmacli.app.json_forms import (
    address,
    base64_bytes,
    hex_bytes,
    instant,
    items,
    members,
    text,
    to_base64,
)
from enigmacli.chain.address import check_prefix, encode_address
from enigmacli.chain.messages import Coin
from enigmacli.errors import GenesisError, MalformedError, NotBootstrappedError

MAX_BYTES: Final = 64 * 1024 * 1024
"""The longest genesis document and ``app_state``."""

DEFAULT_PREFIX: Final = "enigma"
_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account owns at the start."""

    address: bytes
    """20 bytes."""
    coins: tuple[Coin, ...]
    """Sorted by denomination, each amount at least 1."""


@dataclass(frozen=True, slots=True)
class ValidatorEntry:
    """Who operates a validator of the engine's list, and which node it is."""

    consensus_pubkey: bytes
    """32 bytes, Ed25519."""
    operator: bytes
    """20 bytes, the account that votes for it."""
    node_id: bytes
    """32 bytes: exchange_pk of epoch 0, or a node of ``registration``."""


@dataclass(frozen=True, slots=True)
class NetworkKeys:
    """What the bootstrap puts into genesis: public keys of epoch 0 and their evidence."""

    exchange_pk: bytes
    io_pk: bytes
    certificate: bytes
    """The bootstrap evidence, in a container of protocol.md section 5."""
    at_us: int
    """``bootstrap.time`` in microseconds since the Unix epoch: when it is judged."""


@dataclass(frozen=True, slots=True)
class AppState:
    """``app_state`` as values."""

    prefix: str = DEFAULT_PREFIX
    """The bech32 prefix of every address."""
    accounts: tuple[bytes, ...] = ()
    """Sorted; an account's number is its place."""
    balances: tuple[Balance, ...] = ()
    """Sorted by address; each belongs to one of ``accounts``."""
    validators: tuple[ValidatorEntry, ...] = ()
    """Sorted by key."""
    policy: Policy | None = None
    keys: NetworkKeys | None = None
    registration: tuple[GenesisNode, ...] = ()
    """Records carried over, in the order in which they enter the state."""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the JSON that the engine hands to InitChain.

        Raises:
            GenesisError: not strict JSON, or a member of another form; names its path.
        """
        try:
            value = canonical_json.loads(data, max_bytes=MAX_BYTES)
        except ValueError as error:
            raise GenesisError(f"app_state is not strict JSON: {error}") from error
        return cls.from_value(value)

    @classmethod
    def from_value(cls, value: Any) -> Self:
        """Read parsed JSON.

        Raises:
            GenesisError: a member of another form; names its path.
        """
        top = members(value, "app_state", {"accounts", "bank", "register", "validators"})
        accounts = members(top["accounts"], "accounts", {"accounts", "bech32_prefix"})
        register = members(
            top["register"],
            "register",
            {"registration"},
            {"bootstrap", "io_master_key", "node_exch_master_key", "params"},
        )
        prefix = _read_prefix(accounts["bech32_prefix"])
        return cls(
            prefix=prefix,
            accounts=_read_accounts(accounts["accounts"], prefix),
            balances=_read_balances(top["bank"], prefix),
            validators=_read_validators(top["validators"], prefix),
            policy=_read_policy(register["params"]) if "params" in register else None,
            keys=_read_keys(register),
            registration=tuple(
                GenesisNode.from_value(item, f"register.registration[{place}]", prefix)
                for place, item in enumerate(
                    items(register["registration"], "register.registration")
                )
            ),
        )

    def to_value(self) -> dict[str, Any]:
        """The JSON values; members that are not known yet are left out."""
        register: dict[str, Any] = {
            "registration": [node.to_value(self.prefix) for node in self.registration]
        }
        if self.policy is not None:
            register["params"] = self.policy.to_value()
        if self.keys is not None:
            register |= _keys_to_value(self.keys)
        return {
            "accounts": {
                "accounts": [{"address": self.bech32(owner)} for owner in self.accounts],
                "bech32_prefix": self.prefix,
            },
            "bank": {
                "balances": [
                    {
                        "address": self.bech32(balance.address),
                        "coins": coins_to_value(balance.coins),
                    }
                    for balance in self.balances
                ]
            },
            "register": register,
            "validators": [self._validator_to_value(entry) for entry in self.validators],
        }

    def bech32(self, account: bytes) -> str:
        """The text of a 20-byte address under this network's prefix."""
        return encode_address(self.prefix, account)

    def _validator_to_value(self, entry: ValidatorEntry) -> dict[str, str]:
        return {
            "consensus_pubkey": to_base64(entry.consensus_pubkey),
            "node_id": entry.node_id.hex(),
            "operator": self.bech32(entry.operator),
        }


def check_complete(state: AppState) -> tuple[Policy, NetworkKeys]:
    """Policy and keys of a state that a chain may start from.

    Raises:
        NotBootstrappedError: the network's keys are not in it yet.
        GenesisError: no policy; no validator; a validator that is neither the bootstrap node
            nor in ``registration``; a node_id that serves two keys; a key that is not
            canonical; a record whose kind of evidence the policy does not know.
    """
    if state.policy is None:
        raise GenesisError(
            "register.params, the policy, is missing", hint="enigmacli genesis set-policy"
        )
    if state.keys is None:
        raise NotBootstrappedError(
            "the genesis document has no network keys yet", hint="enigmacli bootstrap"
        )
    _check_key("node_exch_master_key", state.keys.exchange_pk)
    _check_key("io_master_key", state.keys.io_pk)
    _check_registration(state, state.policy)
    _check_validators(state, state.keys)
    return state.policy, state.keys


def _check_registration(state: AppState, policy: Policy) -> None:
    if len({node.node_id for node in state.registration}) != len(state.registration):
        raise GenesisError("register.registration names a node twice")
    for place, node in enumerate(state.registration):
        path = f"register.registration[{place}]"
        _check_key(f"{path}.node_id", node.node_id)
        if node.evidence_kind not in policy.evidence_kinds:
            raise GenesisError(f"{path}.evidence_kind is not one of the policy's")
        if policy.require_owner != any(node.owner):
            wanted = "an account" if policy.require_owner else "20 zero bytes"
            raise GenesisError(f"{path}.owner must be {wanted} under this policy")


def _check_validators(state: AppState, keys: NetworkKeys) -> None:
    if not state.validators:
        raise GenesisError("validators is empty", hint="enigmacli genesis add-validator")
    known = {keys.exchange_pk, *(node.node_id for node in state.registration)}
    served: set[bytes] = set()
    for place, entry in enumerate(state.validators):
        if entry.node_id not in known:
            raise GenesisError(
                f"validators[{place}].node_id is neither the bootstrap node nor in registration"
            )
        if entry.node_id in served:
            raise GenesisError(f"validators[{place}].node_id serves another key already")
        served.add(entry.node_id)


def _check_key(path: str, key: bytes) -> None:
    try:
        check_public_key(key)
    except PublicKeyError as error:
        raise GenesisError(f"{path}: {error}") from error


def _read_prefix(value: Any) -> str:
    prefix = text(value, "accounts.bech32_prefix")
    try:
        check_prefix(prefix)
    except MalformedError as error:
        raise GenesisError(f"accounts.bech32_prefix: {error}") from error
    return prefix


def _read_accounts(value: Any, prefix: str) -> tuple[bytes, ...]:
    found = []
    for place, item in enumerate(items(value, "accounts.accounts")):
        path = f"accounts.accounts[{place}]"
        found.append(address(members(item, path, {"address"})["address"], path, prefix))
    _check_ascending(found, "accounts.accounts")
    return tuple(found)


def _read_balances(value: Any, prefix: str) -> tuple[Balance, ...]:
    found = []
    listed = items(members(value, "bank", {"balances"})["balances"], "bank.balances")
    for place, item in enumerate(listed):
        path = f"bank.balances[{place}]"
        entry = members(item, path, {"address", "coins"})
        coins = coins_from_value(entry["coins"], f"{path}.coins")
        found.append(Balance(address(entry["address"], path, prefix), coins))
    _check_ascending([balance.address for balance in found], "bank.balances")
    return tuple(found)


def _read_validators(value: Any, prefix: str) -> tuple[ValidatorEntry, ...]:
    found = []
    for place, item in enumerate(items(value, "validators")):
        path = f"validators[{place}]"
        entry = members(item, path, {"consensus_pubkey", "node_id", "operator"})
        found.append(
            ValidatorEntry(
                base64_bytes(entry["consensus_pubkey"], f"{path}.consensus_pubkey", _KEY_BYTES),
                address(entry["operator"], f"{path}.operator", prefix),
                hex_bytes(entry["node_id"], f"{path}.node_id", _KEY_BYTES),
            )
        )
    _check_ascending([entry.consensus_pubkey for entry in found], "validators")
    return tuple(found)


def _read_policy(value: Any) -> Policy:
    try:
        return Policy.from_value(value)
    except PolicyFormatError as error:
        raise GenesisError(f"register.params: {error}") from error


def _read_keys(register: Mapping[str, Any]) -> NetworkKeys | None:
    names = ("node_exch_master_key", "io_master_key", "bootstrap")
    present = [name for name in names if name in register]
    if not present:
        return None
    if len(present) != len(names):
        raise GenesisError(f"register has {' and '.join(present)} but not all of {names}")
    bootstrap = members(register["bootstrap"], "register.bootstrap", {"certificate", "time"})
    return NetworkKeys(
        exchange_pk=_read_key(register, "node_exch_master_key"),
        io_pk=_read_key(register, "io_master_key"),
        certificate=base64_bytes(bootstrap["certificate"], "register.bootstrap.certificate"),
        at_us=instant(bootstrap["time"], "register.bootstrap.time"),
    )


def _read_key(register: Mapping[str, Any], name: str) -> bytes:
    path = f"register.{name}"
    return base64_bytes(members(register[name], path, {"bytes"})["bytes"], path, _KEY_BYTES)


def _keys_to_value(keys: NetworkKeys) -> dict[str, Any]:
    return {
        "bootstrap": {
            "certificate": to_base64(keys.certificate),
            "time": format_rfc3339(keys.at_us),
        },
        "io_master_key": {"bytes": to_base64(keys.io_pk)},
        "node_exch_master_key": {"bytes": to_base64(keys.exchange_pk)},
    }


def _check_ascending(keys: Sequence[bytes], path: str) -> None:
    if any(before >= after for before, after in pairwise(keys)):
        raise GenesisError(f"{path} must be in ascending order of its bytes, none twice")

"""The genesis document: CometBFT's JSON form, read strictly and written in one way.

Format: CometBFT v0.38, ``types/genesis.go``. Documents are values: each ``with_*`` method
gives a new one. :func:`genesis_hash` is over the exact bytes of a file.
"""

import hashlib
import json
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Final, Self

from enclave import canonical_json
from enclave.appraise.policy import Policy
from enclave.errors import CallError
from enclave.network import check_chain_id
from enclave.times import format_rfc3339
from enigmacli.app.app_state import (
    MAX_BYTES,
    AppState,
    Balance,
    NetworkKeys,
    ValidatorEntry,
    check_complete,
)
from enigmacli.app.coins import coins_from_value, coins_to_value
from enigmacli.app.consensus_params import ConsensusParams
from enigmacli.app.json_forms import (
    MAX_INT64,
    base64_bytes,
    decimal,
    instant,
    items,
    members,
    text,
    to_base64,
)
from enigmacli.app.powers import check_powers
from enigmacli.chain.messages import Coin
from enigmacli.errors import GenesisError

_PUBLIC_KEY_TYPE: Final = "tendermint/PubKeyEd25519"
_PUBLIC_KEY_BYTES: Final = 32
_ADDRESS_BYTES: Final = 20
_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class GenesisValidator:
    """A member of the engine's first validator set."""

    public_key: bytes
    """32 bytes, Ed25519."""
    power: int
    name: str = ""

    @property
    def address(self) -> bytes:
        """CometBFT's 20-byte address of the key."""
        return hashlib.sha256(self.public_key).digest()[:_ADDRESS_BYTES]

    @classmethod
    def from_value(cls, value: Any, path: str) -> Self:
        """Read CometBFT's JSON.

        Raises:
            GenesisError: another form, or an address that is not the key's.
        """
        entry = members(value, path, {"address", "name", "power", "pub_key"})
        key = members(entry["pub_key"], f"{path}.pub_key", {"type", "value"})
        if key["type"] != _PUBLIC_KEY_TYPE:
            raise GenesisError(f"{path}.pub_key.type must be {_PUBLIC_KEY_TYPE}")
        validator = cls(
            base64_bytes(key["value"], f"{path}.pub_key.value", _PUBLIC_KEY_BYTES),
            decimal(entry["power"], f"{path}.power", 1, MAX_INT64),
            text(entry["name"], f"{path}.name"),
        )
        if entry["address"] not in ("", validator.address.hex().upper()):
            raise GenesisError(f"{path}.address is not that of the key")
        return validator

    def to_value(self) -> dict[str, Any]:
        """CometBFT's JSON values."""
        return {
            "address": self.address.hex().upper(),
            "name": self.name,
            "power": str(self.power),
            "pub_key": {"type": _PUBLIC_KEY_TYPE, "value": to_base64(self.public_key)},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class GenesisDocument:
    """What a chain starts from; the same bytes on every node."""

    chain_id: str
    genesis_time_us: int
    """Microseconds since the Unix epoch, whole seconds."""
    initial_height: int = 1
    consensus: ConsensusParams = field(default_factory=ConsensusParams)
    validators: tuple[GenesisValidator, ...] = ()
    """Sorted by key."""
    app_state: AppState = field(default_factory=AppState)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a genesis file, or the ``genesis`` answer of an RPC server.

        A document may still lack policy and network keys; :func:`validate` refuses that.

        Raises:
            GenesisError: not strict JSON, or a member of another form; names its path.
        """
        try:
            value = canonical_json.loads(data, max_bytes=MAX_BYTES)
        except ValueError as error:
            raise GenesisError(f"genesis is not strict JSON: {error}") from error
        return cls.from_value(value)

    @classmethod
    def from_value(cls, value: Any) -> Self:
        """Read parsed JSON.

        Raises:
            GenesisError: a member of another form; names its path.
        """
        top = members(
            value,
            "genesis",
            {"app_state", "chain_id", "consensus_params", "genesis_time", "initial_height"},
            {"app_hash", "validators"},
        )
        chain_id = text(top["chain_id"], "chain_id")
        check_chain_name(chain_id)
        if top.get("app_hash", "") != "":
            raise GenesisError("app_hash must be empty: the application computes it")
        listed = items(top.get("validators", []), "validators")
        validators = tuple(
            GenesisValidator.from_value(item, f"validators[{place}]")
            for place, item in enumerate(listed)
        )
        if any(one.public_key >= two.public_key for one, two in pairwise(validators)):
            raise GenesisError("validators must be in ascending order of their keys, none twice")
        return cls(
            chain_id=chain_id,
            genesis_time_us=instant(top["genesis_time"], "genesis_time"),
            initial_height=decimal(top["initial_height"], "initial_height", 1, MAX_INT64),
            consensus=ConsensusParams.from_value(top["consensus_params"]),
            validators=validators,
            app_state=AppState.from_value(top["app_state"]),
        )

    def to_value(self) -> dict[str, Any]:
        """The JSON values, as CometBFT reads them."""
        return {
            "app_hash": "",
            "app_state": self.app_state.to_value(),
            "chain_id": self.chain_id,
            "consensus_params": self.consensus.to_value(),
            "genesis_time": format_rfc3339(self.genesis_time_us),
            "initial_height": str(self.initial_height),
            "validators": [validator.to_value() for validator in self.validators],
        }

    def encode(self) -> bytes:
        """The document's file: sorted keys, two spaces of indentation, one line feed at the end."""
        return (json.dumps(self.to_value(), indent=2, sort_keys=True) + "\n").encode("ascii")

    def app_state_bytes(self) -> bytes:
        """``app_state`` as the engine hands it to InitChain."""
        return json.dumps(self.app_state.to_value(), separators=(",", ":"), sort_keys=True).encode(
            "ascii"
        )

    def with_account(self, account: bytes, coins: tuple[Coin, ...] = ()) -> Self:
        """Add an account; the same one again with the same coins changes nothing.

        Raises:
            GenesisError: the account is there with other coins.
        """
        state = self.app_state
        coins = coins_from_value(
            coins_to_value(sorted(coins, key=lambda coin: coin.denom)), "coins"
        )
        if account in state.accounts:
            held = next((b.coins for b in state.balances if b.address == account), ())
            if held != coins:
                raise GenesisError(
                    f"account {state.bech32(account)} is in genesis with other coins"
                )
            return self
        balances = (*state.balances, Balance(account, coins)) if coins else state.balances
        return self._with_state(
            accounts=tuple(sorted((*state.accounts, account))),
            balances=tuple(sorted(balances, key=lambda balance: balance.address)),
        )

    def with_validator(self, validator: GenesisValidator, operator: bytes, node_id: bytes) -> Self:
        """Add a validator, or replace the one with the same key."""
        entry = ValidatorEntry(validator.public_key, operator, node_id)
        key = validator.public_key
        others = [other for other in self.validators if other.public_key != key]
        entries = [one for one in self.app_state.validators if one.consensus_pubkey != key]
        document = self._with_state(
            validators=tuple(sorted((*entries, entry), key=lambda one: one.consensus_pubkey))
        )
        members_now = sorted((*others, validator), key=lambda one: one.public_key)
        return replace(document, validators=tuple(members_now))

    def with_policy(self, policy: Policy) -> Self:
        """Set the policy.

        Raises:
            GenesisError: the network's keys were made for another policy.
        """
        if self.app_state.keys is not None and policy != self.app_state.policy:
            raise GenesisError("the network is bootstrapped: another policy is another network")
        return self._with_state(policy=policy)

    def with_network_keys(self, keys: NetworkKeys) -> Self:
        """Set keys and evidence of the bootstrap, and raise genesis_time to its time if later.

        Raises:
            GenesisError: other keys are there already.
        """
        held = self.app_state.keys
        if held is not None:
            if (held.exchange_pk, held.io_pk) != (keys.exchange_pk, keys.io_pk):
                raise GenesisError("genesis has the keys of another bootstrap")
            return self
        document = self._with_state(keys=keys)
        return replace(document, genesis_time_us=max(self.genesis_time_us, keys.at_us))

    def _with_state(self, **changes: Any) -> Self:
        return replace(self, app_state=replace(self.app_state, **changes))


def new_genesis(chain_id: str, genesis_time_us: int, prefix: str = "enigma") -> GenesisDocument:
    """A document with no accounts, validators, policy or keys; times are cut to whole seconds.

    Raises:
        GenesisError: the chain id or prefix is malformed.
    """
    check_chain_name(chain_id)
    document = GenesisDocument(
        chain_id=chain_id,
        genesis_time_us=genesis_time_us // _SECOND_US * _SECOND_US,
        app_state=AppState(prefix=prefix),
    )
    return GenesisDocument.from_value(document.to_value())


def check_chain_name(chain_id: str) -> None:
    """Refuse a chain id that is not 1 to 50 of ``[a-z0-9-]``.

    Raises:
        GenesisError: another form.
    """
    try:
        check_chain_id(chain_id)
    except CallError as error:
        raise GenesisError(str(error)) from error


def validate(document: GenesisDocument) -> None:
    """Refuse a document that no chain may start from.

    All that InitChain checks, except that only an enclave judges the bootstrap evidence.

    Raises:
        NotBootstrappedError: the network's keys are not in it yet.
        GenesisError: another rule of protocol.md section 6 is broken.
    """
    _, keys = check_complete(document.app_state)
    check_start(keys, document.genesis_time_us)
    check_match(
        document.app_state, {entry.public_key: entry.power for entry in document.validators}
    )


def check_start(keys: NetworkKeys, genesis_time_us: int) -> None:
    """Refuse bootstrap evidence that is recorded as later than the chain's start.

    Raises:
        GenesisError: ``bootstrap.time`` is after genesis time.
    """
    if keys.at_us > genesis_time_us:
        raise GenesisError("register.bootstrap.time is later than genesis_time")


def check_match(state: AppState, powers: dict[bytes, int]) -> None:
    """Refuse validators of ``app_state`` that are not the engine's, one to one.

    Args:
        state: what the application reads.
        powers: the engine's validators, power by key.

    Raises:
        GenesisError: a validator is missing on one side, or the powers break a limit.
    """
    for entry in state.validators:
        if entry.consensus_pubkey not in powers:
            raise GenesisError(
                f"validator {to_base64(entry.consensus_pubkey)} is not in the engine's list"
            )
    if len(powers) != len(state.validators):
        raise GenesisError("the engine has validators that app_state.validators does not name")
    check_powers(powers)
    for balance in state.balances:
        if balance.address not in state.accounts:
            raise GenesisError(f"{state.bech32(balance.address)} has coins but is no account")


def genesis_hash(data: bytes) -> str:
    """SHA-256 of a genesis file's exact bytes, in lower-case hex."""
    return hashlib.sha256(data).hexdigest()

"""Who may vote, in CometBFT's order and with CometBFT's hash (``types/validator_set.go``)."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from enigmacli import protobuf
from enigmacli.chain import merkle
from enigmacli.errors import MalformedError

ADDRESS_SIZE: Final = 20
PUBLIC_KEY_SIZE: Final = 32

MAX_TOTAL_POWER: Final = (2**63 - 1) // 8
"""CometBFT's bound on the sum of all powers."""

MAX_VALIDATORS: Final = 10_000
"""CometBFT's ``MaxVotesCount``: more could not vote in one commit."""


def validator_address(public_key: bytes) -> bytes:
    """The 20-byte address of an ed25519 key: the start of its SHA-256."""
    return hashlib.sha256(public_key).digest()[:ADDRESS_SIZE]


@dataclass(frozen=True, slots=True)
class Validator:
    """One voter."""

    address: bytes
    """20 bytes, derived from the key."""
    public_key: bytes
    """32 bytes, ed25519."""
    power: int

    @classmethod
    def of(cls, public_key: bytes, power: int) -> Self:
        """A validator with the address of its key.

        Raises:
            MalformedError: the key is not 32 bytes, or the power not positive.
        """
        if len(public_key) != PUBLIC_KEY_SIZE:
            raise MalformedError(f"validator key must be {PUBLIC_KEY_SIZE} bytes")
        if not 0 < power <= MAX_TOTAL_POWER:
            raise MalformedError(f"validator power {power} is out of range")
        return cls(validator_address(public_key), public_key, power)

    def leaf(self) -> bytes:
        """The bytes that the set's hash covers (``SimpleValidator``)."""
        message = protobuf.new(
            "tendermint.types.SimpleValidator",
            pub_key={"ed25519": self.public_key},
            voting_power=self.power,
        )
        return bytes(message.SerializeToString())


@dataclass(frozen=True, slots=True)
class ValidatorSet:
    """All voters, the most powerful first, equals by address."""

    validators: tuple[Validator, ...]

    @classmethod
    def of(cls, validators: Iterable[Validator]) -> Self:
        """The set of ``validators``, put into order.

        Raises:
            MalformedError: none or too many, one twice, or too much power in all.
        """
        ordered = tuple(sorted(validators, key=lambda one: (-one.power, one.address)))
        if not 1 <= len(ordered) <= MAX_VALIDATORS:
            raise MalformedError(f"a validator set of {len(ordered)} is not possible")
        if len({one.address for one in ordered}) != len(ordered):
            raise MalformedError("a validator stands twice in its set")
        if sum(one.power for one in ordered) > MAX_TOTAL_POWER:
            raise MalformedError("validators have more power than possible")
        return cls(ordered)

    @property
    def total(self) -> int:
        """The sum of all powers."""
        return sum(one.power for one in self.validators)

    def hash(self) -> bytes:
        """The root that headers carry."""
        return merkle.root([one.leaf() for one in self.validators])

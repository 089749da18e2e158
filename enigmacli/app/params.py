"""The network's parameters, as the state holds them."""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Self

from enclave.appraise.policy import Policy
from enigmacli import protobuf
from enigmacli.app import layout
from enigmacli.app.consensus_params import MAX_BLOCK_BYTES
from enigmacli.app.overlay import Overlay, Reader

NO_OWNER = bytes(20)
"""The owner of every node where the policy requires none."""


@dataclass(frozen=True, slots=True)
class Params:
    """What the rules depend on besides a block and the entries that it touches."""

    chain_id: str
    prefix: str
    policy: Policy
    max_bytes: int
    """Of a block; -1 for the engine's own limit."""
    max_gas: int
    epoch: int

    @classmethod
    def load(cls, state: Reader) -> Self:
        """Read them from a state."""
        block = protobuf.parse(
            "tendermint.types.BlockParams", state.get(layout.PARAMS, layout.BLOCK)
        )
        return cls(
            chain_id=state.get(layout.PARAMS, layout.CHAIN_ID).decode(),
            prefix=state.get(layout.PARAMS, layout.PREFIX).decode(),
            policy=_parse_policy(state.get(layout.PARAMS, layout.POLICY)),
            max_bytes=block.max_bytes,
            max_gas=block.max_gas,
            epoch=int.from_bytes(state.get(layout.PARAMS, layout.EPOCH)),
        )

    def save(self, state: Overlay) -> None:
        """Write them, in ascending order of their keys."""
        block = protobuf.new(
            "tendermint.types.BlockParams", max_bytes=self.max_bytes, max_gas=self.max_gas
        )
        values = {
            layout.BLOCK: block.SerializeToString(),
            layout.CHAIN_ID: self.chain_id.encode(),
            layout.EPOCH: self.epoch.to_bytes(4),
            layout.POLICY: self.policy.encode(),
            layout.PREFIX: self.prefix.encode(),
        }
        for key in sorted(values):
            state.set(layout.PARAMS, key, values[key])

    @property
    def gas_price(self) -> tuple[Fraction, str]:
        """The least price of one unit of gas, and its denomination."""
        return _gas_price(self.policy)

    @property
    def block_bytes(self) -> int:
        """The longest block, in bytes."""
        return MAX_BLOCK_BYTES if self.max_bytes < 0 else self.max_bytes

    def owner(self, sender: bytes) -> bytes:
        """The owner of a node that ``sender`` registers, 20 bytes."""
        return sender if self.policy.require_owner else NO_OWNER


# a policy never changes within a network, so it is read once and not once a block
@lru_cache(maxsize=4)
def _gas_price(policy: Policy) -> tuple[Fraction, str]:
    return policy.gas_price()


@lru_cache(maxsize=4)
def _parse_policy(data: bytes) -> Policy:
    return Policy.parse(data)

"""A chain in memory that signs its headers, and that can lie: what a light client asks.

Validators are numbered; each number has one key. :meth:`LightChain.fork` gives a chain with
the same past, and every header and commit can be replaced by a forged one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Self

from nacl.signing import SigningKey

from enigmacli.chain.answers import SignedHeader
from enigmacli.chain.block_time import SECOND_NS
from enigmacli.chain.blocks import (
    EMPTY_HASH,
    BlockFlag,
    BlockId,
    Commit,
    CommitSig,
    Header,
    header_hash,
    precommit_sign_bytes,
)
from enigmacli.chain.validators import Validator, ValidatorSet
from enigmacli.errors import NotFoundError, ServiceUnavailableError

CHAIN_ID = "light-1"
START_NS = 1_770_000_000 * SECOND_NS
PARTS_HASH = b"\x05" * 32

Powers = Mapping[int, int]
"""Power by the validator's number."""


@cache
def key_of(number: int) -> SigningKey:
    return SigningKey(number.to_bytes(32, "little"))


_KEYS = {key_of(number).verify_key.encode(): key_of(number) for number in range(64)}


def voters(powers: Powers) -> ValidatorSet:
    return ValidatorSet.of(
        Validator.of(key_of(number).verify_key.encode(), power) for number, power in powers.items()
    )


def sign(
    header: Header,
    signing: ValidatorSet,
    *,
    by: set[bytes] | None = None,
    keys: Mapping[bytes, SigningKey] | None = None,
    chain_id: str = "",
) -> Commit:
    """A commit of ``header``, signed by those of ``signing`` whose keys are in ``by``: all."""
    block_id = BlockId(header_hash(header), 1, PARTS_HASH)
    places = []
    for voter in signing.validators:
        if by is not None and voter.public_key not in by:
            places.append(CommitSig(BlockFlag.ABSENT))
            continue
        text = precommit_sign_bytes(
            chain_id or header.chain_id, header.height, 0, block_id, header.time_ns
        )
        signature = (keys or _KEYS)[voter.public_key].sign(text).signature
        places.append(CommitSig(BlockFlag.COMMIT, voter.address, header.time_ns, signature))
    return Commit(header.height, 0, block_id, tuple(places))


@dataclass
class LightChain:
    """Heights from ``initial_height`` on; the last set of ``sets`` decides the next block."""

    first: ValidatorSet
    chain_id: str = CHAIN_ID
    initial_height: int = 1
    start_ns: int = START_NS
    step_ns: int = SECOND_NS
    keys: Mapping[bytes, SigningKey] | None = None
    blocks: dict[int, SignedHeader] = field(default_factory=dict)
    sets: dict[int, ValidatorSet] = field(default_factory=dict)
    asked: list[tuple[str, int | None]] = field(default_factory=list)
    down: bool = False

    @classmethod
    def of(cls, powers: Powers, blocks: int = 0, **options: Any) -> Self:
        chain = cls(voters(powers), **options)
        chain.grow(blocks)
        return chain

    @property
    def height(self) -> int:
        return max(self.blocks, default=self.initial_height - 1)

    # --- making blocks ----------------------------------------------------------------------

    def grow(self, blocks: int) -> None:
        for _ in range(blocks):
            self.make_block()

    def make_block(
        self,
        app_hash: bytes = bytes(32),
        *,
        then: Powers | None = None,
        by: set[bytes] | None = None,
        **changes: Any,
    ) -> SignedHeader:
        """The next block; validators change to ``then`` after it."""
        height = self.height + 1
        deciding = self.sets.setdefault(height, self.first)
        following = voters(then) if then is not None else deciding
        header = Header(
            block_version=11,
            app_version=1,
            chain_id=self.chain_id,
            height=height,
            time_ns=self.start_ns + (height - self.initial_height) * self.step_ns,
            last_block_id=self._last_block_id(),
            last_commit_hash=EMPTY_HASH,
            data_hash=EMPTY_HASH,
            validators_hash=deciding.hash(),
            next_validators_hash=following.hash(),
            consensus_hash=b"\x01" * 32,
            app_hash=app_hash,
            last_results_hash=EMPTY_HASH,
            evidence_hash=EMPTY_HASH,
            proposer_address=deciding.validators[0].address,
        )
        header = replace(header, **changes)
        self.blocks[height] = SignedHeader(header, sign(header, deciding, by=by, keys=self.keys))
        self.sets[height + 1] = following
        return self.blocks[height]

    def fork(self, height: int) -> "LightChain":
        """A chain with the same blocks up to ``height`` and none after it."""
        return replace(
            self,
            blocks={one: block for one, block in self.blocks.items() if one <= height},
            sets={one: group for one, group in self.sets.items() if one <= height + 1},
            asked=[],
        )

    def _last_block_id(self) -> BlockId:
        last = self.blocks.get(self.height)
        return BlockId(header_hash(last.header), 1, PARTS_HASH) if last else BlockId()

    # --- what a node answers ----------------------------------------------------------------

    def commit(self, height: int | None = None) -> SignedHeader:
        self._ask("commit", height)
        wanted = self.height if height is None else height
        if wanted not in self.blocks:
            raise NotFoundError(f"height {wanted} is not available")
        return self.blocks[wanted]

    def validators(self, height: int | None = None) -> ValidatorSet:
        self._ask("validators", height)
        return self.sets[self.height if height is None else height]

    def _ask(self, method: str, height: int | None) -> None:
        self.asked.append((method, height))
        if self.down:
            raise ServiceUnavailableError("the node did not answer")

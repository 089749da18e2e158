"""A light client of one node: trusted headers out of what the node says.

Trust begins at the genesis validators, or at a header that the operator named, and grows by
:mod:`~enigmacli.chain.light`: by one skip where the validators are the same or most of them,
else by bisection. The newest verified header is remembered in the trust store.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from enigmacli.chain import light
from enigmacli.chain.answers import SignedHeader
from enigmacli.chain.block_time import format_time
from enigmacli.chain.blocks import header_hash
from enigmacli.chain.trust_store import LightBlock, TrustStore
from enigmacli.chain.validators import ValidatorSet
from enigmacli.errors import (
    NotFoundError,
    ServiceRefusedError,
    TrustExpiredError,
    UntrustedAnswerError,
    WaitTimeoutError,
)

POLL_INTERVAL_S: Final = 0.05
"""Between two questions whether a header is there."""

_TRUST_HINT: Final = (
    "name a header that you trust, from someone you trust: --trust-height N --trust-hash HEX"
)


class Source(Protocol):
    """A node; :class:`~enigmacli.chain.rpc.RpcClient` can do it."""

    def commit(self, height: int | None = None) -> SignedHeader:
        """A header and its commit, by default the newest."""
        ...

    def validators(self, height: int | None = None) -> ValidatorSet:
        """The validators of a height."""
        ...


class Clock(Protocol):
    """The source of time and of waiting."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        ...


@dataclass(frozen=True, slots=True)
class GenesisRoot:
    """Trust from genesis: who decides the first block, and when at the earliest."""

    initial_height: int
    time_ns: int
    validators: ValidatorSet


@dataclass(frozen=True, slots=True)
class HeaderRoot:
    """Trust from one header that the operator named."""

    height: int
    hash: bytes
    """32 bytes."""


class LightClient:
    """Verified headers of one chain, from one node.

    Args:
        chain_id: of the network.
        source: the node; may lie.
        root: where trust begins.
        store: what was verified before.
        clock: the source of time and of waiting.
        trusting_period_ns: how long a verified header may be relied on; ``None``: for good.
        timeout_s: the longest wait for a header that must come.
    """

    def __init__(
        self,
        chain_id: str,
        source: Source,
        root: GenesisRoot | HeaderRoot,
        store: TrustStore,
        clock: Clock,
        *,
        trusting_period_ns: int | None,
        timeout_s: float,
    ) -> None:
        self._chain_id = chain_id
        self._source = source
        self._root = root
        self._store = store
        self._clock = clock
        self._period_ns = trusting_period_ns
        self._timeout_s = timeout_s
        self._trusted: dict[int, LightBlock] = {}

    # --- what is asked of it --------------------------------------------------------------

    def newest(self) -> LightBlock:
        """The node's newest header, verified.

        Raises:
            UntrustedAnswerError: it is not the chain's, or older than what was verified before.
            TrustExpiredError: what this home trusts is too old to verify it.
            TrustStoreCorruptError: what was verified before cannot be read.
            ServiceUnavailableError: the node did not answer.
        """
        known = self._highest()
        answer = self._source.commit()
        if answer.header.height < known.height - 1:
            raise UntrustedAnswerError(
                f"the node's newest header is {answer.header.height}, "
                f"and header {known.height} was verified before",
                hint="the node is behind, or replays: name another one with --node",
                details={"expected": known.height, "seen": answer.header.height},
            )
        return self._verify(answer)

    def at(self, height: int) -> LightBlock:
        """The header of a height that the chain has reached, verified.

        Raises:
            NotFoundError: the node does not have it.
            UntrustedAnswerError: what the node gives is not the chain's.
        """
        self._highest()
        if height in self._trusted:
            return self._trusted[height]
        return self._verify(self._source.commit(height))

    def wait_for(self, height: int) -> LightBlock:
        """The header of a height, verified, once the chain has it.

        Raises:
            UntrustedAnswerError: it is not the chain's, or the node spoke of a height that it
                does not reach.
            WaitTimeoutError: it did not come in time.
        """
        deadline = self._clock.monotonic() + self._timeout_s
        while height not in self._trusted:
            answer = self._source.commit()
            seen = answer.header.height
            if seen >= height:
                return self._verify(answer) if seen == height else self.at(height)
            if self._clock.monotonic() >= deadline:
                raise self._never_came(height, seen)
            self._clock.sleep(POLL_INTERVAL_S)
        return self._trusted[height]

    @property
    def newest_known(self) -> int:
        """Height of the newest header that was verified, now or in an earlier call."""
        return max(self._trusted, default=0)

    @property
    def path(self) -> tuple[LightBlock, ...]:
        """Every header that was verified in this process, the lowest first: how trust got here."""
        return tuple(self._trusted[height] for height in sorted(self._trusted))

    # --- trust ----------------------------------------------------------------------------

    def _highest(self) -> LightBlock:
        """The newest trusted header; begins at the root where there is none yet."""
        if not self._trusted:
            self._begin()
        return self._trusted[max(self._trusted)]

    def _begin(self) -> None:
        stored = self._store.load()
        if isinstance(self._root, HeaderRoot):
            self._trust(self._named_header(self._root))
            if stored is not None and stored.height >= self._root.height:
                self._check_same(stored)
        elif stored is not None and not self._is_expired(stored):
            self._trusted[stored.height] = stored
        else:
            self._trust(self._first_header(self._root))

    def _named_header(self, root: HeaderRoot) -> LightBlock:
        answer = self._source.commit(root.height)
        block = LightBlock(answer.header, answer.commit, self._source.validators(root.height))
        if block.hash != root.hash:
            raise UntrustedAnswerError(
                f"the node's header {root.height} is not the trusted one",
                details={"expected": root.hash.hex(), "seen": block.hash.hex()},
            )
        light.verify_alone(
            self._chain_id, block.validators, block.header, block.commit,
            now_ns=self._clock.now_ns(),
        )  # fmt: skip
        self._check_period(block)
        return block

    def _first_header(self, root: GenesisRoot) -> LightBlock:
        self._wait_for_any()
        try:
            answer = self._source.commit(root.initial_height)
        except NotFoundError as error:
            raise NotFoundError(
                f"the node has no block {root.initial_height}, where trust from genesis begins",
                hint=_TRUST_HINT,
            ) from error
        block = LightBlock(answer.header, answer.commit, root.validators)
        light.verify_initial(
            self._chain_id, root.validators, block.header, block.commit,
            initial_height=root.initial_height, genesis_time_ns=root.time_ns,
            now_ns=self._clock.now_ns(),
        )  # fmt: skip
        self._check_period(block)
        return block

    def _wait_for_any(self) -> None:
        """Wait for the first block of a chain that has just begun."""
        deadline = self._clock.monotonic() + self._timeout_s
        while True:
            try:
                self._source.commit()
            except (NotFoundError, ServiceRefusedError):
                if self._clock.monotonic() >= deadline:
                    raise
                self._clock.sleep(POLL_INTERVAL_S)
            else:
                return

    def _check_same(self, stored: LightBlock) -> None:
        """Refuse a named header that leads to another chain than was verified before."""
        if self.at(stored.height).hash != stored.hash:
            raise UntrustedAnswerError(
                f"from the trusted header another header {stored.height} follows than this home "
                "verified before",
                hint="one of the two is a fork: ask others which before you remove the trust store",
                details={"expected": stored.hash.hex()},
            )

    def _is_expired(self, block: LightBlock) -> bool:
        period = self._period_ns
        return period is not None and self._clock.now_ns() >= block.header.time_ns + period

    def _check_period(self, block: LightBlock) -> None:
        if self._is_expired(block):
            raise TrustExpiredError(
                f"header {block.height} of {format_time(block.header.time_ns)} is older than the "
                "trusting period",
                hint=_TRUST_HINT,
                details={"height": block.height},
            )

    def _trust(self, block: LightBlock) -> LightBlock:
        self._trusted[block.height] = block
        return block

    # --- verification ---------------------------------------------------------------------

    def _verify(self, answer: SignedHeader) -> LightBlock:
        """Lead from the trusted headers to the one in the answer, and remember the newest."""
        height = answer.header.height
        newest = self.newest_known
        if height in self._trusted:
            return self._check_known(answer)
        below = [one for one in self._trusted if one < height]
        if height + 1 in self._trusted or not below:
            return self._verify_backwards(answer)
        block = self._bisect(self._trusted[max(below)], self._with_validators(answer))
        if height > newest:
            self._store.save(block)
        return block

    def _bisect(self, trusted: LightBlock, block: LightBlock) -> LightBlock:
        targets = [block]
        while targets:
            self._check_period(trusted)
            try:
                self._step(trusted, targets[-1])
            except light.TooLittleOverlapError:
                middle = (trusted.height + targets[-1].height) // 2
                targets.append(self._with_validators(self._source.commit(middle)))
                continue
            trusted = self._trust(targets.pop())
        return trusted

    def _step(self, trusted: LightBlock, block: LightBlock) -> None:
        now_ns = self._clock.now_ns()
        if block.height == trusted.height + 1:
            light.verify_adjacent(
                trusted.header, block.validators, block.header, block.commit,
                now_ns=now_ns, trusting_period_ns=self._period_ns,
            )  # fmt: skip
        else:
            light.verify_skipping(
                trusted.header, trusted.validators, block.validators, block.header, block.commit,
                now_ns=now_ns, trusting_period_ns=self._period_ns,
            )  # fmt: skip

    def _verify_backwards(self, answer: SignedHeader) -> LightBlock:
        """The header before a trusted one, which names its hash; older ones are refused."""
        header = answer.header
        after = self._trusted.get(header.height + 1)
        if after is None:
            raise UntrustedAnswerError(
                f"header {header.height} is older than the trusted header {min(self._trusted)}"
            )
        light.verify_backwards(after.header, header)
        return self._trust(self._with_validators(answer))

    def _check_known(self, answer: SignedHeader) -> LightBlock:
        known = self._trusted[answer.header.height]
        seen = header_hash(answer.header)
        if seen != known.hash:
            raise UntrustedAnswerError(
                f"the node's header {known.height} is another one than was verified before",
                details={"expected": known.hash.hex(), "seen": seen.hex()},
            )
        return known

    def _with_validators(self, answer: SignedHeader) -> LightBlock:
        """The answer with its validators, asked for only where they are not known."""
        wanted = answer.header.validators_hash
        for known in self._trusted.values():
            if known.header.validators_hash == wanted:
                return LightBlock(answer.header, answer.commit, known.validators)
        found = self._source.validators(answer.header.height)
        return LightBlock(answer.header, answer.commit, found)

    def _never_came(self, height: int, seen: int) -> UntrustedAnswerError | WaitTimeoutError:
        if seen < height - 1:
            return UntrustedAnswerError(
                f"the node answered for height {height - 1}, and its newest header is {seen}",
                details={"expected": height - 1, "seen": seen},
            )
        return WaitTimeoutError(
            f"header {height}, which proves the answer, did not come within {self._timeout_s:g} s",
            hint="run the same command again",
            details={"height": height},
        )

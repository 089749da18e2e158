"""Light verification: is a header the chain's, given one that is? Pure; time is an argument.

Source: cometbft v0.38 ``types/validation.go`` and ``light/verifier.go``. Only adjacent
headers are verified here: the follower sees each block, and adjacency needs no assumption
about who may have left the validator set in between.
"""

from collections.abc import Callable
from typing import Final

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from enigmacli.chain.block_time import SECOND_NS, format_time
from enigmacli.chain.blocks import BlockFlag, BlockId, Commit, CommitSig, Header, header_hash
from enigmacli.chain.blocks import vote_sign_bytes as _sign_bytes
from enigmacli.chain.validators import ValidatorSet
from enigmacli.errors import UntrustedAnswerError

MAX_CLOCK_DRIFT_NS: Final = 10 * SECOND_NS
"""How far a header's time may lie after our clock (CometBFT's default)."""

_SIGNATURE_SIZE: Final = 64


def verify_commit(
    chain_id: str, validators: ValidatorSet, block_id: BlockId, height: int, commit: Commit
) -> None:
    """Check that more than 2/3 of the power committed this block at this height.

    Every signature for the block is verified, not only as many as are needed.

    Raises:
        UntrustedAnswerError: another height or block, other places than validators, a
            signature that does not verify, or too little power.
    """
    _check_commit_form(validators, block_id, height, commit)
    committed = 0
    for index, (place, voter) in enumerate(
        zip(commit.signatures, validators.validators, strict=True)
    ):
        if place.flag is BlockFlag.ABSENT:
            continue
        if place.validator_address != voter.address:
            raise UntrustedAnswerError(f"vote {index} of the commit is another validator's")
        if place.flag is BlockFlag.COMMIT:
            message = _sign_bytes(chain_id, commit, index)
            _verify_vote(voter.public_key, message, place.signature, index)
            committed += voter.power
    if committed * 3 <= validators.total * 2:
        raise UntrustedAnswerError(
            f"commit of block {height} has {committed} of {validators.total} power, "
            "more than 2/3 is needed"
        )


def _check_commit_form(
    validators: ValidatorSet, block_id: BlockId, height: int, commit: Commit
) -> None:
    if commit.height != height:
        raise UntrustedAnswerError(f"commit is of height {commit.height}, not {height}")
    if commit.block_id != block_id:
        raise UntrustedAnswerError(f"commit of height {height} is of another block")
    if len(commit.signatures) != len(validators.validators):
        raise UntrustedAnswerError("commit has other places than the validator set")
    for index, place in enumerate(commit.signatures):
        if not _is_well_formed(place):
            raise UntrustedAnswerError(f"vote {index} of the commit is malformed")
    voters = [place.validator_address for place in commit.signatures if place.validator_address]
    if len(set(voters)) != len(voters):
        raise UntrustedAnswerError("a validator votes twice in the commit")


def _is_well_formed(place: CommitSig) -> bool:
    """CometBFT's ``CommitSig.ValidateBasic``, with ed25519's size of a signature."""
    if place.flag is BlockFlag.ABSENT:
        return place == CommitSig(BlockFlag.ABSENT)
    return len(place.validator_address) == 20 and len(place.signature) == _SIGNATURE_SIZE  # noqa: PLR2004 -- an address


def _verify_vote(public_key: bytes, message: bytes, signature: bytes, index: int) -> None:
    try:
        VerifyKey(public_key).verify(message, signature)
    except BadSignatureError:
        raise UntrustedAnswerError(f"vote {index} of the commit has a wrong signature") from None


def verify_initial(
    chain_id: str,
    validators: ValidatorSet,
    header: Header,
    commit: Commit,
    *,
    initial_height: int,
    genesis_time_ns: int,
    now_ns: int,
) -> None:
    """Check that a header is the chain's first block, given genesis.

    Args:
        chain_id: of genesis.
        validators: of genesis, or as InitChain changed them.
        header: of the first block.
        commit: the one that decided it.
        initial_height: of genesis, usually 1.
        genesis_time_ns: the first block is not older.
        now_ns: our clock, nanoseconds since the Unix epoch.

    Raises:
        UntrustedAnswerError: it is not.
    """
    _check(header.height == initial_height, f"first header has height {header.height}")
    _check(header.time_ns >= genesis_time_ns, "first header is older than genesis")
    _check(header.last_block_id == BlockId(), "first header names a block before it")
    _verify_header(chain_id, validators, header, commit, now_ns)


def verify_adjacent(
    trusted: Header,
    validators: ValidatorSet,
    header: Header,
    commit: Commit,
    *,
    now_ns: int,
    trusting_period_ns: int | None = None,
) -> None:
    """Check that a header follows the trusted one.

    Args:
        trusted: a verified header.
        validators: those of the new header, as the trusted one announces them.
        header: the next one, of height ``trusted.height + 1``.
        commit: the one that decided it.
        now_ns: our clock, nanoseconds since the Unix epoch.
        trusting_period_ns: how long the trusted header may be relied on; ``None`` where each
            block is executed from genesis, since validators that left could gain nothing.

    Raises:
        UntrustedAnswerError: it does not, or the trusted header is too old.
    """
    if trusting_period_ns is not None:
        expires_ns = trusted.time_ns + trusting_period_ns
        _check(now_ns < expires_ns, lambda: f"trust ended at {format_time(expires_ns)}")
    _check(header.height == trusted.height + 1, f"header {header.height} is not the next one")
    _check(header.time_ns > trusted.time_ns, "header is not later than the one before")
    _check(
        header.validators_hash == trusted.next_validators_hash,
        f"header {header.height} has other validators than the one before announced",
    )
    _check(
        header.last_block_id.hash == header_hash(trusted),
        f"header {header.height} does not follow the trusted one",
    )
    _verify_header(trusted.chain_id, validators, header, commit, now_ns)


def _verify_header(
    chain_id: str, validators: ValidatorSet, header: Header, commit: Commit, now_ns: int
) -> None:
    _check(
        header.chain_id == chain_id,
        f"header is of chain {header.chain_id[:50]!r}, not {chain_id!r}",
    )
    _check(
        header.time_ns < now_ns + MAX_CLOCK_DRIFT_NS,
        lambda: f"header is of {format_time(header.time_ns)}, which lies in the future",
    )
    _check(
        header.validators_hash == validators.hash(),
        f"validators are not those of header {header.height}",
    )
    _check(
        commit.block_id.hash == header_hash(header),
        f"commit is not of header {header.height}",
    )
    # last: the validator set may be made huge on purpose, so the cheap checks come first
    verify_commit(chain_id, validators, commit.block_id, header.height, commit)


def _check(holds: bool, otherwise: str | Callable[[], str]) -> None:  # noqa: FBT001 -- a predicate
    if not holds:
        raise UntrustedAnswerError(otherwise if isinstance(otherwise, str) else otherwise())

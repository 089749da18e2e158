"""Light verification: is a header the chain's, given one that is? Pure; time is an argument.

Source: cometbft v0.38 ``types/validation.go`` and ``light/verifier.go``. Adjacent headers
need no assumption about who left the validator set in between; skipping trusts that more
than 1/3 of the power that was trusted is still honest, within the trusting period.
``docs/light-client.md`` says how signatures are counted and why.
"""

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Final

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from enigmacli.chain.block_time import SECOND_NS, format_time
from enigmacli.chain.blocks import BlockFlag, BlockId, Commit, CommitSig, Header, header_hash
from enigmacli.chain.blocks import vote_sign_bytes as _sign_bytes
from enigmacli.chain.validators import Validator, ValidatorSet
from enigmacli.errors import UntrustedAnswerError

MAX_CLOCK_DRIFT_NS: Final = 10 * SECOND_NS
"""How far a header's time may lie after our clock (CometBFT's default)."""

TRUST_LEVEL: Final = Fraction(1, 3)
"""The share of trusted power that must have signed a header that is skipped to."""

_COMMITTED: Final = Fraction(2, 3)
_SIGNATURE_SIZE: Final = 64


class TooLittleOverlapError(UntrustedAnswerError):
    """Too few trusted validators signed; a header in between may lead there."""


def verify_commit(
    chain_id: str, validators: ValidatorSet, block_id: BlockId, height: int, commit: Commit
) -> None:
    """Check that more than 2/3 of the power committed this block at this height.

    Signatures are verified until enough power has signed. One that does not verify counts
    for nothing, so that no single validator can stop those who verify.

    Raises:
        UntrustedAnswerError: another height or block, other places than validators, or too
            little power with valid signatures.
    """
    _check_commit_form(validators, block_id, height, commit)
    for index, (place, voter) in enumerate(
        zip(commit.signatures, validators.validators, strict=True)
    ):
        if place.flag is not BlockFlag.ABSENT and place.validator_address != voter.address:
            raise UntrustedAnswerError(f"vote {index} of the commit is another validator's")
    voters = enumerate(validators.validators)
    committed, wrong = _count(chain_id, commit, voters, validators.total * _COMMITTED)
    if committed * 3 <= validators.total * 2:
        raise UntrustedAnswerError(
            f"commit of block {height} has {committed} of {validators.total} power, "
            f"more than 2/3 is needed{_wrong_votes(wrong)}"
        )


def _count(
    chain_id: str, commit: Commit, voters: Iterable[tuple[int, Validator]], needed: Fraction
) -> tuple[int, list[int]]:
    """The power that validly signed for the block, until it exceeds ``needed``; the rest's places.

    Args:
        chain_id: that the votes must name.
        commit: of good form.
        voters: whom to look for, with their places in the commit.
        needed: the power after which no further signature is verified.
    """
    power, wrong = 0, []
    for index, voter in voters:
        place = commit.signatures[index]
        if place.flag is not BlockFlag.COMMIT:
            continue
        if _is_signed(voter.public_key, _sign_bytes(chain_id, commit, index), place.signature):
            power += voter.power
        else:
            wrong.append(index)
        if power > needed:
            break
    return power, wrong


def _wrong_votes(wrong: list[int]) -> str:
    return f"; vote {wrong[0]} of the commit has a wrong signature" if wrong else ""


def _is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        VerifyKey(public_key).verify(message, signature)
    except BadSignatureError:
        return False
    return True


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
    check_not_expired(trusted, now_ns, trusting_period_ns)
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


def verify_skipping(
    trusted: Header,
    trusted_validators: ValidatorSet,
    validators: ValidatorSet,
    header: Header,
    commit: Commit,
    *,
    now_ns: int,
    trusting_period_ns: int | None = None,
    trust_level: Fraction = TRUST_LEVEL,
) -> None:
    """Check that a header is a later one of the trusted one's chain; not the next one.

    Args:
        trusted: a verified header.
        trusted_validators: those of the trusted header.
        validators: those of the new header, as it names them.
        header: a later one.
        commit: the one that decided it.
        now_ns: our clock, nanoseconds since the Unix epoch.
        trusting_period_ns: how long the trusted header may be relied on; ``None``: for good.
        trust_level: the share of the trusted power that must have signed, 1/3 to 1.

    Raises:
        TooLittleOverlapError: too few trusted validators signed it.
        UntrustedAnswerError: it is none, or the trusted header is too old.
    """
    check_not_expired(trusted, now_ns, trusting_period_ns)
    _check(
        trusted_validators.hash() == trusted.validators_hash,
        f"validators are not those of header {trusted.height}",
    )
    _check(header.height > trusted.height + 1, f"header {header.height} is no later one")
    _check(header.time_ns > trusted.time_ns, "header is not later than the trusted one")
    _check_header(trusted.chain_id, validators, header, commit, now_ns)
    _check_commit_form(validators, commit.block_id, header.height, commit)
    _check_overlap(trusted.chain_id, trusted_validators, commit, trust_level)
    # last: the new validator set may be made huge on purpose, so the cheap checks come first
    verify_commit(trusted.chain_id, validators, commit.block_id, header.height, commit)


def _check_overlap(
    chain_id: str, trusted: ValidatorSet, commit: Commit, trust_level: Fraction
) -> None:
    """Refuse a commit that too few of the trusted validators signed, wherever they stand in it."""
    known = {voter.address: voter for voter in trusted.validators}
    voters = (
        (index, known[place.validator_address])
        for index, place in enumerate(commit.signatures)
        if place.validator_address in known
    )
    needed = trusted.total * trust_level
    signed, wrong = _count(chain_id, commit, voters, needed)
    if signed <= needed:
        raise TooLittleOverlapError(
            f"commit of block {commit.height} has {signed} of {trusted.total} trusted power, "
            f"more than {trust_level} is needed{_wrong_votes(wrong)}"
        )


def verify_alone(
    chain_id: str, validators: ValidatorSet, header: Header, commit: Commit, *, now_ns: int
) -> None:
    """Check that a header, whose hash is trusted, is whole: its chain, validators and votes.

    Raises:
        UntrustedAnswerError: it is not.
    """
    _verify_header(chain_id, validators, header, commit, now_ns)


def verify_backwards(trusted: Header, header: Header) -> None:
    """Check that a header is the one right before the trusted one.

    Raises:
        UntrustedAnswerError: it is not.
    """
    _check(
        header_hash(header) == trusted.last_block_id.hash,
        f"header {header.height} is not the one before header {trusted.height}",
    )


def check_not_expired(trusted: Header, now_ns: int, trusting_period_ns: int | None) -> None:
    """Refuse to rely on a header after its trusting period; ``None`` is without end.

    Raises:
        UntrustedAnswerError: the period is over.
    """
    if trusting_period_ns is not None:
        expires_ns = trusted.time_ns + trusting_period_ns
        _check(now_ns < expires_ns, lambda: f"trust ended at {format_time(expires_ns)}")


def _verify_header(
    chain_id: str, validators: ValidatorSet, header: Header, commit: Commit, now_ns: int
) -> None:
    _check_header(chain_id, validators, header, commit, now_ns)
    # last: the validator set may be made huge on purpose, so the cheap checks come first
    verify_commit(chain_id, validators, commit.block_id, header.height, commit)


def _check_header(
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


def _check(holds: bool, otherwise: str | Callable[[], str]) -> None:  # noqa: FBT001 -- a predicate
    if not holds:
        raise UntrustedAnswerError(otherwise if isinstance(otherwise, str) else otherwise())

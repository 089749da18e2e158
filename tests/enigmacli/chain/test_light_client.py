"""A light client in front of a chain in memory: what it learns, and every way to lie to it."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from enigmacli.chain.block_time import SECOND_NS
from enigmacli.chain.blocks import BlockFlag, CommitSig, header_hash
from enigmacli.chain.light_client import GenesisRoot, HeaderRoot, LightClient, Source
from enigmacli.chain.trust_store import TrustStore
from enigmacli.errors import (
    NotFoundError,
    ServiceUnavailableError,
    TrustExpiredError,
    UntrustedAnswerError,
    WaitTimeoutError,
)
from tests.simulators.light_chain import CHAIN_ID, START_NS, LightChain, voters

FOUR = {0: 40, 1: 30, 2: 20, 3: 10}
THREE_LATER = {4: 40, 5: 30, 6: 20, 0: 5}
"""Too little of the four is left to skip from them to here."""


@dataclass
class Clock:
    """Time that passes only when someone waits."""

    at_ns: int = START_NS + 1000 * SECOND_NS
    naps: int = 0
    on_nap: list[Any] = field(default_factory=list)

    def now_ns(self) -> int:
        return self.at_ns

    def monotonic(self) -> float:
        return self.at_ns / SECOND_NS

    def sleep(self, seconds: float) -> None:
        self.naps += 1
        self.at_ns += int(seconds * SECOND_NS)
        if self.on_nap:
            self.on_nap.pop(0)()


def genesis(chain: LightChain) -> GenesisRoot:
    return GenesisRoot(chain.initial_height, START_NS, chain.first)


def client(
    source: Source,
    root: GenesisRoot | HeaderRoot,
    *,
    path: Path | None = None,
    clock: Clock | None = None,
    genesis_hash: str = "aa",
    period_s: int | None = 10_000,
    warnings: list[str] | None = None,
) -> LightClient:
    warn = (warnings if warnings is not None else []).append
    store = TrustStore(path, CHAIN_ID, genesis_hash, warn)
    return LightClient(
        CHAIN_ID, source, root, store, clock or Clock(),
        trusting_period_ns=None if period_s is None else period_s * SECOND_NS, timeout_s=5.0,
    )  # fmt: skip


def of(chain: LightChain, **options: Any) -> LightClient:
    return client(chain, genesis(chain), **options)


def rotated(blocks: int = 10) -> LightChain:
    """A chain whose validators change bit by bit, until none of the first is left."""
    chain = LightChain.of(FOUR, 3)
    steps = [{0: 40, 1: 30, 2: 20, 4: 40}, {0: 40, 4: 40, 5: 30}, {4: 40, 5: 30, 6: 20, 0: 5}]
    for powers in steps:
        chain.make_block(then=powers)
        chain.grow(blocks)
    return chain


# --- what is learnt ----------------------------------------------------------------------------


def test_from_genesis_the_newest_header_takes_one_skip() -> None:
    chain = LightChain.of(FOUR, 500)

    found = of(chain).newest()

    assert found.hash == header_hash(chain.blocks[500].header)
    assert chain.asked == [("commit", None), ("commit", 1), ("commit", None)]


def test_validators_that_changed_little_by_little_are_followed_by_bisection() -> None:
    chain = rotated()

    found = of(chain).newest()

    assert found.hash == header_hash(chain.blocks[chain.height].header)
    assert len(chain.asked) < chain.height


def test_validators_that_were_all_replaced_at_once_are_followed_block_by_block() -> None:
    chain = LightChain.of(FOUR, 5)
    chain.make_block(then={7: 1, 8: 1})
    chain.grow(20)

    assert of(chain).newest().validators == voters({7: 1, 8: 1})


def test_a_chain_may_begin_at_another_height() -> None:
    chain = LightChain.of(FOUR, 5, initial_height=77)

    assert of(chain).newest().height == 81


def test_a_header_that_was_named_is_trusted_in_place_of_genesis() -> None:
    chain = rotated()
    root = HeaderRoot(30, header_hash(chain.blocks[30].header))

    assert client(chain, root).newest().height == chain.height
    assert ("commit", 1) not in chain.asked


def test_the_first_block_of_a_chain_is_waited_for() -> None:
    chain, clock = LightChain.of(FOUR), Clock()
    clock.on_nap = [lambda: None, chain.make_block]

    assert of(chain, clock=clock).newest().height == 1


def test_the_header_that_proves_an_answer_is_waited_for() -> None:
    chain, clock = LightChain.of(FOUR, 3), Clock()
    light_client = of(chain, clock=clock)
    light_client.newest()
    clock.on_nap = [chain.make_block]

    assert light_client.wait_for(4).height == 4
    assert clock.naps == 1


def test_a_header_just_below_the_newest_is_led_to_by_its_hash() -> None:
    chain = LightChain.of(FOUR, 9)
    light_client = of(chain)
    light_client.newest()

    assert light_client.at(8).hash == header_hash(chain.blocks[8].header)


# --- what is remembered ------------------------------------------------------------------------


def test_the_next_call_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    chain, path = LightChain.of(FOUR, 50), tmp_path / "light.json"
    of(chain, path=path).newest()
    chain.grow(50)
    chain.asked.clear()

    assert of(chain, path=path).newest().height == 100
    assert chain.asked == [("commit", None)]


def test_a_node_that_replays_older_headers_is_found_out_by_the_next_call(tmp_path: Path) -> None:
    chain, path = LightChain.of(FOUR, 50), tmp_path / "light.json"
    of(chain, path=path).newest()

    with pytest.raises(UntrustedAnswerError, match="header 50 was verified before"):
        of(chain.fork(30), path=path).newest()


@pytest.mark.parametrize("behind", [0, 1])
def test_a_node_one_block_behind_is_no_liar(tmp_path: Path, behind: int) -> None:
    chain, path = LightChain.of(FOUR, 50), tmp_path / "light.json"
    of(chain, path=path).newest()

    assert of(chain.fork(50 - behind), path=path).newest().height == 50 - behind


def test_a_fork_behind_what_was_remembered_is_found_out(tmp_path: Path) -> None:
    chain, path = LightChain.of(FOUR, 50), tmp_path / "light.json"
    of(chain, path=path).newest()
    forked = chain.fork(49)
    forked.make_block(b"\x09" * 32)

    with pytest.raises(UntrustedAnswerError, match="another one than was verified before"):
        of(forked, path=path).newest()


def test_a_named_header_that_leads_elsewhere_than_remembered_is_refused(tmp_path: Path) -> None:
    chain, path = LightChain.of(FOUR, 50), tmp_path / "light.json"
    of(chain, path=path).newest()
    forked = chain.fork(20)
    for _ in range(40):
        forked.make_block(b"\x09" * 32)
    root = HeaderRoot(25, header_hash(forked.blocks[25].header))

    with pytest.raises(UntrustedAnswerError, match="another header 50 follows"):
        client(forked, root, path=path).newest()


def test_an_expired_memory_is_not_relied_on(tmp_path: Path) -> None:
    chain, path = LightChain.of(FOUR, 50), tmp_path / "light.json"
    of(chain, path=path).newest()
    later = Clock(START_NS + 20_000 * SECOND_NS)

    with pytest.raises(TrustExpiredError, match="older than the trusting period") as caught:
        of(chain, path=path, clock=later).newest()
    assert "--trust-height" in caught.value.hint
    assert of(chain, path=path, clock=later, period_s=None).newest().height == 50


def test_an_expired_named_header_is_refused() -> None:
    chain = LightChain.of(FOUR, 50)
    root = HeaderRoot(30, header_hash(chain.blocks[30].header))

    with pytest.raises(TrustExpiredError):
        client(chain, root, clock=Clock(START_NS + 20_000 * SECOND_NS)).newest()


# --- lies --------------------------------------------------------------------------------------


def refuse(chain: LightChain, why: str, *, honest: LightChain | None = None) -> None:
    with pytest.raises(UntrustedAnswerError, match=why):
        client(chain, genesis(honest or chain)).newest()


def test_a_chain_of_other_validators_is_refused() -> None:
    honest, other = LightChain.of(FOUR, 9), LightChain.of({8: 1, 9: 1}, 9)

    refuse(other, "validators are not those of header 1", honest=honest)


def test_another_chain_of_the_same_validators_is_refused() -> None:
    honest, other = LightChain.of(FOUR, 9), LightChain.of(FOUR, 9, chain_id="light-2")

    refuse(other, "of chain 'light-2', not 'light-1'", honest=honest)


def test_a_header_signed_by_a_minority_is_refused() -> None:
    chain = LightChain.of(FOUR, 9)
    chain.make_block(by={voters(FOUR).validators[0].public_key})

    refuse(chain, "more than 2/3 is needed")


def test_a_change_of_validators_that_only_the_new_ones_sign_is_refused() -> None:
    chain = LightChain.of(FOUR, 9)
    chain.sets[10] = voters({8: 1, 9: 1})
    chain.make_block()

    refuse(chain, "other validators than the one before announced")


def test_a_forged_future_of_new_validators_is_followed_to_where_it_begins_and_refused() -> None:
    chain = LightChain.of(FOUR, 9)
    chain.sets[10] = voters({8: 1, 9: 1})
    chain.grow(40)

    refuse(chain, "other validators than the one before announced")


def forge(chain: LightChain, height: int, **changes: Any) -> None:
    """Alter a header and leave its commit."""
    answer = chain.blocks[height]
    chain.blocks[height] = replace(answer, header=replace(answer.header, **changes))


def test_a_header_altered_behind_its_signatures_is_refused() -> None:
    chain = LightChain.of(FOUR, 9)
    forge(chain, 9, app_hash=b"\x09" * 32)

    refuse(chain, "commit is not of header 9")


def test_a_commit_with_forged_signatures_is_refused() -> None:
    chain = LightChain.of(FOUR, 9)
    answer = chain.blocks[9]
    places = tuple(replace(place, signature=bytes(64)) for place in answer.commit.signatures)
    chain.blocks[9] = replace(answer, commit=replace(answer.commit, signatures=places))

    refuse(chain, "0 of 100 trusted power|more than 2/3")


def test_validators_with_forged_powers_are_refused() -> None:
    chain = rotated()
    for height in range(2, chain.height + 1):
        chain.sets[height] = voters({4: 1, 5: 1})

    refuse(chain, "validators are not those of header")


def test_a_header_from_the_future_is_refused() -> None:
    chain = LightChain.of(FOUR, 9)
    chain.make_block(time_ns=Clock().at_ns + 11 * SECOND_NS)

    refuse(chain, "lies in the future")


def test_a_header_named_by_another_hash_is_refused() -> None:
    chain = LightChain.of(FOUR, 9)

    with pytest.raises(UntrustedAnswerError, match="is not the trusted one"):
        client(chain, HeaderRoot(5, bytes(32))).newest()


def test_a_header_named_by_its_hash_must_have_its_validators_and_votes() -> None:
    chain = LightChain.of(FOUR, 9)
    root = HeaderRoot(5, header_hash(chain.blocks[5].header))
    absent = tuple(CommitSig(BlockFlag.ABSENT) for _ in range(4))
    answer = chain.blocks[5]
    chain.blocks[5] = replace(answer, commit=replace(answer.commit, signatures=absent))

    with pytest.raises(UntrustedAnswerError, match="more than 2/3"):
        client(chain, root).newest()


def test_two_headers_of_one_height_are_found_out() -> None:
    chain = LightChain.of(FOUR, 9)
    light_client = of(chain)
    light_client.newest()
    other = chain.fork(8)
    other.make_block(b"\x09" * 32)
    chain.blocks[9] = other.blocks[9]

    with pytest.raises(UntrustedAnswerError, match="another one than was verified before"):
        light_client.newest()


def test_a_header_before_the_newest_that_it_does_not_name_is_refused() -> None:
    chain = LightChain.of(FOUR, 9)
    light_client = of(chain)
    light_client.newest()
    other = chain.fork(7)
    other.make_block(b"\x09" * 32)
    chain.blocks[8] = other.blocks[8]

    with pytest.raises(UntrustedAnswerError, match="is not the one before header 9"):
        light_client.at(8)


def test_a_height_that_the_node_never_reaches_is_a_lie() -> None:
    chain = LightChain.of(FOUR, 9)

    with pytest.raises(UntrustedAnswerError, match="answered for height 49, and its newest"):
        of(chain).wait_for(50)


def test_a_chain_that_stands_still_times_out() -> None:
    chain = LightChain.of(FOUR, 9)

    with pytest.raises(WaitTimeoutError, match="header 10, which proves the answer"):
        of(chain).wait_for(10)


def test_a_node_without_the_first_block_is_told_what_else_to_trust() -> None:
    chain = LightChain.of(FOUR, 9)
    del chain.blocks[1]

    with pytest.raises(NotFoundError) as caught:
        of(chain).newest()
    assert "--trust-height" in caught.value.hint


def test_a_node_that_is_away_is_no_liar() -> None:
    chain = LightChain.of(FOUR, 9, down=True)

    with pytest.raises(ServiceUnavailableError):
        of(chain).newest()

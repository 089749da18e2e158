"""Whatever bytes come as transactions and queries, there is an answer."""

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.enigmacli.app.chain import ALICE, BOB, CAROL, Chain


@cache
def chain() -> Chain:
    started = Chain().start()
    started.decide([])
    return started


@cache
def genuine() -> tuple[bytes, ...]:
    pair = chain().prepare([chain().register(BOB)])
    vote = chain().vote(CAROL, ALICE, 3)
    return (*pair, chain().send(ALICE, BOB), vote)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A genuine transaction, cut, extended, or with some bytes changed."""
    raw = bytearray(draw(st.sampled_from(genuine())))
    for _ in range(draw(st.integers(0, 3))):
        raw[draw(st.integers(0, len(raw) - 1))] = draw(st.integers(0, 255))
    end = draw(st.integers(0, len(raw)))
    return bytes(raw[:end]) + draw(st.binary(max_size=8))


whole = st.integers(0, 3).map(lambda place: genuine()[place])
txs = st.lists(st.binary(max_size=200) | damaged() | whole, max_size=6)


@settings(max_examples=150, deadline=None)
@given(txs=txs)
def test_any_bytes_as_transactions_are_answered_everywhere(txs: list[bytes]) -> None:
    for raw in txs:
        for again in (False, True):
            assert chain().check(raw, again=again).code >= 0
    proposal = chain().prepare(txs)
    assert chain().process(proposal)
    chain().process(txs)

    response = chain().finalize(txs)

    assert len(response.tx_results) == len(txs)
    assert all(
        one.code for one, raw in zip(response.tx_results, txs, strict=True) if raw not in genuine()
    )
    # a bug would be among the reasons
    assert all(one.kind != "request-failed" for one in chain().app.take_reasons())


def run(blocks: list[list[bytes]]) -> tuple[list[bytes], list[list[bytes]], list[str]]:
    """A new chain through these blocks: its hashes, its results, and whatever was a bug."""
    chain = Chain().start()
    chain.decide([])
    for block in blocks:
        chain.decide(block)
    results = [[one.SerializeToString() for one in block.tx_results] for block in chain.results]
    bugs = [str(one) for one in chain.app.take_reasons() if one.kind == "request-failed"]
    return chain.app_hashes, results, bugs


@settings(max_examples=40, deadline=None)
@given(blocks=st.lists(txs, min_size=1, max_size=4))
def test_any_blocks_execute_to_the_same_state_and_results_each_time(
    blocks: list[list[bytes]],
) -> None:
    hashes, results, bugs = run(blocks)

    assert (hashes, results, bugs) == run(blocks)
    assert bugs == []
    assert len(hashes) == len(blocks) + 1


PATHS = [
    "/store/register/key",
    "/secret.registration.v1beta1.Query/EncryptedSeed",
    "/enigma.registration.v1.Query/Nodes",
    "/cosmos.auth.v1beta1.Query/Account",
    "/cosmos.bank.v1beta1.Query/Balance",
    "/cosmos.bank.v1beta1.Query/AllBalances",
    "/cosmos.tx.v1beta1.Service/Simulate",
]


@settings(max_examples=150, deadline=None)
@given(
    path=st.sampled_from(PATHS) | st.text(max_size=40),
    data=st.binary(max_size=80) | damaged(),
    prove=st.booleans(),
    height=st.integers(-(2**63), 2**63 - 1) | st.just(0),
)
def test_any_query_is_answered(path: str, data: bytes, prove: bool, height: int) -> None:  # noqa: FBT001 -- a drawn value
    answer = chain().query(path, data, prove=prove, height=height)

    assert answer.code == 0 or answer.log
    assert all(one.kind != "request-failed" for one in chain().app.take_reasons())

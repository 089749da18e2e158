"""Merkle trees, maps and store proofs: CometBFT's vectors, the known answers, one forgery each."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enigmacli.chain import merkle
from enigmacli.chain.answers import QueryAnswer
from enigmacli.chain.merkle import Proof, ProofOp, map_leaf, verify_store_proof
from enigmacli.chain.rpc_json import from_json
from enigmacli.errors import MalformedError, UntrustedAnswerError
from tests import corpus
from tests.vector_files import vector, vectors

_KNOWN = vector("cometbft_proof", "proof_3")
KNOWN_ANSWERS = "kat/protocol_v1.json"
leaf_lists = st.lists(st.binary(max_size=40), min_size=1, max_size=40)


def test_maps_have_the_known_roots_and_proofs() -> None:
    for known in corpus.load(KNOWN_ANSWERS)["merkle_map"]:
        leaves = [map_leaf(bytes.fromhex(k), bytes.fromhex(v)) for k, v in known["entries"]]

        assert merkle.root(leaves).hex() == known["root"]
        for at, expected in enumerate(known.get("proofs", [])):
            proof = merkle.prove(leaves, at)
            assert (proof.index, proof.total) == (expected["index"], expected["total"])
            assert proof.leaf_hash.hex() == expected["leaf_hash"]
            assert [aunt.hex() for aunt in proof.aunts] == expected["aunts"]


def test_the_app_hash_is_the_root_of_the_stores() -> None:
    known = corpus.load(KNOWN_ANSWERS)["app_hash"]

    leaves = [
        map_leaf(name.encode(), bytes.fromhex(root))
        for name, root in sorted(known["stores"].items())
    ]

    assert merkle.root(leaves).hex() == known["app_hash"]


@pytest.mark.parametrize("known", vectors("cometbft_proof"))
def test_cometbft_store_proofs_verify(known: dict[str, Any]) -> None:
    answer = from_json(QueryAnswer, known["answer"])

    verify_store_proof(
        bytes.fromhex(known["app_hash"]), known["store"], answer.key, answer.value, answer.proof
    )
    for at, expected in enumerate(known["proofs"]):
        leaves = [bytes.fromhex(one["leaf"]) for one in known["proofs"]]
        proof = merkle.prove(leaves, at)
        assert proof.leaf_hash.hex() == expected["leaf_hash"]
        assert [aunt.hex() for aunt in proof.aunts] == expected["aunts"]
        assert merkle.root(leaves).hex() == known["root"]


@given(leaf_lists, st.data())
def test_every_leaf_of_a_tree_can_be_proven_and_no_other(
    leaves: list[bytes], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(leaves) - 1))
    proof = merkle.prove(leaves, at)

    proof.verify(merkle.root(leaves), leaves[at])
    with pytest.raises(UntrustedAnswerError):
        proof.verify(merkle.root(leaves), leaves[at] + b"!")


def test_a_long_key_has_a_long_length() -> None:
    leaf = bytes.fromhex(_KNOWN["proofs"][0]["leaf"])  # two bytes of length, 201 of key
    key = leaf[2:203]

    assert leaf[:2] == b"\xc9\x01"
    assert map_leaf(key, b"")[:203] == leaf[:203]


def test_the_empty_tree_is_the_hash_of_nothing() -> None:
    assert merkle.root([]).hex() == (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


LEAVES = [bytes([number]) for number in range(5)]
GOOD = merkle.prove(LEAVES, 2)


@pytest.mark.parametrize(
    ("proof", "why"),
    [
        (replace(GOOD, index=3), "another root"),
        (replace(GOOD, index=5), "outside of its tree"),
        (replace(GOOD, index=-1), "outside of its tree"),
        (replace(GOOD, total=0), "outside of its tree"),
        (replace(GOOD, total=3), "too many aunts"),
        (replace(GOOD, total=9), "too few aunts"),
        (replace(GOOD, aunts=GOOD.aunts[:-1]), "too few aunts"),
        (replace(GOOD, aunts=(*GOOD.aunts, bytes(32))), "too many aunts"),
        (replace(GOOD, aunts=(bytes(32),) * 101), "outside of its tree"),
        (replace(GOOD, leaf_hash=bytes(32)), "another leaf"),
    ],
)
def test_a_forged_proof_is_refused(proof: Proof, why: str) -> None:
    with pytest.raises(UntrustedAnswerError, match=why):
        proof.verify(merkle.root(LEAVES), LEAVES[2])


# --- store proofs: one change each ----------------------------------------------------------

_ANSWER = from_json(QueryAnswer, _KNOWN["answer"])
_APP_HASH = bytes.fromhex(_KNOWN["app_hash"])


def _verify(
    *,
    app_hash: bytes = _APP_HASH,
    store: str = "register",
    key: bytes = _ANSWER.key,
    value: bytes = _ANSWER.value,
    ops: tuple[ProofOp, ...] = _ANSWER.proof,
) -> None:
    verify_store_proof(app_hash, store, key, value, ops)


def test_another_app_hash_is_refused_with_both() -> None:
    with pytest.raises(UntrustedAnswerError, match="another app hash") as caught:
        _verify(app_hash=bytes(32))

    assert caught.value.details == {"expected": "00" * 32, "seen": _KNOWN["app_hash"]}


def test_another_value_is_refused() -> None:
    with pytest.raises(UntrustedAnswerError, match="another value"):
        _verify(value=_ANSWER.value + b"!")


def test_the_empty_value_stands_for_absence_and_is_never_proven() -> None:
    with pytest.raises(UntrustedAnswerError, match="absent"):
        _verify(value=b"")


def test_another_key_is_refused() -> None:
    with pytest.raises(UntrustedAnswerError, match="another key"):
        _verify(key=_ANSWER.key[:-1] + b"!")


def test_another_store_is_refused() -> None:
    with pytest.raises(UntrustedAnswerError, match="another key"):
        _verify(store="bank")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_another_number_of_operators_is_refused(count: int) -> None:
    with pytest.raises(UntrustedAnswerError, match="needs 2 operators"):
        _verify(ops=(_ANSWER.proof * 2)[:count])


def test_operators_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(UntrustedAnswerError, match="another key"):
        _verify(ops=_ANSWER.proof[::-1])


def test_another_kind_of_operator_is_refused() -> None:
    with pytest.raises(UntrustedAnswerError, match="operator 'ics23:iavl'"):
        _verify(ops=(replace(_ANSWER.proof[0], type="ics23:iavl"), _ANSWER.proof[1]))


def test_an_operator_that_cannot_be_read_is_malformed() -> None:
    with pytest.raises(MalformedError, match="cannot be read"):
        _verify(ops=(replace(_ANSWER.proof[0], data=b"\xff"), _ANSWER.proof[1]))


def test_an_operator_whose_inner_key_differs_is_refused() -> None:
    inner = merkle.value_op(b"other", Proof(1, 0, bytes(32), ()))

    with pytest.raises(UntrustedAnswerError, match="another key"):
        _verify(ops=(replace(inner, key=_ANSWER.key), _ANSWER.proof[1]))


def test_a_hash_of_another_length_is_malformed() -> None:
    short = merkle.value_op(_ANSWER.key, Proof(1, 0, bytes(31), ()))

    with pytest.raises(MalformedError, match="another length"):
        _verify(ops=(short, _ANSWER.proof[1]))


def test_a_negative_total_is_malformed() -> None:
    negative = merkle.value_op(_ANSWER.key, Proof(-1, 0, bytes(32), ()))

    with pytest.raises(MalformedError, match="negative"):
        _verify(ops=(negative, _ANSWER.proof[1]))


def test_our_own_operators_are_those_of_cometbft() -> None:
    leaves = [bytes.fromhex(one["leaf"]) for one in _KNOWN["proofs"]]

    op = merkle.value_op(_ANSWER.key, merkle.prove(leaves, _KNOWN["index"]))

    assert op == _ANSWER.proof[0]

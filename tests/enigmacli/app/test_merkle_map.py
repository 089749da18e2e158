import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enigmacli.app.merkle_map import EMPTY_ROOT, MerkleTree, entry_hash, map_root
from enigmacli.chain import merkle
from tests import corpus

Change = dict[int, bytes]


def kat() -> list[dict[str, object]]:
    return list(corpus.load("kat/protocol_v1.json")["merkle_map"])


def entries_of(case: dict[str, object]) -> list[tuple[bytes, bytes]]:
    entries = case["entries"]
    assert isinstance(entries, list)
    return [(bytes.fromhex(key), bytes.fromhex(value)) for key, value in entries]


def test_known_maps_have_their_roots() -> None:
    cases = kat()
    assert cases
    for case in cases:
        tree = MerkleTree(entry_hash(key, value) for key, value in entries_of(case))

        assert tree.root.hex() == case["root"]


def test_known_maps_built_one_entry_after_another_have_their_roots() -> None:
    for case in kat():
        tree = MerkleTree()
        for index, (key, value) in enumerate(entries_of(case)):
            tree.apply(tree.change({index: entry_hash(key, value)}))

        assert tree.root.hex() == case["root"]


def test_known_proofs_come_out() -> None:
    cases = [case for case in kat() if case.get("proofs")]
    assert cases
    for case in cases:
        tree = MerkleTree(entry_hash(key, value) for key, value in entries_of(case))
        proofs = case["proofs"]
        assert isinstance(proofs, list)
        for known in proofs:
            proof = tree.prove(known["index"])

            assert proof.total == known["total"]
            assert proof.leaf_hash.hex() == known["leaf_hash"]
            assert [aunt.hex() for aunt in proof.aunts] == known["aunts"]


def test_the_known_app_hash_comes_out() -> None:
    known = corpus.load("kat/protocol_v1.json")["app_hash"]

    stores = {name: bytes.fromhex(root) for name, root in known["stores"].items()}

    assert map_root(stores).hex() == known["app_hash"]


def test_no_leaves_have_the_hash_of_nothing() -> None:
    assert MerkleTree().root == EMPTY_ROOT == hashlib.sha256(b"").digest()


changes = st.lists(
    st.tuples(st.integers(0, 200), st.binary(min_size=1, max_size=4)), min_size=1, max_size=60
)


@given(blocks=st.lists(changes, max_size=6))
def test_any_history_of_blocks_has_the_root_of_its_leaves(
    blocks: list[list[tuple[int, bytes]]],
) -> None:
    tree, leaves = MerkleTree(), list[bytes]()
    for block in blocks:
        wanted: Change = {}
        for place, value in block:
            # beyond the end means: the next new leaf
            index = min(len(leaves), place)
            if index == len(leaves):
                leaves.append(b"")
            leaves[index] = merkle.map_leaf(b"key", value)
            wanted[index] = merkle.leaf_hash(leaves[index])
        before = tree.root
        change = tree.change(wanted)

        assert tree.root == before
        assert change.root == merkle.root(leaves)
        assert change.size == len(leaves)
        tree.apply(change)
        assert tree.root == change.root
    for index, leaf in enumerate(leaves):
        tree.prove(index).verify(tree.root, leaf)


def test_a_change_that_is_forgotten_leaves_the_tree_as_it_was() -> None:
    leaves = [merkle.map_leaf(bytes([n]), b"v") for n in range(7)]
    tree = MerkleTree(merkle.leaf_hash(leaf) for leaf in leaves)

    tree.change({3: bytes(32), 7: bytes(32), 8: bytes(32)})

    assert tree.size == 7
    for index, leaf in enumerate(leaves):
        tree.prove(index).verify(merkle.root(leaves), leaf)


def test_an_empty_change_keeps_the_root() -> None:
    tree = MerkleTree([bytes(32)] * 5)

    assert tree.change({}).root == tree.root


def test_a_gap_between_leaves_is_refused() -> None:
    with pytest.raises(ValueError, match="gap"):
        MerkleTree([bytes(32)] * 5).change({6: bytes(32)})


def test_one_change_among_many_leaves_computes_one_path_only() -> None:
    tree = MerkleTree(entry_hash(number.to_bytes(4), b"") for number in range(2**15))

    change = tree.change({12_345: bytes(32)})

    assert sum(len(level) for level in change.levels) == 16
    assert len(tree.prove(12_345).aunts) == 15

"""Searching transactions and blocks, with CometBFT's texts and pages."""

import hashlib
from typing import Any

import pytest

from tests.enigmacli.api.served import Served, base64_of, serve


@pytest.fixture(scope="module")
def served() -> Served:
    """Heights 1 to 5; a=1 and b=22 in the second, one failure in the third, a2=1 in the fourth."""
    made = serve()
    for txs in ([], [b"a=1", b"b=22"], [b"fail=1"], [b"a2=1"], []):
        made.kit.make(*txs)
    return made


def found(served: Served, query: str, **params: Any) -> list[str]:
    answer = served.result("tx_search", query=query, **params)
    return [f"{one['height']}/{one['index']}" for one in answer["txs"]]


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("set.key='a'", ["2/0"]),
        ("set.value='1'", ["2/0", "4/0"]),
        ("set.value=1", ["2/0", "4/0"]),
        ("set.value>1", ["2/1"]),
        ("set.value='1' AND tx.height>2", ["4/0"]),
        ("set.key='a' AND set.value='1'", ["2/0"]),
        ("set.key='a' AND set.value='22'", []),
        ("set.key CONTAINS 'a'", ["2/0", "4/0"]),
        ("set.key EXISTS", ["2/0", "2/1", "4/0"]),
        ("set.aside EXISTS", []),
        ("tx.height=3", ["3/0"]),
        ("tx.height>0", ["2/0", "2/1", "3/0", "4/0"]),
        ("tx.height='3'", ["3/0"]),
        ("set.key>0", []),
        ("other.key='a'", []),
    ],
)
def test_transactions_are_found_by_their_events(
    served: Served, query: str, places: list[str]
) -> None:
    answer = served.result("tx_search", query=query)

    assert [f"{one['height']}/{one['index']}" for one in answer["txs"]] == places
    assert answer["total_count"] == str(len(places))


def test_a_transaction_is_found_by_its_hash_as_method_tx_shows_it(served: Served) -> None:
    digest = hashlib.sha256(b"fail=1").digest()

    answer = served.result("tx_search", query=f"tx.hash='{digest.hex().upper()}'", prove=True)

    assert answer["txs"] == [served.result("tx", hash=base64_of(digest), prove=True)]
    assert answer["txs"][0]["tx_result"]["code"] == 7
    assert answer["txs"][0]["proof"]["proof"]["total"] == "1"
    assert found(served, f"tx.hash='{'00' * 32}'") == []


def test_pages_are_cometbfts(served: Served) -> None:
    everything = "tx.height>0"

    assert found(served, everything, per_page="3") == ["2/0", "2/1", "3/0"]
    assert found(served, everything, per_page="3", page="2") == ["4/0"]
    assert found(served, everything, per_page="1", order_by="desc") == ["4/0"]
    assert served.result("tx_search", query=everything, per_page="1")["total_count"] == "4"
    assert served.error("tx_search", query=everything, page="2") == (
        "page should be within [1, 1] range, given 2"
    )


@pytest.mark.parametrize(
    ("query", "order", "told"),
    [
        ("", "", "failed to parse query: unexpected ''"),
        ("x" * 513, "", "maximum query length exceeded"),
        ("tx.height>0", "up", "expected order_by to be either `asc` or `desc` or empty"),
        ("tx.hash='zz'", "", "tx.hash must be hex"),
        ("tx.hash='00'", "", "tx.hash must have 32 bytes"),
        ("tx.index=1", "", "tx.index = is no condition of transactions"),
    ],
)
def test_what_cannot_be_searched_is_said(served: Served, query: str, order: str, told: str) -> None:
    assert served.error("tx_search", query=query, order_by=order) == told


def test_blocks_are_found_by_their_height_newest_first(served: Served) -> None:
    def heights(query: str, **params: Any) -> list[int]:
        answer = served.result("block_search", query=query, **params)
        return [int(one["block"]["header"]["height"]) for one in answer["blocks"]]

    assert heights("block.height>=4") == [5, 4]
    assert heights("block.height<3", order_by="asc") == [1, 2]
    assert heights("set.key='a'") == []
    assert served.result("block_search", query="block.height=2")["blocks"] == [
        served.result("block", height="2")
    ]


def test_a_block_that_is_not_committed_yet_is_not_found() -> None:
    made = serve()
    made.kit.make(b"a=1")
    state = made.kit.chain.state
    made.kit.make(b"b=1")
    made.kit.chain._state = state

    assert found(made, "tx.height>0") == ["1/0"]

"""Known answers from the paper (appendix B) and the system's own implementation."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enigmacli.chain.ripemd160 import ripemd160, ripemd160_portable


@pytest.mark.parametrize(
    ("message", "digest"),
    [
        (b"", "9c1185a5c5e9fc54612808977ee8f548b2258d31"),
        (b"a", "0bdc9d2d256b3ee9daae347be6f4dc835a467ffe"),
        (b"abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
        (b"message digest", "5d0689ef49d2fae572b881b123a85ffa21595f36"),
        (b"abcdefghijklmnopqrstuvwxyz", "f71c27109c692c1b56bbdceb5b9d2865b3708dbc"),
        (b"1234567890" * 8, "9b752e45573d4b39f4dbd3323cab82bf63326bfb"),
        (b"a" * 1_000, "aa69deee9a8922e92f8105e007f76110f381e9cf"),
    ],
)
def test_the_portable_digest_is_that_of_the_paper(message: bytes, digest: str) -> None:
    assert ripemd160_portable(message).hex() == digest


@given(st.binary(max_size=200))
def test_both_ways_give_the_same_digest(message: bytes) -> None:
    assert ripemd160(message) == ripemd160_portable(message)


def test_the_portable_way_stands_in_where_the_system_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str, *_: object, **__: object) -> None:
        raise ValueError(f"unsupported hash type {name}")

    monkeypatch.setattr(hashlib, "new", missing)

    assert ripemd160(b"abc").hex() == "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"

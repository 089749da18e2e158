"""Any bytes give a value or the parser's own error: a seeded sample, and long input.

``make fuzz-parsers`` does the same for as long as it is told to, guided by coverage;
``make bench`` measures the time that hostile input of ten megabytes takes.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave.errors import ContainerFormatError
from enclave.evidence.foreign import MAX_BYTES, decode_pem_chain
from tests.fuzz.hostile import HOSTILE, make_hostile
from tests.fuzz.parsers import PARSERS

FRAMES: Final = 60
"""How deep a parser may call, whatever it reads."""
REFUSING: Final = ("judgement", "attest-expiry")
"""Whose genuine input is not acceptable: it binds nobody, or is no real hardware's."""
EXAMPLES: Final = 60
SIZE: Final = 1_000_000


@pytest.mark.parametrize("name", PARSERS)
def test_what_is_called_genuine_is_read(name: str) -> None:
    genuine = PARSERS[name].genuine()

    assert genuine
    if name not in REFUSING:
        for data in genuine:
            PARSERS[name].read(data)


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=EXAMPLES, deadline=None)
@given(seed=st.integers(0, 2**64))
def test_damaged_input_gives_a_value_or_the_parsers_error(name: str, seed: int) -> None:
    PARSERS[name].try_on(PARSERS[name].damaged(seed))


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=EXAMPLES // 2, deadline=None)
@given(data=st.binary(max_size=400))
def test_any_bytes_give_a_value_or_the_parsers_error(name: str, data: bytes) -> None:
    PARSERS[name].try_on(data)


@pytest.mark.parametrize("name", PARSERS)
def test_no_input_of_a_megabyte_makes_a_parser_recurse(name: str) -> None:
    parser = PARSERS[name]
    parser.try_on(b"")  # what is imported or built once may go deeper
    for data in parser.genuine():
        parser.try_on(data)

    for kind in HOSTILE:
        data = make_hostile(kind, parser.genuine()[0], SIZE)
        with shallow():
            parser.try_on(data)


@contextmanager
def shallow() -> Iterator[None]:
    """Let nothing call much deeper than here."""
    limit, depth, frame = sys.getrecursionlimit(), 0, sys._getframe()
    while frame := frame.f_back:  # type: ignore[assignment]
        depth += 1
    sys.setrecursionlimit(depth + FRAMES)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def test_a_chain_of_certificates_longer_than_any_file_is_not_even_searched() -> None:
    with pytest.raises(ContainerFormatError, match="too long"):
        decode_pem_chain(b" " * (MAX_BYTES + 1))

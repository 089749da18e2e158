import base64
import itertools
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.evidence import base64_strict


@given(st.binary(max_size=100))
def test_every_value_has_its_one_encoding(data: bytes) -> None:
    assert base64_strict.decode(base64.b64encode(data).decode()) == data


@pytest.mark.parametrize(
    "text",
    [
        "AA==\n",
        " AA==",
        "A A==",
        "-_-_",  # URL-safe alphabet
        "AB==",  # unused bits not zero
        "AAB=",
        "AA=",
        "AA",
        "A===",
        "AA==AA==",
        "AA==A",
        "AA==\0",
        "\uff21===",
    ],
)
def test_any_other_spelling_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        base64_strict.decode(text)


@given(st.text(max_size=40))
def test_any_text_gives_its_bytes_or_a_value_error(text: str) -> None:
    try:
        data = base64_strict.decode(text)
    except ValueError:
        return
    assert base64.b64encode(data).decode() == text


def test_of_all_short_texts_those_are_read_that_encode_something() -> None:
    read = set()
    for letters in itertools.product("AQ=\n", repeat=8):
        text = "".join(letters)
        with suppress(ValueError):
            assert base64.b64encode(base64_strict.decode(text)).decode() == text
            read.add(text)

    endings = ("AA", "AQ", "QA", "QQ", "A=", "Q=", "==")
    starts = map("".join, itertools.product("AQ", repeat=6))
    assert read == {start + end for start, end in itertools.product(starts, endings)}

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave import canonical_json
from tests.corpus import load

ALLOWED = st.recursive(
    st.booleans()
    | st.integers(-canonical_json.MAX_INTEGER, canonical_json.MAX_INTEGER)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(max_codepoint=127), max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_encodes_the_policy_of_the_known_answers() -> None:
    known = load("kat/protocol_v1.json")

    assert canonical_json.encode(known["policy"]).decode() == known["policy_canonical_json"]


@settings(deadline=None)  # the machine may be busy
@given(ALLOWED)
def test_reading_an_encoding_gives_the_value_and_encodes_to_the_same_bytes(value: Any) -> None:
    data = canonical_json.encode(value)

    assert canonical_json.loads(data, max_depth=canonical_json.MAX_DEPTH) == value
    assert canonical_json.encode(canonical_json.loads(data)) == data


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "no NoneType"),
        (1.5, "no float"),
        ((1, 2), "no tuple"),
        (2**53, "beyond 2\\^53 - 1"),
        (-(2**53), "beyond 2\\^53 - 1"),
        ("\ud800", "lone surrogate"),
        ({"é": 1}, "not an ASCII string"),
        ({1: 1}, "not an ASCII string"),
        (["x" * 70_000], "longer than"),
        (nested(9), "nested too deeply"),
    ],
)
def test_refuses_to_encode_what_has_no_canonical_form(value: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        canonical_json.encode(value)


def test_eight_levels_are_allowed_and_nine_are_not() -> None:
    assert canonical_json.loads(canonical_json.encode(nested(8))) == nested(8)

    with pytest.raises(ValueError, match="deeper than 8"):
        canonical_json.loads(json.dumps(nested(9)).encode())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"\xff", "not UTF-8"),
        (b"", "not JSON"),
        (b'{"a":1,"a":2}', "a key twice"),
        (b'{"a":{"b":1,"\\u0062":2}}', "a key twice"),
        (b"NaN", "not a number"),
        (b"[-Infinity]", "not a number"),
        (b"1.0", "not an integer"),
        (b"1e3", "not an integer"),
        (b"12345678901234567890", "more than 19 digits"),
        (b"{} {}", "not JSON"),
        (b"{},", "not JSON"),
        (b'"\\ud800"', "lone surrogate"),
        (b'{"\\udc00":1}', "lone surrogate"),
        (b'"\x01"', "not JSON"),
        (b'"open', "not JSON"),
        (b"]]]]", "not JSON"),
    ],
)
def test_refuses_json_that_is_not_strict(text: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        canonical_json.loads(text)


def test_fractions_are_read_only_on_request_and_never_infinite() -> None:
    assert canonical_json.loads(b"[1.5,2]", floats=True) == [1.5, 2]

    with pytest.raises(ValueError, match="out of range"):
        canonical_json.loads(b"1e999", floats=True)


def test_brackets_inside_strings_are_no_depth() -> None:
    assert canonical_json.loads(rb'["[[[[[[[[[[\"[[[{{{"]') == ['[[[[[[[[[["[[[{{{']


def test_what_is_too_long_is_not_parsed() -> None:
    with pytest.raises(ValueError, match="longer than 10 bytes"):
        canonical_json.loads(b"[" * 11, max_bytes=10)


@pytest.mark.parametrize("unit", [b'"\\', b"[", b'\\"', b'"', b"{"])
def test_hostile_text_is_walked_once(unit: bytes) -> None:
    hostile = (unit * 70_000)[:65_536]
    started = time.process_time()

    with pytest.raises(ValueError, match=r"not JSON|deeper"):
        canonical_json.loads(hostile)

    assert time.process_time() - started < 1


@settings(deadline=None)  # the machine may be busy
@given(st.binary(max_size=60))
def test_any_bytes_give_a_value_or_a_value_error(data: bytes) -> None:
    try:
        value = canonical_json.loads(data)
    except ValueError:
        return

    assert json.loads(data) == value

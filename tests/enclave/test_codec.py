from dataclasses import fields
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave import calls, codec
from enclave.codec import Bound
from enclave.errors import CallError

MESSAGES = (
    *calls.REQUESTS,
    *{request.REPLY for request in calls.REQUESTS},
    calls.ErrorReply,
)


def values(hint: Any) -> st.SearchStrategy[Any]:
    if hint is bool:
        return st.booleans()
    if get_origin(hint) is not Annotated:
        return messages(hint)
    kind, bound = get_args(hint)
    if kind is int:
        return st.integers(bound.least, bound.most)
    least, most = bound.least, min(bound.most, bound.least + 40)
    if kind is bytes:
        return st.binary(min_size=least, max_size=most)
    if kind is str:
        return st.text(max_size=most // 4)
    return st.lists(values(get_args(kind)[0]), max_size=3).map(tuple)


def messages(kind: type) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind, include_extras=True)
    members = {field.name: values(hints[field.name]) for field in fields(kind)}
    return st.builds(kind, **members)


ANY_MESSAGE = st.sampled_from(MESSAGES).flatmap(messages)


@settings(deadline=None)  # the machine may be busy
@given(ANY_MESSAGE)
def test_reading_an_encoding_gives_the_message(message: Any) -> None:
    assert codec.decode(type(message), codec.encode(message)) == message


@settings(deadline=None)  # the machine may be busy
@given(st.sampled_from(MESSAGES), st.binary(max_size=300))
def test_any_bytes_give_a_message_or_a_call_error(kind: type, body: bytes) -> None:
    try:
        message: Any = codec.decode(kind, body)
    except CallError:
        return

    assert codec.encode(message) == body


@settings(deadline=None)  # the machine may be busy
@given(ANY_MESSAGE, st.data())
def test_no_encoding_is_the_beginning_of_another(message: Any, data: st.DataObject) -> None:
    body = codec.encode(message)

    with pytest.raises(CallError, match="too many"):
        codec.decode(type(message), body + b"\x00")
    if body:
        cut = data.draw(st.integers(0, len(body) - 1))
        with pytest.raises(CallError):
            codec.decode(type(message), body[:cut])


def test_every_field_of_every_message_has_a_bound() -> None:
    for kind in MESSAGES:
        for name, hint in get_type_hints(kind, include_extras=True).items():
            if name in {"NUMBER", "REPLY"} or hint is bool:
                continue
            if get_origin(hint) is Annotated:
                assert isinstance(get_args(hint)[1], Bound), (kind, name)
            else:
                assert fields(hint), (kind, name)


@pytest.mark.parametrize(
    "message",
    [
        calls.Keygen("a" * 51, b""),
        calls.Keygen("a", bytes(calls.MAX_POLICY_BYTES + 1)),
        calls.Judge(b"", bytes(19), 0, catch_up=False),
        calls.Judge(bytes(calls.MAX_CERTIFICATE_BYTES + 1), bytes(20), 0, catch_up=False),
        calls.Advance(-1),
        calls.Advance(2**63),
        calls.KeygenReply(bytes(31), created=True),
        calls.SealReply((calls.SealedFile("", "", 0, bytes(32)),) * 9),
        calls.Keygen("\ud800", b""),
    ],
)
def test_refuses_to_encode_what_is_out_of_bounds(message: object) -> None:
    with pytest.raises(CallError, match="field"):
        codec.encode(message)


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        (calls.Keygen, b"\x00\x00\x00\x33" + b"a" * 51 + bytes(4), "chain_id is out of bounds"),
        (calls.Keygen, b"\xff\xff\xff\xff", "chain_id is out of bounds"),
        (calls.Keygen, b"\x00\x00\x00\x01\xff" + bytes(4), "chain_id is not UTF-8"),
        (calls.Advance, b"\xff" * 8, "at_us is out of bounds"),
        (calls.KeygenReply, b"\x00\x00\x00\x20" + bytes(32) + b"\x02", "neither 0 nor 1"),
        (calls.SealReply, b"\x00\x00\x00\x09", "files is out of bounds"),
        (calls.Status, b"\x00", "1 bytes too many"),
    ],
)
def test_says_why_a_body_is_refused(kind: type, body: bytes, reason: str) -> None:
    with pytest.raises(CallError, match=reason):
        codec.decode(kind, body)


def test_call_numbers_are_unique_and_zero_is_the_error() -> None:
    numbers = [request.NUMBER for request in calls.REQUESTS]

    assert len(set(numbers)) == len(numbers) == len(calls.BY_NUMBER)
    assert calls.ErrorReply.NUMBER not in numbers

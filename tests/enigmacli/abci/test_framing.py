"""Messages on a stream: whatever the cuts, whatever the bytes."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enigmacli import protobuf
from enigmacli.abci.framing import MAX_MESSAGE_BYTES, FrameError, FrameReader, encode_frame


def read(stream: bytes, cuts: list[int], limit: int = MAX_MESSAGE_BYTES) -> list[bytes]:
    reader = FrameReader(limit)
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    return [message for a, b in pairwise(places) for message in reader.feed(stream[a:b])]


@given(st.lists(st.binary(max_size=300)), st.lists(st.integers(0, 3_000)))
def test_messages_come_out_as_they_went_in_however_the_stream_is_cut(
    messages: list[bytes], cuts: list[int]
) -> None:
    assert read(b"".join(map(encode_frame, messages)), cuts) == messages


@pytest.mark.parametrize("size", [1, 127, 128, 16_383, 16_384, 70_000])
def test_the_length_is_protobufs_varint(size: int) -> None:
    field = protobuf.new("tendermint.abci.RequestCheckTx", tx=bytes(size)).SerializeToString()

    assert encode_frame(bytes(size)) == field[1:]  # behind the field's number


def test_a_message_over_the_limit_is_refused_when_its_length_arrives() -> None:
    reader = FrameReader(1_000)

    assert list(reader.feed(encode_frame(bytes(1_000)))) == [bytes(1_000)]
    with pytest.raises(FrameError, match="1001 bytes"):
        list(reader.feed(b"\xe9\x07"))


def test_the_own_limit_is_the_engines() -> None:
    assert read(b"\x80\x80\x80\x32", []) == []
    with pytest.raises(FrameError):
        read(b"\x81\x80\x80\x32", [])


def test_a_length_that_never_ends_is_refused() -> None:
    with pytest.raises(FrameError, match="no message"):
        read(b"\xff" * 4, [])


@given(st.binary(max_size=500), st.lists(st.integers(0, 500)))
def test_any_bytes_give_messages_or_a_frame_error_and_the_cuts_never_matter(
    stream: bytes, cuts: list[int]
) -> None:
    assert outcome(stream, cuts) == outcome(stream, [])


def outcome(stream: bytes, cuts: list[int]) -> list[bytes] | str:
    try:
        return read(stream, cuts, limit=200)
    except FrameError as error:
        return str(error)

import io
import sys

import pytest

from enigmacli.cli import streams
from enigmacli.cli.streams import SPELLINGS


def written(monkeypatch: pytest.MonkeyPatch, encoding: str, text: str) -> bytes:
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding=encoding, errors="strict")
    monkeypatch.setattr(sys, "stdout", stream)
    streams.prepare()
    stream.write(text)
    stream.flush()
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", b"wait ... \\xe9 \\u4e2d -> |"),
        ("iso-8859-1", b"wait ... \xe9 \\u4e2d -> |"),
        ("utf-8", "wait … é 中 → │".encode()),
    ],
)
def test_a_letter_that_the_locale_lacks_is_spelt(
    monkeypatch: pytest.MonkeyPatch, encoding: str, shown: bytes
) -> None:
    assert written(monkeypatch, encoding, "wait … é 中 → │") == shown


def test_bytes_that_were_no_text_are_written_as_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert written(monkeypatch, "utf-8", "a\udcffb") == b"a\\udcffb"


def test_preparing_twice_changes_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)

    streams.prepare()
    streams.prepare()

    assert stream.encoding == "enigmacli_ascii"


def test_every_spelling_is_ascii() -> None:
    assert all(spelt.isascii() and spelt for spelt in SPELLINGS.values())
    assert not any(letter.isascii() for letter in SPELLINGS)

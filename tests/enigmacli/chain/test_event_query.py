"""The language of searches; the forms are those of CometBFT's own tests (libs/pubsub/query)."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enigmacli.chain.event_query import MAX_CONDITIONS, Condition, parse_query
from enigmacli.errors import MalformedError


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("tx.hash='ABCD'", [Condition("tx.hash", "=", "ABCD")]),
        ("tx.height=5", [Condition("tx.height", "=", 5)]),
        (" tx.height >= 5 ", [Condition("tx.height", ">=", 5)]),
        ("a.b<-1", [Condition("a.b", "<", -1)]),
        ("a.b EXISTS", [Condition("a.b", "EXISTS")]),
        ("a.b CONTAINS 'AND'", [Condition("a.b", "CONTAINS", "AND")]),
        ("a.b=''", [Condition("a.b", "=", "")]),
        (
            "message.module = 'register' AND tx.height <= 7",
            [Condition("message.module", "=", "register"), Condition("tx.height", "<=", 7)],
        ),
    ],
)
def test_a_query_is_a_list_of_conditions(text: str, conditions: list[Condition]) -> None:
    assert list(parse_query(text)) == conditions


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "AND",
        "a.b",
        "a.b=",
        "a.b='1' AND",
        "a.b='1' OR c.d='2'",
        "a.b='1' c.d='2'",
        "a.b='1'AND c.d='2'",
        "a.b=1.5",
        "a.b=99999999999999999999",
        "a.b=9999999999999999999",
        "a.b>'5'",
        "a.b CONTAINS 5",
        "a.bEXISTS",
        "a.b>=DATE 2026-11-23",
        "a.b='it's'",
        "a.b EXISTS x",
    ],
)
def test_another_language_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_query(text)


def test_a_query_is_short() -> None:
    parse_query(f"a.b='{'x' * 506}'")
    parse_query(" AND ".join(["a.b=1"] * MAX_CONDITIONS))

    with pytest.raises(MalformedError, match="maximum query length exceeded"):
        parse_query(f"a.b='{'x' * 507}'")
    with pytest.raises(MalformedError, match="at most"):
        parse_query(" AND ".join(["a.b=1"] * (MAX_CONDITIONS + 1)))


@given(st.text(max_size=600) | st.from_regex(r"[a-z.]+ ?[<>=]+ ?'?[a-zA-Z0-9 ]*'?( AND .*)?"))
def test_any_text_is_a_query_or_refused(text: str) -> None:
    with suppress(MalformedError):
        assert parse_query(text)

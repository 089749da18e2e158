from pathlib import Path

from enigmacli.cli.watch import Expiry, Observation, line_of, view_of
from enigmacli.errors import UntrustedAnswerError
from enigmacli.standing import Node, Standing, State

NODE = Node(
    url="http://node", moniker="m", chain_id="net-1", height=7, app_hash="AA", catching_up=True,
    voting_power=0, same_network=True, own=True,
)  # fmt: skip
SEEN = Observation(
    1_000_000, Standing(Path("/home"), State.SEEDED, node=NODE), 3, ((2, "aa"), (5, "bb")),
    Expiry("evidence-age", "1970-01-02T00:00:00Z", 86_399),
)  # fmt: skip
MARKS = ("x", ">", ".")


def test_a_line_holds_what_changes() -> None:
    assert line_of(SEEN) == (
        "1970-01-01T00:00:01Z  seeded, height 7, catching up, peers 3, registrations 2, "
        "evidence runs out in 23 h 59 min (evidence-age)"
    )


def test_a_failed_look_is_a_line_and_a_document_too() -> None:
    seen = Observation(1_000_000, None, error=UntrustedAnswerError("it lies"))

    assert line_of(seen) == "1970-01-01T00:00:01Z  it lies"
    assert seen.document()["error"] == {"code": "untrusted-answer", "message": "it lies"}
    assert "it lies" in view_of("enigmacli", seen, MARKS, 80)


def test_a_document_holds_the_standing_and_more() -> None:
    document = SEEN.document()

    assert (document["state"], document["node"]["height"]) == ("seeded", 7)
    assert (document["peers"], document["registrations"]) == (3, 2)
    assert document["evidence_expiry"]["part"] == "evidence-age"


def test_a_view_fits_its_width_and_marks_the_phases() -> None:
    view = view_of("enigmacli", SEEN, MARKS, 40)

    assert max(map(len, view.splitlines())) <= 40
    assert "x registered" in view
    assert "> seeded" in view
    assert ". running" in view
    assert "next  enigmacli start" in view

import json
from pathlib import Path
from typing import Any

import pytest

from enigmacli.cli.context import Services
from enigmacli.cli.node_events import Printer, document, words
from enigmacli.engine import events


def test_a_missing_cometbft_is_named_with_how_to_get_it(simulated: Any, tmp_path: Path) -> None:
    got = simulated(
        "start", "--engine", "cometbft", "--cometbft", str(tmp_path / "none"), "-o", "json"
    )

    assert (got.code, got.error["code"]) == (3, "config")
    assert "go install github.com/cometbft/cometbft/cmd/cometbft@v0.38." in got.error["hint"]


def test_an_external_cometbft_needs_no_binary_here(simulated: Any, tmp_path: Path) -> None:
    got = simulated(
        "start", "--engine", "cometbft", "--comet-external",
        "--cometbft", str(tmp_path / "none"), "-o", "json",
    )  # fmt: skip

    assert (got.code, got.error["code"]) == (3, "not-bootstrapped")


def test_cometbft_follows_nobody(simulated: Any) -> None:
    got = simulated("start", "--engine", "cometbft", "--follow", "http://127.0.0.1:1", "-o", "json")

    assert got.code == 2
    assert "--follow" in got.error["message"]


def test_quickstart_on_cometbft_wants_one_before_it_makes_anything(
    program: Any, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"

    got = program(
        "quickstart", "--engine", "cometbft", "--cometbft", str(tmp_path / "none"),
        "--keep", str(kept), "-o", "json",
    )  # fmt: skip

    assert got.code == 3
    assert "go install" in json.loads(got.err.splitlines()[-1])["error"]["hint"]
    assert not (kept / "first").exists()


def test_without_a_home_it_names_init(program: Any) -> None:
    got = program("start", "-o", "json")

    assert (got.code, got.error["code"]) == (3, "home-missing")


def test_a_home_in_use_names_the_process(simulated: Any) -> None:
    from enigmacli.home import Home  # noqa: PLC0415

    with Home(simulated.home).lock():
        got = simulated("start", "-o", "json")

    assert (got.code, got.error["code"]) == (3, "home-busy")
    assert got.error["details"]["pid"]


def test_a_genesis_without_network_keys_names_bootstrap(simulated: Any) -> None:
    got = simulated("start", "--rpc-listen", "127.0.0.1:0", "-o", "json")

    assert (got.code, got.error["code"]) == (3, "not-bootstrapped")
    assert "bootstrap" in got.error["hint"]


@pytest.mark.parametrize(
    "option",
    [
        ("--rpc-listen", "nowhere"), ("--follow", "ftp://x"), ("--block-interval", "-1"),
        ("--persistent-peers", "host:1"), ("--seeds", "id@host"), ("--abci-listen", "socket"),
        ("--external-address", "host"),
    ],
)  # fmt: skip
def test_an_option_out_of_form_is_a_configuration_error(
    simulated: Any, option: tuple[str, str]
) -> None:
    assert simulated("start", *option, "-o", "json").code == 3


def test_events_are_documents_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    tell = Printer(Services(json=True))

    tell(events.Listening("http://127.0.0.1:1"))
    tell(events.BlockCommitted(3, b"\x01", b"\xab", 2))

    first, second = capsys.readouterr().out.splitlines()
    assert json.loads(first) == {"event": "listening", "rpc": "http://127.0.0.1:1"}
    assert json.loads(second) == {
        "event": "block", "height": 3, "block_hash": "01", "app_hash": "ab", "txs": 2,
    }  # fmt: skip


EVERY_EVENT = (
    events.Listening("http://127.0.0.1:1"),
    events.AbciListening("unix:///run/abci.sock"),
    events.WaitingForSeed(2),
    events.SeedReady(b"\x0e" * 32),
    events.ChainReady("net-1", 5, b"\xab", 1),
    events.BlockCommitted(3, b"\x01", b"\xab", 2),
    events.ProposalRefused(4),
    events.ProducerStopped(4, 1, 3),
    events.SourceLost("no answer", 1.5),
    events.SourceBack(9),
    events.CaughtUp(9, b"\xab"),
    events.AppReason("kind: why"),
    events.EngineLog("error", "no peers"),
    events.Alarm("two answers", 9),
    events.Stopped(),
)


@pytest.mark.parametrize("event", EVERY_EVENT, ids=lambda event: type(event).__name__)
def test_every_event_has_words_and_a_document(event: events.NodeEvent) -> None:
    assert words(event)
    assert "\n" not in words(event)
    assert json.loads(json.dumps(document(event)))["event"]


def test_an_alarm_goes_to_standard_error_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    Printer(Services())(events.Alarm("two answers", 9))

    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "ALARM at height 9: two answers\n"


def test_replay_wants_it_said_that_no_enclave_takes_part(simulated: Any) -> None:
    got = simulated("replay", "-o", "json")

    assert got.code == 2
    assert "--without-enclave" in got.error["message"]


def test_replay_of_a_home_without_blocks_is_local_state(simulated: Any) -> None:
    got = simulated("replay", "--without-enclave", "-o", "json")

    assert (got.code, got.error["code"]) == (3, "config")

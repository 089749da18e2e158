"""The gate: no answer to Info or InitChain before the enclave holds this network's seed."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from enclave.calls import PublicKeysReply
from enclave.errors import EnclaveUnavailableError, NoSeedError
from enigmacli import protobuf
from enigmacli.app.app_state import NetworkKeys
from enigmacli.engine.events import NodeEvent, SeedReady, WaitingForSeed
from enigmacli.engine.gate import Gate, GatedApplication
from enigmacli.engine.stopping import StoppedError
from enigmacli.errors import SeedMismatchError, SeedMissingError
from tests.enigmacli.engine.key_value_app import KeyValueApp

EXPECTED = NetworkKeys(b"e" * 32, b"i" * 32, b"evidence", 0)
REPLY = PublicKeysReply(0, b"e" * 32, b"i" * 32, b"e" * 32, b"i" * 32)


class Enclave:
    """Answers with keys, or with the error that it was given."""

    def __init__(self, answer: PublicKeysReply | Exception) -> None:
        self.answer = answer
        self.asked = 0

    def public_keys(self) -> PublicKeysReply:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def make_gate(
    enclave: Enclave, events: list[NodeEvent], unseal: Callable[[], bool] | None = None
) -> Gate:
    return Gate(
        enclave, EXPECTED, events.append, threading.Event(), unseal=unseal, interval_s=0.001
    )


def request(kind: str, **values: Any) -> bytes:
    message = protobuf.new("tendermint.abci.Request", **{kind: values})
    getattr(message, kind).SetInParent()
    return bytes(message.SerializeToString())


def test_the_right_seed_opens_the_gate() -> None:
    events: list[NodeEvent] = []

    make_gate(Enclave(REPLY), events).require_seed()

    assert events == [SeedReady(b"e" * 32)]


def test_a_missing_seed_refuses_and_names_the_next_command() -> None:
    with pytest.raises(SeedMissingError) as refused:
        make_gate(Enclave(NoSeedError("none")), []).require_seed()

    assert "enigmacli" in refused.value.hint


@pytest.mark.parametrize(
    "reply",
    [
        PublicKeysReply(0, b"x" * 32, b"i" * 32, b"x" * 32, b"i" * 32),
        PublicKeysReply(0, b"e" * 32, b"x" * 32, b"e" * 32, b"x" * 32),
    ],
    ids=["exchange key", "io key"],
)
def test_another_networks_seed_is_refused_at_once_even_when_waiting(reply: PublicKeysReply) -> None:
    events: list[NodeEvent] = []

    with pytest.raises(SeedMismatchError) as refused:
        make_gate(Enclave(reply), events, bool).require_seed()

    assert refused.value.details["expected"] == EXPECTED.exchange_pk.hex()
    assert events == []


def test_a_later_epochs_keys_do_not_matter() -> None:
    reply = PublicKeysReply(3, b"e" * 32, b"i" * 32, b"n" * 32, b"m" * 32)

    make_gate(Enclave(reply), []).require_seed()


def test_waiting_tries_until_the_seed_is_there() -> None:
    enclave = Enclave(NoSeedError("none"))
    events: list[NodeEvent] = []

    def unseal() -> bool:
        if len(events) < 3:
            return False
        enclave.answer = REPLY
        return True

    make_gate(enclave, events, unseal).require_seed()

    assert events == [
        WaitingForSeed(1), WaitingForSeed(2), WaitingForSeed(3), SeedReady(b"e" * 32),
    ]  # fmt: skip


def test_waiting_ends_when_the_node_is_stopped() -> None:
    stop = threading.Event()
    stop.set()
    gate = Gate(Enclave(NoSeedError("none")), EXPECTED, lambda _: None, stop, unseal=bool)

    with pytest.raises(StoppedError):
        gate.require_seed()


def test_an_enclave_that_cannot_be_asked_is_an_error_of_its_own() -> None:
    with pytest.raises(EnclaveUnavailableError):
        make_gate(Enclave(EnclaveUnavailableError("dead")), [], bool).require_seed()


def test_every_init_chain_passes_the_gate() -> None:
    enclave = Enclave(REPLY)
    app = GatedApplication(KeyValueApp(), make_gate(enclave, []))

    for _ in range(2):
        app.handle(request("init_chain", initial_height=1))

    assert enclave.asked == 2


def test_init_chain_does_not_reach_the_application_without_a_seed() -> None:
    inner = KeyValueApp()
    app = GatedApplication(inner, make_gate(Enclave(NoSeedError("none")), []))

    with pytest.raises(SeedMissingError):
        app.handle(request("init_chain"))

    assert inner.seen == []


def test_the_first_info_above_height_0_passes_the_gate_and_later_ones_do_not() -> None:
    enclave = Enclave(REPLY)
    inner = KeyValueApp()
    inner.height = 5
    app = GatedApplication(inner, make_gate(enclave, []))

    for _ in range(3):
        app.handle(request("info"))

    assert enclave.asked == 1


def test_a_refused_info_is_asked_for_again() -> None:
    enclave = Enclave(NoSeedError("none"))
    inner = KeyValueApp()
    inner.height = 5
    app = GatedApplication(inner, make_gate(enclave, []))

    for _ in range(2):
        with pytest.raises(SeedMissingError):
            app.handle(request("info"))

    assert enclave.asked == 2


def test_info_at_height_0_and_every_other_request_go_through() -> None:
    enclave = Enclave(NoSeedError("none"))
    app = GatedApplication(KeyValueApp(), make_gate(enclave, []))

    app.handle(request("info"))
    app.handle(request("query", path="/"))

    assert enclave.asked == 0

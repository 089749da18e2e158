from pathlib import Path
from typing import Final

import pytest

import enclave
from enclave import calls
from enclave.binding import bootstrap_report_data, registration_report_data
from enclave.errors import (
    AlreadyConfiguredError,
    BindingError,
    CallError,
    NotConfiguredError,
    NotYetValidError,
    PolicyFormatError,
)
from enclave.judge import JudgeService
from enclave.measurement import measure
from tests.corpus import load
from tests.simulators.attested_network import NOW_US, OWNER, AttestedNetwork

PACKAGE: Final = Path(enclave.__file__).parent
NETWORK: Final = AttestedNetwork(b"\x01" * 32)


def node_id() -> bytes:
    return bytes.fromhex(load("kat/protocol_v1.json")["node_id"])


def certificate() -> bytes:
    network_id = NETWORK.configuration.network_id
    return NETWORK.certify_report_data(registration_report_data(node_id(), network_id, OWNER))


@pytest.fixture
def judge() -> JudgeService:
    return JudgeService(PACKAGE)


@pytest.fixture
def configured(judge: JudgeService) -> JudgeService:
    judge.configure(calls.Configure(NETWORK.chain_id, NETWORK.policy))
    return judge


def test_judges_nothing_before_it_was_configured(judge: JudgeService) -> None:
    with pytest.raises(NotConfiguredError):
        judge.judge(calls.Judge(certificate(), OWNER, NOW_US, catch_up=False))
    with pytest.raises(NotConfiguredError):
        judge.judge_bootstrap(calls.JudgeBootstrap(b"", NOW_US, bytes(32), bytes(32)))


def test_is_configured_once(configured: JudgeService) -> None:
    configured.configure(calls.Configure(NETWORK.chain_id, NETWORK.policy))

    with pytest.raises(AlreadyConfiguredError):
        configured.configure(calls.Configure("another", NETWORK.policy))


@pytest.mark.parametrize(
    ("chain_id", "policy", "error"),
    [("Enigma", NETWORK.policy, CallError), ("enigma", b"{}", PolicyFormatError)],
)
def test_refuses_to_be_configured_with_nonsense(
    judge: JudgeService, chain_id: str, policy: bytes, error: type[Exception]
) -> None:
    with pytest.raises(error):
        judge.configure(calls.Configure(chain_id, policy))
    with pytest.raises(NotConfiguredError):
        judge.judge(calls.Judge(certificate(), OWNER, NOW_US, catch_up=False))


def test_says_what_it_is_and_holds_no_key(configured: JudgeService) -> None:
    status = configured.status(calls.Status())

    assert (status.role, status.backend) == ("judge", "")
    assert status.measurement == measure(PACKAGE)
    assert status.network_id == NETWORK.configuration.network_id
    assert (status.node_id, status.platform_key, status.seeds) == (b"", b"", 0)


def test_judges_good_evidence(configured: JudgeService) -> None:
    answer = configured.judge(calls.Judge(certificate(), OWNER, NOW_US, catch_up=False))

    assert answer.node_id == node_id()
    assert answer.measurement == NETWORK.mr_enclave
    assert answer.valid_from_us == NOW_US


def test_catches_up_with_evidence_newer_than_the_last_block(configured: JudgeService) -> None:
    early_us = NOW_US - 3_600_000_000

    with pytest.raises(NotYetValidError):
        configured.judge(calls.Judge(certificate(), OWNER, early_us, catch_up=False))
    answer = configured.judge(calls.Judge(certificate(), OWNER, early_us, catch_up=True))

    assert answer.node_id == node_id()


def test_judges_bootstrap_evidence(configured: JudgeService) -> None:
    io_pk = (9).to_bytes(32, "little")
    data = bootstrap_report_data(node_id(), NETWORK.configuration.network_id, io_pk)
    evidence = NETWORK.certify_report_data(data)

    answer = configured.judge_bootstrap(calls.JudgeBootstrap(evidence, NOW_US, node_id(), io_pk))

    assert answer.node_id == node_id()
    with pytest.raises(BindingError):
        configured.judge_bootstrap(calls.JudgeBootstrap(evidence, NOW_US, node_id(), node_id()))


def test_offers_no_call_that_needs_a_key(judge: JudgeService) -> None:
    assert set(judge.offered()) == {
        calls.Status,
        calls.Configure,
        calls.Judge,
        calls.JudgeBootstrap,
    }

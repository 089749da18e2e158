"""The simulated attestation service as a process, over real HTTP on loopback."""

import base64
import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from enclave.appraise.registration import judge_registration
from enclave.client import EnclaveClient
from enclave.errors import (
    AdvisoryError,
    BindingError,
    CertificateChainError,
    EvidenceTooOldError,
    QuoteStatusError,
    ReportSignatureError,
)
from enclave.evidence.ias_report import IasReport
from enclave.verify.ias import verify_report
from enclave.verify.roots import TrustRoots
from enigmacli.attestation.fetch import fetch_epid
from enigmacli.attestation.retry import RetryPolicy
from enigmacli.errors import (
    MalformedError,
    ServiceRefusedError,
    ServiceUnavailableError,
    UntrustedAnswerError,
)
from enigmacli.simulated_intel.report_body import QuoteStatus
from tests.e2e.ias_process import (
    API_KEY,
    GROUP,
    NONCE,
    PLATFORM,
    Server,
    http,
    judge,
    policy,
    serving,
)
from tests.enigmacli.simulated_intel.quoting import QuotingPlatform

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("network") / "simulated_intel"


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Server]:
    with serving("ias", folder=str(folder)) as server:
        with server.client() as client:
            assert client.provision(PLATFORM.platform_key) == GROUP
        yield server


@pytest.fixture
def ias(running: Server) -> Server:
    """The service as it starts: status OK, no faults."""
    running.order(
        quote_status="OK",
        advisory_ids=None,
        latency_ms=0,
        sig_rl="",
        tcb_evaluation_data_number=17,
        next=[],
    )
    return running


@pytest.mark.parametrize("version", [4, 5])
def test_a_report_is_authentic_and_acceptable(ias: Server, version: int) -> None:
    with ias.client(api_version=version) as client:
        assert client.sigrl(GROUP) == b""
        signed = client.report(PLATFORM.quote(), NONCE)

    report = judge(signed, policy(ias.first["trust_root"]))

    assert (report.status, report.version, report.nonce) == ("OK", version, NONCE)


@pytest.mark.parametrize("status", QuoteStatus)
def test_every_status_is_authentic_and_judged_by_the_policy(
    ias: Server, status: QuoteStatus
) -> None:
    ias.order(quote_status=status.value)
    with ias.client() as client:
        signed = client.report(PLATFORM.quote(), NONCE)
    rules = policy(ias.first["trust_root"])
    assert verify_report(signed, TrustRoots.of(rules), []).report.status == status.value

    if status.value in rules.epid_quote_statuses:
        judge(signed, rules)
    else:
        with pytest.raises(QuoteStatusError):
            judge(signed, rules)


def test_an_advisory_that_is_not_listed_is_refused(ias: Server) -> None:
    ias.order(quote_status="SW_HARDENING_NEEDED", advisory_ids=["INTEL-SA-00615"])
    with ias.client() as client:
        signed = client.report(PLATFORM.quote(), NONCE)

    with pytest.raises(AdvisoryError):
        judge(signed, policy(ias.first["trust_root"]))


def test_a_report_grows_too_old(ias: Server) -> None:
    with ias.client() as client:
        signed = client.report(PLATFORM.quote(), NONCE)

    with pytest.raises(EvidenceTooOldError):
        judge(signed, policy(ias.first["trust_root"]), later_s=3601)


def test_a_simulated_root_anchors_nothing_under_intels(ias: Server) -> None:
    with ias.client() as client:
        signed = client.report(PLATFORM.quote(), NONCE)

    with pytest.raises(CertificateChainError):
        judge(signed, policy("intel", simulation=False))


def test_a_platform_that_was_not_provisioned_is_refused(ias: Server) -> None:
    stranger = QuotingPlatform(SigningKey(b"\x08" * 32))

    with ias.client() as client, pytest.raises(ServiceRefusedError, match="not provisioned"):
        client.report(stranger.quote(), NONCE)


def test_an_unknown_group_is_refused(ias: Server) -> None:
    with ias.client() as client, pytest.raises(ServiceRefusedError, match="EPID group"):
        client.sigrl(GROUP + 1)


def test_a_revocation_list_arrives_and_binds_the_quote(ias: Server) -> None:
    ias.order(sig_rl=base64.b64encode(b"revoked").decode())
    with ias.client() as client:
        sig_rl = client.sigrl(GROUP)
        report = IasReport.parse(client.report(PLATFORM.quote(sig_rl=sig_rl), NONCE).report)

    assert (sig_rl, report.status) == (b"revoked", "OK")


@pytest.mark.parametrize(
    "fault", ["429,times=2", "503,times=2,retry-after=0", "drop-connection,times=2"]
)
def test_a_passing_failure_is_survived(ias: Server, fault: str) -> None:
    ias.order(next=[fault, "truncated-body,endpoint=sigrl"])

    with ias.client() as client:
        signed = client.report(PLATFORM.quote(), NONCE)
        assert client.sigrl(GROUP) == b""

    assert judge(signed, policy(ias.first["trust_root"])).status == "OK"


@pytest.mark.parametrize(
    "fault", ["503,times=3", "drop-connection,times=3", "truncated-body,times=3"]
)
def test_a_lasting_failure_is_an_unavailable_service(ias: Server, fault: str) -> None:
    ias.order(next=[fault])

    with ias.client() as client, pytest.raises(ServiceUnavailableError):
        client.report(PLATFORM.quote(), NONCE)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("400", ServiceRefusedError),
        ("401", ServiceRefusedError),
        ("missing-signature", MalformedError),
        ("missing-certificate", MalformedError),
        ("replayed-report", UntrustedAnswerError),
    ],
)
def test_a_wrong_answer_is_refused(ias: Server, fault: str, error: type[Exception]) -> None:
    with ias.client() as client:
        client.report(PLATFORM.quote(), "of another request")
        ias.order(next=[fault])

        with pytest.raises(error):
            client.report(PLATFORM.quote(), NONCE)


def test_a_wrong_signature_is_found_by_the_verifier(ias: Server) -> None:
    ias.order(next=["wrong-signature"])
    with ias.client() as client:
        signed = client.report(PLATFORM.quote(), NONCE)

    with pytest.raises(ReportSignatureError):
        judge(signed, policy(ias.first["trust_root"]))


def test_an_answer_that_takes_too_long_is_an_unavailable_service(ias: Server) -> None:
    ias.order(latency_ms=2000)

    with (
        ias.client(timeout_s=0.1, retry=RetryPolicy(attempts=1)) as client,
        pytest.raises(ServiceUnavailableError, match="ReadTimeout"),
    ):
        client.report(PLATFORM.quote(), NONCE)


@pytest.mark.parametrize("path", ["/", "/unknown", "/attestation/v4/report", "/simulation/v1"])
def test_every_answer_says_simulation(ias: Server, path: str) -> None:
    for answer in (
        http().get(ias.url + path),
        http().post(ias.url + path, content=b"x" * 70_000),
        http().request("OPTIONS", ias.url + path),
    ):
        assert answer.headers["X-Simulation"] == "true"


def test_a_request_that_is_too_long_is_refused(ias: Server) -> None:
    answer = http().post(f"{ias.url}/attestation/v4/report", content=b"x" * 70_000)

    assert answer.status_code == 413


def test_a_restart_keeps_root_and_platforms(tmp_path: Path) -> None:
    with serving("ias", folder=str(tmp_path)) as first:
        with first.client() as client:
            client.provision(PLATFORM.platform_key)
            before = client.report(PLATFORM.quote(), NONCE)
        first.stop(signal.SIGTERM)
    with serving("ias", folder=str(tmp_path)) as second, second.client() as client:
        after = client.report(PLATFORM.quote(), NONCE)

    assert first.first["trust_root"] == second.first["trust_root"]
    assert before.signing_cert == after.signing_cert
    assert before.report != after.report


def test_a_platform_that_cannot_be_kept_is_not_provisioned(tmp_path: Path) -> None:
    with serving("ias", folder=str(tmp_path)) as server:
        (tmp_path / "platforms.json").mkdir()
        with server.client() as client, pytest.raises(ServiceUnavailableError, match="500"):
            client.provision(PLATFORM.platform_key)
        said = server.stop()

    assert "cannot write" in said


def test_a_killed_service_loses_no_platform(tmp_path: Path) -> None:
    with serving("ias", folder=str(tmp_path)) as first, first.client() as client:
        client.provision(PLATFORM.platform_key)
        os.kill(first.process.pid, signal.SIGKILL)
    with serving("ias", folder=str(tmp_path)) as second, second.client() as client:
        assert client.report(PLATFORM.quote(), NONCE).signature


@pytest.mark.usefixtures("ias")
def test_a_folder_serves_one_service_at_a_time(folder: Path) -> None:
    with serving("ias", folder=str(folder)) as second:
        assert second.first["code"] == "home-busy"


def test_a_taken_port_is_named(ias: Server, tmp_path: Path) -> None:
    port = int(ias.url.rpartition(":")[2])

    with serving("ias", folder=str(tmp_path), port=port) as second:
        assert second.first["code"] == "port-busy"


def test_a_service_with_keys_serves_their_holders_only(tmp_path: Path) -> None:
    with serving("ias", folder=str(tmp_path), api_keys=[API_KEY]) as server:
        with server.client(API_KEY) as client:
            client.provision(PLATFORM.platform_key)
            assert client.report(PLATFORM.quote(), NONCE).signature
        with server.client("another") as client, pytest.raises(ServiceRefusedError, match="key"):
            client.report(PLATFORM.quote(), NONCE)
        said = server.stop()

    assert "Answered" in said
    assert API_KEY not in said


def test_an_enclaves_own_quote_becomes_evidence_for_its_owner(ias: Server, tmp_path: Path) -> None:
    owner = b"\x05" * 20
    with EnclaveClient.keys(package=None, state=tmp_path) as enclave, ias.client() as client:
        own = enclave.status().measurement
        rules = policy(ias.first["trust_root"], measurements=[{"mr_enclave": own.hex()}])
        made = enclave.keygen("enigma-e2e", rules.encode())
        network = enclave.status().network_id
        fetched = fetch_epid(
            enclave,
            client,
            purpose="registration",
            owner=owner,
            provision=True,
            now=datetime.now(UTC),
        )
    at_us = time.time_ns() // 1000

    judged = judge_registration(fetched.certificate, owner, rules, network, at_us)

    assert (judged.node_id, judged.measurement, judged.tcb_status) == (made.node_id, own, "OK")
    with pytest.raises(BindingError):
        judge_registration(fetched.certificate, b"\x06" * 20, rules, network, at_us)

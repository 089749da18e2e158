"""``pccs serve`` as a process, over real HTTP on loopback."""

import json
import signal
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from enclave.checks import Check
from enclave.dcap_pki_errors import TcbSignerRevokedError
from enclave.evidence.containers import QuoteWithCollateral, parse_on_chain
from enclave.verify.dcap import VerifiedQuote, verify_quote
from enclave.verify.roots import TrustRoots
from enigmacli.attestation import pcs_request
from enigmacli.attestation.dcap import DcapServices, fetch_dcap
from enigmacli.attestation.pcs import PcsServer
from enigmacli.attestation.pcs_request import Edition
from enigmacli.attestation.retry import RetryPolicy
from enigmacli.errors import (
    PlatformUnknownError,
    ServiceUnavailableError,
)
from tests.e2e.story_processes import ProgramHome, running
from tests.enigmacli.simulated_intel.attester import InMemoryAttester
from tests.simulators.attested_network import OWNER
from tests.simulators.enclave_home import EnclaveHome

pytestmark = pytest.mark.e2e

RETRY = RetryPolicy(attempts=3, first_delay_s=0.01)


@cache
def http() -> httpx.Client:
    return httpx.Client(trust_env=False)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> ProgramHome:
    return ProgramHome(tmp_path_factory.mktemp("network") / "intel")


@pytest.fixture(scope="module")
def served(program: ProgramHome) -> Iterator[dict[str, Any]]:
    """What the service said when it began to listen."""
    with running(program, "pccs", "serve", "--listen", "127.0.0.1:0") as process:
        yield process.wait_for("listening")


@pytest.fixture
def url(served: dict[str, Any]) -> str:
    """The service as it starts."""
    order(
        served["url"],
        tcb_status="UpToDate", documents="current", revoked=[], caching=False, next=[],
    )  # fmt: skip
    return str(served["url"])


@pytest.fixture
def home(tmp_path: Path) -> EnclaveHome:
    home = EnclaveHome(tmp_path / "home")
    home.keygen()
    return home


def order(url: str, **settings: Any) -> None:
    http().post(f"{url}/simulation/v1/faults", json=settings).raise_for_status()


def fetch(url: str, home: EnclaveHome, kind: str) -> QuoteWithCollateral:
    with PcsServer(url, retry=RETRY) as server:
        evidence = fetch_dcap(
            InMemoryAttester(home),
            DcapServices([server], [server], Edition(), notice=pytest.fail),
            purpose="registration",
            kind=kind,
            owner=OWNER,
        )
    parsed = parse_on_chain(evidence.certificate)
    assert isinstance(parsed, QuoteWithCollateral)
    return parsed


def judge(evidence: QuoteWithCollateral, trust_root: str) -> VerifiedQuote:
    class Policy:
        trust_roots = (trust_root,)

    checks: list[Check] = []
    now_us = time.time_ns() // 1000
    roots = TrustRoots.of(Policy())
    return verify_quote(evidence, roots, checks, at_us=now_us, max_clock_skew_s=0)


@pytest.mark.parametrize("kind", ["dcap-sgx", "dcap-tdx"])
@pytest.mark.parametrize("caching", [False, True])
def test_evidence_is_authentic_under_the_services_root(
    url: str, served: dict[str, Any], home: EnclaveHome, kind: str, *, caching: bool
) -> None:
    order(url, caching=caching)

    verified = judge(fetch(url, home, kind), served["trust_root"])

    assert (verified.status, verified.simulated) == ("UpToDate", True)


def test_orders_change_the_running_service(
    url: str, served: dict[str, Any], home: EnclaveHome
) -> None:
    order(url, tcb_status="OutOfDate")
    assert judge(fetch(url, home, "dcap-sgx"), served["trust_root"]).status == "OutOfDate"
    order(url, revoked=["tcb-signing"])

    with pytest.raises(TcbSignerRevokedError):
        judge(fetch(url, home, "dcap-sgx"), served["trust_root"])


def test_every_answer_says_that_it_is_simulated(url: str) -> None:
    for path in ("/", "/simulation/v1/root", "/sgx/certification/v4/fmspcs", "/nothing"):
        assert http().get(url + path).headers["X-Simulation"] == "true"
    assert "SIMULATION ONLY" in http().get(url).text


def test_passing_faults_are_survived_and_lasting_ones_reported(url: str, home: EnclaveHome) -> None:
    order(url, next=["503,retry-after=0", "drop-connection", "truncated-body,endpoint=tcb"])
    fetch(url, home, "dcap-sgx")
    order(url, next=["503,retry-after=0,times=3"])

    with pytest.raises(ServiceUnavailableError):
        fetch(url, home, "dcap-sgx")
    order(url, next=["461,endpoint=pckcert"])
    with pytest.raises(PlatformUnknownError):
        fetch(url, home, "dcap-sgx")


def test_flags_order_what_requests_can_order_and_a_restart_keeps_the_root(
    tmp_path: Path, home: EnclaveHome
) -> None:
    program = ProgramHome(tmp_path / "intel")
    serve = ("pccs", "serve", "--listen", "127.0.0.1:0")
    with running(program, *serve) as process:
        first = process.wait_for("listening")
        fetch(first["url"], home, "dcap-sgx")
        busy, error = program.error(*serve)
        assert process.end(signal.SIGTERM) == 0
    flags = ("--status", "SWHardeningNeeded", "--advisory", "INTEL-SA-00334", "--caching",
             "--documents", "rolled-back", "--qe-status", "OutOfDate")  # fmt: skip
    with running(program, *serve, *flags) as process:
        second = process.wait_for("listening")
        with PcsServer(second["url"]) as server:
            numbers = json.loads(server.get(pcs_request.evaluation_numbers("sgx")).body)
        verified = judge(fetch(second["url"], home, "dcap-sgx"), second["trust_root"])
        warned = process.log.with_suffix(".err").read_text()

    assert (busy, error["code"]) == (3, "home-busy")
    assert second["trust_root"] == first["trust_root"]
    assert len(numbers["tcbEvaluationDataNumbers"]["tcbEvalNumbers"]) == 3
    assert (verified.platform_status, verified.qe_status) == ("SWHardeningNeeded", "OutOfDate")
    assert verified.advisory_ids == ("INTEL-SA-00334", "INTEL-SA-00615")
    assert verified.tcb_evaluation_data_number == 16
    assert "simulation: this service is not Intel's" in warned

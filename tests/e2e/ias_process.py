"""A simulated attestation service, or a proxy, as a process; and the verifier's judgement."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx

from enclave.appraise.policy import Policy
from enclave.appraise.rules import appraise
from enclave.checks import Check
from enclave.evidence.ias_report import IasReport, SignedReport
from enclave.verify.ias import verify_report
from enclave.verify.roots import TrustRoots
from enigmacli.attestation.ias import IasClient
from enigmacli.attestation.retry import RetryPolicy
from tests.enigmacli.simulated_intel.quoting import MR_ENCLAVE, QuotingPlatform

PLATFORM = QuotingPlatform()
NONCE = "0123456789abcdef0123456789abcdef"
API_KEY = "the-key-of-the-service"
RETRY = RetryPolicy(attempts=3, first_delay_s=0.01)
GROUP = 0xE16
START_TIMEOUT_S = 30

_SERVE = """
import json, sys
from pathlib import Path
from enigmacli.errors import EnigmaError
from enigmacli.simulated_intel.proxy import ProxySettings, run_proxy
from enigmacli.simulated_intel.service import IasSettings, run_ias

def report(event):
    print(json.dumps({"event": type(event).__name__} | {
        name: getattr(event, name) for name in event.__slots__}), flush=True)

def run_simulated(folder, **rest):
    run_ias(IasSettings(Path(folder), **rest), report)

def run_forwarding(**rest):
    run_proxy(ProxySettings(**rest), report)

try:
    {"ias": run_simulated, "proxy": run_forwarding}[sys.argv[1]](**json.loads(sys.argv[2]))
except EnigmaError as error:
    print(json.dumps({"event": "Error", "code": error.code, "hint": error.hint}), flush=True)
"""


@cache
def http() -> httpx.Client:
    """A plain client for what :class:`IasClient` cannot be made to send."""
    return httpx.Client(trust_env=False)


@dataclass(frozen=True)
class Server:
    """A service in a process of its own."""

    process: subprocess.Popen[str]
    first: dict[str, Any]
    """What it reported first: where it listens, or why it does not."""

    @property
    def url(self) -> str:
        url = self.first["url"]
        assert isinstance(url, str)
        return url

    def client(self, api_key: str | None = None, **options: Any) -> IasClient:
        return IasClient(self.url, api_key, **({"retry": RETRY} | options))

    def order(self, **settings: Any) -> None:
        http().post(f"{self.url}/simulation/v1/faults", json=settings).raise_for_status()

    def stop(self, number: int = signal.SIGTERM) -> str:
        """End the service and return what else it said."""
        self.process.send_signal(number)
        said, _ = self.process.communicate(timeout=START_TIMEOUT_S)
        assert self.process.returncode == 0
        return said


@contextmanager
def serving(kind: str, **settings: Any) -> Iterator[Server]:
    arguments = [sys.executable, "-c", _SERVE, kind, json.dumps({"port": 0} | settings)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Server(process, json.loads(process.stdout.readline()))
        finally:
            process.kill()


def policy(trust_root: str, **changed: Any) -> Policy:
    members = {
        "trust_roots": [trust_root],
        "evidence_kinds": ["epid"],
        "measurements": [{"mr_enclave": MR_ENCLAVE.hex()}],
        "epid_quote_statuses": ["OK", "SW_HARDENING_NEEDED"],
        "platform_tcb_statuses": ["UpToDate"],
        "qe_tcb_statuses": ["UpToDate"],
        "advisories": ["INTEL-SA-00334"],
        "min_tcb_evaluation_data_number": 17,
        "max_evidence_age_s": 3600,
        "max_clock_skew_s": 60,
        "allow_debug": False,
        "require_owner": True,
        "max_registrations_per_block": 4,
        "min_gas_price": "0.0025uscrt",
        "simulation": True,
    }
    return Policy.from_value(members | changed)


def judge(signed: SignedReport, rules: Policy, later_s: int = 0) -> IasReport:
    checks: list[Check] = []
    verified = verify_report(signed, TrustRoots.of(rules), checks)
    appraise(verified, rules, time.time_ns() // 1000 + later_s * 1_000_000, checks)
    return verified.report

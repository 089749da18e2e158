from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from enclave.calls import EvidenceReply, StatusReply
from enclave.evidence import containers, simulated_quote
from enclave.evidence.ias_report import IasReport, SignedReport
from enigmacli.attestation.fetch import FetchedEvidence, fetch_epid
from enigmacli.attestation.ias import IasClient
from enigmacli.errors import ConfigError, ServiceRefusedError
from enigmacli.simulated_intel.behaviour import Behaviour
from enigmacli.simulated_intel.ias import SimulatedIas
from enigmacli.simulated_intel.pki import SimulatedPki
from enigmacli.simulated_intel.platforms import Platforms
from tests.enigmacli.simulated_intel.in_memory import transport
from tests.enigmacli.simulated_intel.quoting import REPORT_DATA, QuotingPlatform

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
OWNER = b"\x05" * 20


@dataclass
class Attester:
    """An enclave in memory that quotes, and remembers what for."""

    platform: QuotingPlatform = field(default_factory=QuotingPlatform)
    simulated: bool = True
    asked: list[tuple[str, str, bytes, bytes]] = field(default_factory=list)

    def status(self) -> StatusReply:
        return StatusReply(
            role="keys",
            backend="simulation",
            simulation=self.simulated,
            measurement=bytes(32),
            platform_key=self.platform.platform_key if self.simulated else b"",
            epid_group_id=simulated_quote.EPID_GROUP_ID,
            chain_id="",
            network_id=b"",
            node_id=b"",
            seeds=0,
            exchange_pk=b"",
            clock_us=0,
        )

    def evidence(self, purpose: str, kind: str, owner: bytes, sig_rl: bytes) -> EvidenceReply:
        self.asked.append((purpose, kind, owner, sig_rl))
        return EvidenceReply(self.platform.quote(sig_rl=sig_rl), REPORT_DATA)


@dataclass
class Stage:
    """An enclave, and a service that a client reaches without a network."""

    ias: SimulatedIas
    attester: Attester = field(default_factory=Attester)

    def fetch(self, *, provision: bool) -> FetchedEvidence:
        with IasClient("http://127.0.0.1:8090", transport=transport(self.ias)) as service:
            return fetch_epid(
                self.attester,
                service,
                purpose="registration",
                owner=OWNER,
                provision=provision,
                now=NOW,
            )


@pytest.fixture
def stage(pki: SimulatedPki, tmp_path: Path) -> Stage:
    return Stage(SimulatedIas(pki, Platforms(tmp_path / "platforms.json")))


def test_a_provisioned_platform_gets_evidence_for_the_chain(stage: Stage) -> None:
    fetched = stage.fetch(provision=True)

    signed = containers.parse_on_chain(fetched.certificate)
    assert isinstance(signed, SignedReport)
    assert signed == replace(fetched.report, further_certs=())
    report = IasReport.parse(signed.report)
    assert report.status == "OK"
    assert report.quote.report.report_data == REPORT_DATA
    assert fetched.quote == stage.attester.platform.quote()
    assert stage.attester.asked == [("registration", "epid", OWNER, b"")]


def test_every_report_is_asked_for_with_a_nonce_of_its_own(stage: Stage) -> None:
    reports = [IasReport.parse(stage.fetch(provision=True).report.report) for _ in range(2)]

    assert None not in {report.nonce for report in reports}
    assert reports[0].nonce != reports[1].nonce


def test_the_quote_is_made_for_the_current_revocation_list(stage: Stage) -> None:
    stage.ias.behaviour = Behaviour(sig_rl=b"revoked")

    fetched = stage.fetch(provision=True)

    assert stage.attester.asked[0][3] == b"revoked"
    assert IasReport.parse(fetched.report.report).status == "OK"


def test_a_platform_that_was_not_provisioned_is_refused(stage: Stage) -> None:
    with pytest.raises(ServiceRefusedError, match="not provisioned"):
        stage.fetch(provision=False)


def test_a_platform_provisioned_before_needs_no_more(stage: Stage) -> None:
    stage.fetch(provision=True)

    assert stage.fetch(provision=False).certificate


def test_a_platform_that_is_not_simulated_cannot_be_provisioned(stage: Stage) -> None:
    stage.attester.simulated = False

    with pytest.raises(ConfigError, match="only a simulated platform"):
        stage.fetch(provision=True)

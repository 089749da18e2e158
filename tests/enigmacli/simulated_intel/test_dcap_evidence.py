"""Evidence of a simulated platform takes the same path as Intel's, and what was ordered shows."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from enclave.checks import Check
from enclave.dcap_errors import (
    DcapVerificationError,
    QeIdentityTimeError,
    TcbInfoSignatureError,
    TcbInfoTimeError,
)
from enclave.dcap_pki_errors import (
    CrlTimeError,
    DcapRootError,
    PckCaRevokedError,
    PckRevokedError,
    TcbSignerRevokedError,
)
from enclave.evidence.containers import QuoteWithCollateral, parse_on_chain
from enclave.verify.dcap import VerifiedQuote, verify_quote
from enclave.verify.roots import TrustRoots
from enigmacli.attestation.dcap import DcapServices, fetch_dcap
from enigmacli.attestation.pcs import PcsServer
from enigmacli.attestation.pcs_request import Edition
from enigmacli.simulated_intel.dcap_pki import DcapPki
from enigmacli.simulated_intel.pcs import SimulatedPcs
from enigmacli.simulated_intel.pcs_behaviour import ENCLAVE_STATUSES, PLATFORM_STATUSES
from enigmacli.simulated_intel.pki import SimulatedPki
from tests.enigmacli.simulated_intel.attester import InMemoryAttester
from tests.enigmacli.simulated_intel.in_memory import AT_US, transport
from tests.enigmacli.simulated_intel.pcs_kit import order
from tests.simulators.attested_network import OWNER
from tests.simulators.enclave_home import EnclaveHome

KINDS = ("dcap-sgx", "dcap-tdx")

Fetch = Callable[[str], VerifiedQuote]


@pytest.fixture
def home(tmp_path: Path) -> EnclaveHome:
    home = EnclaveHome(tmp_path / "home")
    home.keygen()
    return home


@pytest.fixture
def fetched(home: EnclaveHome, pcs: SimulatedPcs) -> Callable[[str], QuoteWithCollateral]:
    def fetch(kind: str) -> QuoteWithCollateral:
        with PcsServer("http://127.0.0.1:8081", transport=transport(pcs)) as server:
            services = DcapServices([server], [server], Edition(), notice=pytest.fail)
            evidence = fetch_dcap(
                InMemoryAttester(home), services, purpose="registration", kind=kind, owner=OWNER
            )
        parsed = parse_on_chain(evidence.certificate)
        assert isinstance(parsed, QuoteWithCollateral)
        return parsed

    return fetch


@pytest.fixture
def judged(fetched: Callable[[str], QuoteWithCollateral], pcs: SimulatedPcs) -> Fetch:
    def judge(kind: str) -> VerifiedQuote:
        return verify(fetched(kind), TrustRoots.standing_in(pcs.pki.root_der))

    return judge


def verify(evidence: QuoteWithCollateral, roots: TrustRoots) -> VerifiedQuote:
    checks: list[Check] = []
    return verify_quote(evidence, roots, checks, at_us=AT_US, max_clock_skew_s=0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ca", ["platform", "processor"])
def test_what_nobody_ordered_otherwise_is_up_to_date(
    judged: Fetch, pcs: SimulatedPcs, home: EnclaveHome, kind: str, ca: str
) -> None:
    order(pcs, pck_ca=ca)

    verified = judged(kind)

    assert (verified.status, verified.advisory_ids) == ("UpToDate", ())
    assert verified.quote.kind == kind
    assert verified.simulated
    assert verified.accepted_by_engine
    assert verified.tcb_evaluation_data_number == 17
    assert verified.quote.body.report_data[:32] == home.status().node_id


@pytest.mark.parametrize("kind", KINDS)
def test_a_root_that_nobody_named_is_refused(
    fetched: Callable[[str], QuoteWithCollateral], pki: SimulatedPki, tmp_path: Path, kind: str
) -> None:
    evidence = fetched(kind)
    another = DcapPki.load_or_create(tmp_path / "another", datetime(2026, 1, 2, tzinfo=UTC))

    for roots in (
        TrustRoots.of_intel(),
        TrustRoots.standing_in(another.root_der),
        TrustRoots.standing_in(pki.root_der),  # that of a simulated IAS
    ):
        with pytest.raises(DcapRootError):
            verify(evidence, roots)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", PLATFORM_STATUSES)
def test_the_platforms_status_is_the_one_ordered(
    judged: Fetch, pcs: SimulatedPcs, kind: str, status: str
) -> None:
    order(pcs, tcb_status=status, advisory_ids=["INTEL-SA-00334"])

    verified = judged(kind)

    assert (verified.platform_status, verified.qe_status) == (status, "UpToDate")
    assert verified.advisory_ids == ("INTEL-SA-00334",)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", ENCLAVE_STATUSES)
def test_the_quoting_enclaves_status_is_the_one_ordered(
    judged: Fetch, pcs: SimulatedPcs, kind: str, status: str
) -> None:
    order(pcs, qe_status=status)

    verified = judged(kind)

    assert (verified.platform_status, verified.qe_status) == ("UpToDate", status)


def test_the_tdx_modules_status_shows_in_the_platforms(judged: Fetch, pcs: SimulatedPcs) -> None:
    order(pcs, module_status="OutOfDate")

    assert judged("dcap-tdx").platform_status == "OutOfDate"
    assert judged("dcap-sgx").platform_status == "UpToDate"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"documents": {"tcb": "expired"}}, TcbInfoTimeError),
        ({"documents": {"identity": "expired"}}, QeIdentityTimeError),
        ({"documents": {"pckcrl": "expired"}}, CrlTimeError),
        ({"documents": {"rootcacrl": "expired"}}, CrlTimeError),
        ({"revoked": ["tcb-signing"]}, TcbSignerRevokedError),
        ({"revoked": ["platform-ca"]}, PckCaRevokedError),
        ({"next": ["wrong-signature,endpoint=tcb"]}, TcbInfoSignatureError),
    ],
)
def test_what_was_ordered_to_be_wrong_is_not_authentic(
    judged: Fetch,
    pcs: SimulatedPcs,
    kind: str,
    settings: dict[str, Any],
    error: type[DcapVerificationError],
) -> None:
    order(pcs, **settings)

    with pytest.raises(error):
        judged(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_revoked_platform_is_not_authentic(
    judged: Fetch, pcs: SimulatedPcs, home: EnclaveHome, kind: str
) -> None:
    order(pcs, revoked=[home.status().pck_key.hex()])

    with pytest.raises(PckRevokedError):
        judged(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_an_unused_authority_may_be_revoked(judged: Fetch, pcs: SimulatedPcs, kind: str) -> None:
    order(pcs, revoked=["processor-ca"])

    assert judged(kind).status == "UpToDate"


@pytest.mark.parametrize("kind", KINDS)
def test_rolled_back_documents_are_authentic_but_old(
    judged: Fetch, pcs: SimulatedPcs, kind: str
) -> None:
    current = judged(kind)
    order(pcs, documents="rolled-back")

    old = judged(kind)

    assert old.tcb_evaluation_data_number == current.tcb_evaluation_data_number - 1
    assert current.oldest_collateral_us - old.oldest_collateral_us == 20 * 86_400_000_000

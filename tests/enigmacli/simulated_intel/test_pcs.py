"""What the simulated PCS says, signs, certifies, revokes and refuses."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import dcap_qvl  # type: ignore[import-untyped]
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from enclave.evidence import simulated_dcap
from enclave.evidence.collateral import QE_IDENTITY, TCB_INFO, split_signed
from enigmacli.simulated_intel import pck_certificates
from enigmacli.simulated_intel.dcap_pki import ROLES, Ca, DcapPki, pck_serial
from enigmacli.simulated_intel.pcs import SimulatedPcs
from enigmacli.simulated_intel.sgx_extension import OID
from tests.enigmacli.simulated_intel.pcs_kit import (
    AT_US,
    FMSPC,
    PCK,
    SGX,
    TDX,
    chain,
    get,
    order,
    pck_query,
    post,
    public_key,
)

INSTANCE_OID = bytes.fromhex("060a2a864886f84d010d0106")  # of the platform's instance id
DAY_US = 86_400_000_000
AT = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=AT_US)


@pytest.fixture
def provisioned(pcs: SimulatedPcs) -> SimulatedPcs:
    assert post(pcs, "/simulation/v1/provision", {"pck_key": PCK.hex()}).status == 200
    return pcs


def tcb_info(pcs: SimulatedPcs, branch: str = SGX, **query: str) -> dict[str, Any]:
    answer = get(pcs, branch + "tcb", {"fmspc": FMSPC} | query)
    assert answer.status == 200, answer.body
    members: dict[str, Any] = json.loads(answer.body)["tcbInfo"]
    return members


def identity(pcs: SimulatedPcs, path: str = SGX + "qe/identity", **query: str) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(get(pcs, path, query).body)["enclaveIdentity"]
    return members


def pck_crl(pcs: SimulatedPcs, ca: str = "platform", at_us: int = AT_US) -> Any:
    body = get(pcs, SGX + "pckcrl", {"ca": ca, "encoding": "der"}, at_us).body
    return x509.load_der_x509_crl(body)


def crl_number(crl: Any) -> int:
    number: int = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    return number


@pytest.mark.parametrize(
    ("path", "kind", "header"),
    [
        (SGX + "tcb", TCB_INFO, "TCB-Info-Issuer-Chain"),
        (TDX + "tcb", TCB_INFO, "TCB-Info-Issuer-Chain"),
        (SGX + "qe/identity", QE_IDENTITY, "SGX-Enclave-Identity-Issuer-Chain"),
        (TDX + "qe/identity", QE_IDENTITY, "SGX-Enclave-Identity-Issuer-Chain"),
        (SGX + "qve/identity", QE_IDENTITY, "SGX-Enclave-Identity-Issuer-Chain"),
    ],
)
def test_documents_are_signed_by_the_first_of_their_chain(
    pcs: SimulatedPcs, path: str, kind: str, header: str
) -> None:
    answer = get(pcs, path, {"fmspc": FMSPC} if path.endswith("tcb") else {})

    document = split_signed(kind, answer.body)
    signer, root = chain(answer, header)
    r, s = (int.from_bytes(half) for half in (document.signature[:32], document.signature[32:]))
    public_key(signer).verify(encode_dss_signature(r, s), document.text, ec.ECDSA(SHA256()))
    signer.verify_directly_issued_by(root)
    assert "SIMULATION ONLY" in signer.subject.rfc4514_string()


def test_the_branches_tell_of_their_own_enclaves(pcs: SimulatedPcs) -> None:
    assert [tcb_info(pcs, branch)["id"] for branch in (SGX, TDX)] == ["SGX", "TDX"]
    paths = (SGX + "qe", SGX + "qve", SGX + "qae", TDX + "qe")
    told = [identity(pcs, f"{path}/identity")["id"] for path in paths]
    assert told == ["QE", "QVE", "QAE", "TD_QE"]


def test_the_same_question_within_a_minute_gets_the_same_bytes(pcs: SimulatedPcs) -> None:
    query = {"fmspc": FMSPC}

    first = get(pcs, SGX + "tcb", query)

    assert get(pcs, SGX + "tcb", query, AT_US + 30_000_000).body == first.body
    assert get(pcs, SGX + "tcb", query, AT_US + 60_000_000).body != first.body


def test_statuses_and_advisories_are_what_it_was_told(pcs: SimulatedPcs) -> None:
    order(
        pcs,
        tcb_status="ConfigurationNeeded",
        advisory_ids=["INTEL-SA-00001"],
        qe_status="OutOfDate",
        module_status="Revoked",
    )

    level, module = tcb_info(pcs, TDX)["tcbLevels"][0], tcb_info(pcs, TDX)["tdxModuleIdentities"]
    assert (level["tcbStatus"], level["advisoryIDs"]) == ("ConfigurationNeeded", ["INTEL-SA-00001"])
    assert module[0]["tcbLevels"][0]["tcbStatus"] == "Revoked"
    qe_level = identity(pcs)["tcbLevels"][0]
    assert (qe_level["tcbStatus"], qe_level["advisoryIDs"]) == ("OutOfDate", ["INTEL-SA-00615"])


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ({}, 17),
        ({"update": "standard"}, 17),
        ({"update": "early"}, 18),
        ({"tcbEvaluationDataNumber": "16"}, 16),
        ({"tcbEvaluationDataNumber": "18"}, 18),
    ],
)
def test_the_edition_asked_for_is_served(
    pcs: SimulatedPcs, query: dict[str, str], number: int
) -> None:
    assert tcb_info(pcs, **query)["tcbEvaluationDataNumber"] == number
    assert identity(pcs, **query)["tcbEvaluationDataNumber"] == number


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"tcbEvaluationDataNumber": "15"}, 410),
        ({"tcbEvaluationDataNumber": "19"}, 404),
        ({"tcbEvaluationDataNumber": "17", "update": "early"}, 400),
        ({"tcbEvaluationDataNumber": "x"}, 400),
        ({"update": "late"}, 400),
        ({"fmspc": "00"}, 400),
        ({"fmspc": "00906ED50000"}, 404),
    ],
)
def test_another_question_about_tcb_info_is_refused(
    pcs: SimulatedPcs, query: dict[str, str], status: int
) -> None:
    assert get(pcs, SGX + "tcb", {"fmspc": FMSPC} | query).status == status


def test_the_evaluation_numbers_are_those_that_are_served(pcs: SimulatedPcs) -> None:
    order(pcs, tcb_evaluation_data_number=20)

    answer = json.loads(get(pcs, TDX + "tcbevaluationdatanumbers").body)

    listed = answer["tcbEvaluationDataNumbers"]["tcbEvalNumbers"]
    assert [one["tcbEvaluationDataNumber"] for one in listed] == [21, 20, 19]


@pytest.mark.parametrize(("platform", "found"), [("all", 1), ("E5", 1), ("E3", 0), ("client", 0)])
def test_the_one_fmspc_is_a_servers(pcs: SimulatedPcs, platform: str, found: int) -> None:
    assert len(json.loads(get(pcs, SGX + "fmspcs", {"platform": platform}).body)) == found
    assert get(pcs, SGX + "fmspcs", {"platform": "desktop"}).status == 400


@pytest.mark.parametrize("ca", list(Ca))
def test_a_provisioned_platform_gets_a_certificate(provisioned: SimulatedPcs, ca: Ca) -> None:
    order(provisioned, pck_ca=ca.value)

    answer = get(provisioned, SGX + "pckcert", pck_query())

    leaf = x509.load_pem_x509_certificate(answer.body)
    issuer, root = chain(answer, "SGX-PCK-Certificate-Issuer-Chain")
    assert simulated_dcap.raw_key(public_key(leaf)) == PCK
    leaf.verify_directly_issued_by(issuer)
    issuer.verify_directly_issued_by(root)
    assert answer.headers["SGX-PCK-Certificate-CA-Type"] == ca
    assert answer.headers["SGX-FMSPC"] == FMSPC.upper()
    assert answer.headers["SGX-TCBm"] == simulated_dcap.CPU_SVN.hex().upper() + "0D00"
    extension = leaf.extensions.get_extension_for_oid(x509.ObjectIdentifier(OID)).value
    has_instance = INSTANCE_OID in extension.public_bytes()
    assert has_instance == (ca is Ca.PLATFORM)
    said = dcap_qvl.parse_pck_extension_from_pem(answer.body)
    assert bytes(said.fmspc) == simulated_dcap.FMSPC
    assert bytes(said.cpu_svn) == simulated_dcap.CPU_SVN
    assert said.pce_svn == simulated_dcap.PCE_SVN


def test_a_platform_keeps_its_certificate_for_life(provisioned: SimulatedPcs) -> None:
    first = get(provisioned, SGX + "pckcert", pck_query())

    assert get(provisioned, SGX + "pckcert", pck_query(), AT_US + DAY_US).body == first.body


def test_a_manifest_names_a_platform_as_well(provisioned: SimulatedPcs) -> None:
    told = json.loads(post(provisioned, "/simulation/v1/provision", {"pck_key": PCK.hex()}).body)
    question = pck_query() | {"platformManifest": told["platform_manifest"]}

    answer = post(provisioned, SGX + "pckcert", question)

    assert answer.body == get(provisioned, SGX + "pckcert", pck_query()).body
    question["platformManifest"] = "00" + question["platformManifest"][2:]
    assert post(provisioned, SGX + "pckcert", question).status == 404


def test_pckcerts_lists_the_same_certificate(provisioned: SimulatedPcs) -> None:
    answer = get(provisioned, SGX + "pckcerts", pck_query())

    (only,) = json.loads(answer.body)
    assert unquote(only["cert"]).encode() == get(provisioned, SGX + "pckcert", pck_query()).body
    assert only["tcbm"] == answer.headers.get("SGX-TCBm", only["tcbm"])
    assert (only["tcb"]["sgxtcbcomp01svn"], only["tcb"]["pcesvn"]) == (7, 13)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"pceid": "0100"}, 404),
        ({"cpusvn": "06" + simulated_dcap.CPU_SVN.hex()[2:]}, 404),
        ({"pcesvn": "0c00"}, 404),
        ({"pcesvn": "000d"}, 200),
        ({"encrypted_ppid": pck_certificates.encrypted_ppid(PCK[::-1]).hex()}, 404),
        ({"encrypted_ppid": "00" * 384}, 404),
        ({"encrypted_ppid": PCK.hex() + "00" * 320}, 404),
        ({"encrypted_ppid": "00" * 383}, 400),
        ({"cpusvn": "zz" * 16}, 400),
        ({"pcesvn": "13"}, 400),
        ({"pceid": ""}, 400),
    ],
)
def test_other_platforms_and_other_tcbs_get_no_certificate(
    provisioned: SimulatedPcs, changed: dict[str, str], status: int
) -> None:
    assert get(provisioned, SGX + "pckcert", pck_query(**changed)).status == status


def test_a_caching_service_says_461_of_unknown_platforms_and_sends_crls_in_hex(
    pcs: SimulatedPcs,
) -> None:
    der = get(pcs, SGX + "pckcrl", {"ca": "platform", "encoding": "der"}).body
    order(pcs, caching=True)

    assert get(pcs, SGX + "pckcert", pck_query()).status == 461
    sent = get(pcs, SGX + "pckcrl", {"ca": "platform", "encoding": "der"}).body
    assert bytes.fromhex(sent.decode()) == der
    assert get(pcs, SGX + "pckcrl", {"ca": "neither"}).status == 400
    assert get(pcs, SGX + "pckcrl", {"ca": "platform", "encoding": "xml"}).status == 400


def test_the_roots_list_is_a_file_a_hex_text_and_behind_its_uri(pcs: SimulatedPcs) -> None:
    der = get(pcs, "/IntelSGXRootCA.der").body

    assert bytes.fromhex(get(pcs, SGX + "rootcacrl").body.decode()) == der
    uri = "https://certificates.simulation.invalid/IntelSGXRootCA.der"
    assert get(pcs, SGX + "crl", {"uri": uri}).body == der


def test_the_uri_in_a_pck_certificate_leads_to_its_list(provisioned: SimulatedPcs) -> None:
    leaf = x509.load_pem_x509_certificate(get(provisioned, SGX + "pckcert", pck_query()).body)
    points = leaf.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    names = points[0].full_name
    assert names is not None

    answer = get(provisioned, SGX + "crl", {"uri": names[0].value})

    assert x509.load_der_x509_crl(answer.body) == pck_crl(provisioned)
    for uri in ("https://example.org/", "http://[", ""):
        assert get(provisioned, SGX + "crl", {"uri": uri}).status == 400


@pytest.mark.parametrize("ca", list(Ca))
def test_a_revoked_platform_is_on_the_list(pcs: SimulatedPcs, ca: Ca) -> None:
    before = pck_crl(pcs, ca)
    order(pcs, revoked=[PCK.hex()])

    after = pck_crl(pcs, ca)

    assert before.get_revoked_certificate_by_serial_number(pck_serial(ca, PCK)) is None
    assert after.get_revoked_certificate_by_serial_number(pck_serial(ca, PCK)) is not None
    assert crl_number(after) > crl_number(before)


@pytest.mark.parametrize("role", ROLES)
def test_a_revoked_authority_is_on_the_roots_list(
    pcs: SimulatedPcs, dcap_pki: DcapPki, role: str
) -> None:
    order(pcs, revoked=[role])

    crl = x509.load_der_x509_crl(get(pcs, "/IntelSGXRootCA.der").body)

    assert [one.serial_number for one in crl] == [dcap_pki.serial_of(role)]


def test_the_number_of_a_list_grows_with_time_whatever_is_revoked(pcs: SimulatedPcs) -> None:
    order(pcs, revoked=[bytes([number]).hex() * 64 for number in range(64)])
    before = crl_number(pck_crl(pcs))

    order(pcs, revoked=[])

    assert crl_number(pck_crl(pcs, at_us=AT_US + 60_000_000)) > before


def test_expired_documents_are_those_that_should_have_been_replaced(pcs: SimulatedPcs) -> None:
    order(pcs, documents="expired")

    root_crl = x509.load_der_x509_crl(get(pcs, "/IntelSGXRootCA.der").body)
    ends = [tcb_info(pcs)["nextUpdate"], identity(pcs)["nextUpdate"]]
    assert all(datetime.fromisoformat(end) < AT for end in ends)
    assert all(end is not None and end < AT for end in (
        root_crl.next_update_utc, pck_crl(pcs).next_update_utc))  # fmt: skip


def test_rolled_back_documents_still_hold_but_are_older(pcs: SimulatedPcs) -> None:
    now = tcb_info(pcs), identity(pcs), crl_number(pck_crl(pcs))
    order(pcs, documents="rolled-back")

    then = tcb_info(pcs), identity(pcs), crl_number(pck_crl(pcs))

    for later, earlier in zip(now[:2], then[:2], strict=True):
        assert datetime.fromisoformat(earlier["nextUpdate"]) > AT
        assert earlier["issueDate"] < later["issueDate"]
        assert earlier["tcbEvaluationDataNumber"] == later["tcbEvaluationDataNumber"] - 1
    assert then[2] < now[2]


def test_one_document_alone_can_be_of_another_edition(pcs: SimulatedPcs) -> None:
    order(pcs, documents={"tcb": "rolled-back"})

    shown = order(pcs, documents={"pckcrl": "expired"})

    assert shown["documents"] == {
        "pckcrl": "expired", "rootcacrl": "current", "tcb": "rolled-back", "identity": "current",
    }  # fmt: skip
    numbers = tcb_info(pcs)["tcbEvaluationDataNumber"], identity(pcs)["tcbEvaluationDataNumber"]
    assert numbers == (16, 17)

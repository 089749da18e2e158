"""TCB Info and QE Identity: what Intel's own say, and every form that is refused."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.dcap_errors import (
    DcapDocumentError,
    DocumentDatesError,
    QeIdentityFormatError,
    QeIdentityIdError,
    QeIdentityVersionError,
    TcbComponentsError,
    TcbInfoFormatError,
    TcbInfoIdError,
    TcbInfoVersionError,
    TcbLevelOrderError,
    TcbStatusError,
    TcbTypeError,
    UnknownMemberError,
)
from enclave.error_base import EvidenceFormatError
from enclave.evidence.collateral import TEE_SGX, TEE_TDX
from enclave.evidence.qe_identity import QeIdentity
from enclave.evidence.tcb_info import TcbInfo
from enclave.times import parse_rfc3339
from enigmacli.simulated_intel import tcb_documents
from enigmacli.simulated_intel.tcb_documents import Finding, Validity
from tests import corpus
from tests.simulators.dcap_factory import ISSUED, NEXT_UPDATE

GENUINE = [
    name for name in corpus.names("dcap") if "__" not in name and "own_collateral" not in name
]
VALIDITY = Validity(ISSUED, NEXT_UPDATE)

Members = dict[str, Any]
Change = Callable[[Members], object]


def info(tee_type: int = TEE_TDX, change: Change = lambda _: None) -> bytes:
    members = tcb_documents.tcb_info(tee_type, Finding(), VALIDITY)
    change(members)
    return json.dumps(members).encode()


def identity(tee_type: int = TEE_SGX, change: Change = lambda _: None) -> bytes:
    members = tcb_documents.identity(tee_type, Finding(), VALIDITY)
    change(members)
    return json.dumps(members).encode()


def put(path: str, value: object) -> Change:
    """Set the member at a path like ``tcbLevels.0.tcb.pcesvn``; ``...`` removes it."""

    def change(members: Members) -> None:
        *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
        at: Any = members
        for step in way:
            at = at[step]
        if value is ...:
            del at[last]
        else:
            at[last] = value

    return change


@pytest.mark.parametrize("name", GENUINE)
def test_genuine_documents_say_what_their_json_says(name: str) -> None:
    case = corpus.load(name)
    tee_type = TEE_TDX if case["expect"]["tee"] == "tdx" else TEE_SGX
    text, other = (case["collateral"][key] for key in ("tcb_info", "qe_identity"))

    tcb_info = TcbInfo.parse(text.encode(), tee_type)
    qe_identity = QeIdentity.parse(other.encode(), tee_type)

    said = json.loads(text)
    assert tcb_info.fmspc.hex() == said["fmspc"].lower()
    assert tcb_info.issue_us == parse_rfc3339(said["issueDate"])
    assert [level.status for level in tcb_info.levels] == [
        level["tcbStatus"] for level in said["tcbLevels"]
    ]
    assert [list(level.sgx_components) for level in tcb_info.levels] == [
        [component["svn"] for component in level["tcb"]["sgxtcbcomponents"]]
        for level in said["tcbLevels"]
    ]
    assert (tcb_info.module is None) == (tee_type == TEE_SGX)
    said = json.loads(other)
    assert qe_identity.mr_signer.hex() == said["mrsigner"].lower()
    assert qe_identity.next_update_us == parse_rfc3339(said["nextUpdate"])
    assert [level.isv_svn for level in qe_identity.levels] == [
        level["tcb"]["isvsvn"] for level in said["tcbLevels"]
    ]
    assert tcb_info.evaluation_number == qe_identity.evaluation_number


def test_a_genuine_document_falls_in_no_single_column() -> None:
    """A check per column would refuse it, so the order is one of whole levels."""
    info = corpus.load("dcap/secretnetwork_dcap_2025_collateral.json")["collateral"]["tcb_info"]
    svns = [level.pce_svn for level in TcbInfo.parse(info.encode(), TEE_SGX).levels]

    assert svns != sorted(svns, reverse=True)


LEVEL = "tcbLevels.0."
MODULE = "tdxModuleIdentities.0."
SVNS = [{"svn": 1}] * 16


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        ("id", "SGX", TcbInfoIdError),
        ("id", "tdx", TcbInfoIdError),
        ("version", 2, TcbInfoVersionError),
        ("version", 4, TcbInfoVersionError),
        ("version", 3.0, TcbInfoFormatError),
        ("version", True, TcbInfoFormatError),
        ("tcbType", 1, TcbTypeError),
        ("tcbType", ..., TcbInfoFormatError),
        ("surprise", 1, UnknownMemberError),
        (LEVEL + "surprise", 1, UnknownMemberError),
        (LEVEL + "tcb.surprise", 1, UnknownMemberError),
        (MODULE + "surprise", 1, UnknownMemberError),
        (MODULE + "tcbLevels.0.surprise", 1, UnknownMemberError),
        (MODULE + "tcbLevels.0.tcb.surprise", 1, UnknownMemberError),
        ("tdxModule.surprise", 1, UnknownMemberError),
        (LEVEL + "tcb.sgxtcbcomponents.0.surprise", 1, TcbInfoFormatError),
        ("issueDate", "2026-12-13T10:00:00Z", DocumentDatesError),
        ("issueDate", "2026-12-14T10:00:00Z", DocumentDatesError),
        ("issueDate", "2026-11-13T10:00:00", TcbInfoFormatError),
        ("issueDate", "2026-11-13T10:00:00.5Z", TcbInfoFormatError),
        ("issueDate", "2026-13-13T10:00:00Z", TcbInfoFormatError),
        ("issueDate", "1969-12-31T23:59:59Z", TcbInfoFormatError),
        ("nextUpdate", 5, TcbInfoFormatError),
        ("nextUpdate", ..., TcbInfoFormatError),
        ("fmspc", "0011223344", TcbInfoFormatError),
        ("fmspc", "00112233445566", TcbInfoFormatError),
        ("fmspc", "g01122334455", TcbInfoFormatError),
        ("pceId", "000", TcbInfoFormatError),
        ("tcbEvaluationDataNumber", -1, TcbInfoFormatError),
        ("tcbEvaluationDataNumber", 2**32, TcbInfoFormatError),
        ("tcbLevels", [], TcbLevelOrderError),
        ("tcbLevels", {}, TcbInfoFormatError),
        ("tcbLevels.0", [], TcbInfoFormatError),
        (LEVEL + "tcb.sgxtcbcomponents", SVNS[:15], TcbComponentsError),
        (LEVEL + "tcb.sgxtcbcomponents", SVNS + SVNS[:1], TcbComponentsError),
        (LEVEL + "tcb.tdxtcbcomponents", SVNS[:15], TcbComponentsError),
        (LEVEL + "tcb.tdxtcbcomponents", ..., TcbInfoFormatError),
        (LEVEL + "tcb.sgxtcbcomponents.0.svn", 256, TcbInfoFormatError),
        (LEVEL + "tcb.sgxtcbcomponents.0.svn", -1, TcbInfoFormatError),
        (LEVEL + "tcb.sgxtcbcomponents.0.svn", True, TcbInfoFormatError),
        (LEVEL + "tcb.sgxtcbcomponents.0", 7, TcbInfoFormatError),
        (LEVEL + "tcb.sgxtcbcomponents.0.category", 7, TcbInfoFormatError),
        (LEVEL + "tcb.pcesvn", 65536, TcbInfoFormatError),
        (LEVEL + "tcbDate", "soon", TcbInfoFormatError),
        (LEVEL + "tcbStatus", "uptodate", TcbStatusError),
        (LEVEL + "tcbStatus", "TDRelaunchAdvised", TcbStatusError),
        (LEVEL + "tcbStatus", None, TcbInfoFormatError),
        (LEVEL + "advisoryIDs", "INTEL-SA-00615", TcbInfoFormatError),
        (LEVEL + "advisoryIDs", [1], TcbInfoFormatError),
        (LEVEL + "advisoryIDs", ["a b"], TcbInfoFormatError),
        ("tdxModule", ..., TcbInfoFormatError),
        ("tdxModule.mrsigner", "00", TcbInfoFormatError),
        (MODULE + "id", 1, TcbInfoFormatError),
        (MODULE + "tcbLevels", [], TcbLevelOrderError),
        (MODULE + "tcbLevels.0.tcbStatus", "SWHardeningNeeded", TcbStatusError),
        (MODULE + "tcbLevels.0.tcb.isvsvn", 256, TcbInfoFormatError),
    ],
)
def test_another_tcb_info_than_intels_is_refused(
    path: str, value: object, error: type[EvidenceFormatError]
) -> None:
    TcbInfo.parse(info(), TEE_TDX)

    with pytest.raises(EvidenceFormatError) as caught:
        TcbInfo.parse(info(change=put(path, value)), TEE_TDX)
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        ("id", "TD_QE", QeIdentityIdError),
        ("id", "QVE", QeIdentityIdError),
        ("version", 3, QeIdentityVersionError),
        ("version", "2", QeIdentityFormatError),
        ("surprise", 1, UnknownMemberError),
        (LEVEL + "surprise", 1, UnknownMemberError),
        (LEVEL + "tcb.surprise", 1, UnknownMemberError),
        ("nextUpdate", "2026-11-13T10:00:00Z", DocumentDatesError),
        ("miscselect", "000000", QeIdentityFormatError),
        ("miscselectMask", "FFFFFFFFF", QeIdentityFormatError),
        ("attributes", "11", QeIdentityFormatError),
        ("attributesMask", ..., QeIdentityFormatError),
        ("mrsigner", "00" * 31, QeIdentityFormatError),
        ("isvprodid", 65536, QeIdentityFormatError),
        ("tcbEvaluationDataNumber", "17", QeIdentityFormatError),
        ("tcbLevels", [], TcbLevelOrderError),
        (LEVEL + "tcb.isvsvn", 65536, QeIdentityFormatError),
        (LEVEL + "tcb.isvsvn", 6, TcbLevelOrderError),
        (LEVEL + "tcb.isvsvn", 5, TcbLevelOrderError),
        (LEVEL + "tcbStatus", "SWHardeningNeeded", TcbStatusError),
        (LEVEL + "tcbDate", 5, QeIdentityFormatError),
        (LEVEL + "advisoryIDs", [""], QeIdentityFormatError),
    ],
)
def test_another_qe_identity_than_intels_is_refused(
    path: str, value: object, error: type[EvidenceFormatError]
) -> None:
    QeIdentity.parse(identity(), TEE_SGX)

    with pytest.raises(EvidenceFormatError) as caught:
        QeIdentity.parse(identity(change=put(path, value)), TEE_SGX)
    assert type(caught.value) is error


def test_documents_of_tdx_are_not_of_sgx() -> None:
    with pytest.raises(TcbInfoIdError):
        TcbInfo.parse(info(TEE_TDX), TEE_SGX)
    with pytest.raises(QeIdentityIdError):
        QeIdentity.parse(identity(TEE_SGX), TEE_TDX)
    with pytest.raises(UnknownMemberError):
        TcbInfo.parse(info(TEE_TDX, put("id", "SGX")), TEE_SGX)


@pytest.mark.parametrize("list_of", ["tcbLevels", MODULE + "tcbLevels"])
@pytest.mark.parametrize("order", [lambda items: items[::-1], lambda items: items[:1] * 2])
def test_levels_fall_strictly(list_of: str, order: Callable[[Any], Any]) -> None:
    members: Any = json.loads(info())
    at = members
    for step in list_of.split(".")[:-1]:
        at = at[int(step) if step.isdigit() else step]
    at["tcbLevels"] = order(at["tcbLevels"])

    with pytest.raises(TcbLevelOrderError):
        TcbInfo.parse(json.dumps(members).encode(), TEE_TDX)


def test_a_module_version_is_listed_once() -> None:
    members = json.loads(info())
    members["tdxModuleIdentities"] *= 2

    with pytest.raises(TcbInfoFormatError, match="tdxModuleIdentities"):
        TcbInfo.parse(json.dumps(members).encode(), TEE_TDX)


def test_old_documents_list_no_modules() -> None:
    parsed = TcbInfo.parse(info(change=put("tdxModuleIdentities", ...)), TEE_TDX)

    assert parsed.module_identities == ()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"1",
        b"{",
        b"\xff",
        b'{"id":"TDX","id":"TDX"}',
        b"{}" + b" " * 65536,
        b"[" * 9000,
    ],
    ids=range(8),
)
def test_what_is_no_strict_json_object_is_refused(text: bytes) -> None:
    with pytest.raises(TcbInfoFormatError):
        TcbInfo.parse(text, TEE_TDX)
    with pytest.raises(QeIdentityFormatError):
        QeIdentity.parse(text, TEE_SGX)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(st.sampled_from(sorted(json.loads(info()))), JSON)
def test_any_member_gives_a_document_or_a_format_error(name: str, value: object) -> None:
    try:
        TcbInfo.parse(info(change=put(name, value)), TEE_TDX)
    except (TcbInfoFormatError, DcapDocumentError):
        return


@given(st.sampled_from(sorted(json.loads(identity()))), JSON)
def test_any_member_gives_an_identity_or_a_format_error(name: str, value: object) -> None:
    try:
        QeIdentity.parse(identity(change=put(name, value)), TEE_SGX)
    except (QeIdentityFormatError, DcapDocumentError):
        return

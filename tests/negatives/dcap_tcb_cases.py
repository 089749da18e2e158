"""Cases 75 to 85: TCB levels and statuses, the quoting enclave, advisories, encodings, times."""

from typing import Any, Final

from enclave.evidence import simulated_dcap
from enigmacli.simulated_intel import tcb_documents
from enigmacli.simulated_intel.tcb_documents import Finding, components, level
from tests.negatives.dcap import ACCEPTED, ALL, TDX, Case, Changes, cases
from tests.simulators.dcap_factory import AT, REMOVED, TDX_V4

_DOCUMENTS: Final = ("tcb_info", "qe_identity")
_ADVISED: Final = ("INTEL-SA-00334",)


def _evaluation_numbers() -> list[Case]:
    low: Changes = {"finding": Finding(evaluation_number=16)}
    differing: dict[str, Changes] = {
        f"{document} of another set": {document: {"tcbEvaluationDataNumber": 18}}
        for document in _DOCUMENTS
    }
    return [
        *cases(75, "tcb-evaluation-too-low", {"both below the floor": low}, ALL),
        *cases(75, ACCEPTED, {"both above it": {"finding": Finding(evaluation_number=18)}}, ALL),
        *cases(75, "dcap-evaluation-numbers", differing, ALL),
        *cases(
            75,
            "tcb-info-malformed",
            {
                "no number": {"tcb_info": {"tcbEvaluationDataNumber": REMOVED}},
                "a negative one": {"tcb_info": {"tcbEvaluationDataNumber": -1}},
                "one as text": {"tcb_info": {"tcbEvaluationDataNumber": "17"}},
            },
        ),
    ]


def _levels(form_is_tdx: bool, *svns: tuple[int, ...], pce_svns: tuple[int, ...] = ()) -> Changes:  # noqa: FBT001 -- which TEE
    """TCB Info with one level for each, only the first component and the PCE SVN differing."""
    listed = []
    for place, first in enumerate(svns):
        svn = bytes(first).ljust(16, b"\0")
        tcb: dict[str, Any] = {
            "sgxtcbcomponents": components(svn),
            "pcesvn": (pce_svns or (5,) * 9)[place],
        }
        if form_is_tdx:
            tcb["tdxtcbcomponents"] = components(bytes(16))
        listed.append(level(tcb, tcb_documents.CURRENT_TCB_DATE, "UpToDate"))
    return {"tcb_info": {"tcbLevels": listed}}


def _orders() -> list[Case]:
    found = []
    for form in ALL:
        tdx = not form.is_sgx
        wrong: dict[str, Changes] = {
            "rising components": _levels(tdx, (1, 0), (2, 0)),
            "rising in a later component": _levels(tdx, (1, 1), (1, 2)),
            "rising PCE SVN": _levels(tdx, (1,), (1,), pce_svns=(5, 6)),
            "the same twice": _levels(tdx, (1,), (1,)),
            "no level": _levels(tdx),
        }
        right = {
            "a column that rises while an earlier one falls": _levels(tdx, (2, 0), (1, 5)),
            "falling PCE SVN": _levels(tdx, (1,), (1,), pce_svns=(6, 5)),
        }
        found += cases(76, "dcap-tcb-level-order", wrong, (form,))
        found += cases(76, ACCEPTED, right, (form,))
        for count in (0, 15, 17):
            found.append(
                Case(76, f"{count} components", "dcap-tcb-components", _short(count, tdx=tdx), form)
            )
    qe_levels: dict[str, Changes] = {
        "QE Identity without levels": {"qe_identity": {"tcbLevels": []}},
        "QE Identity with rising levels": {
            "qe_identity": {"tcbLevels": [_qe_level(5), _qe_level(6)]}
        },
        "QE Identity with a level twice": {
            "qe_identity": {"tcbLevels": [_qe_level(4), _qe_level(4)]}
        },
    }
    found += cases(76, "dcap-tcb-level-order", qe_levels, ALL)
    big: dict[str, Changes] = {
        "a component of 256": {"tcb_info": {"tcbLevels": [_level_of({"svn": 256})]}}
    }
    big |= {"a component below 0": {"tcb_info": {"tcbLevels": [_level_of({"svn": -1})]}}}
    return found + cases(76, "tcb-info-malformed", big)


def _short(count: int, *, tdx: bool) -> Changes:
    tcb: dict[str, Any] = {"sgxtcbcomponents": [{"svn": 0}] * count, "pcesvn": 0}
    if tdx:
        tcb = {"sgxtcbcomponents": components(bytes(16)), "pcesvn": 0,
               "tdxtcbcomponents": [{"svn": 0}] * count}  # fmt: skip
    return {"tcb_info": {"tcbLevels": [level(tcb, tcb_documents.CURRENT_TCB_DATE, "UpToDate")]}}


def _level_of(first: dict[str, Any]) -> dict[str, Any]:
    tcb = {"sgxtcbcomponents": [first, *components(bytes(16))[1:]], "pcesvn": 0}
    return level(tcb, tcb_documents.CURRENT_TCB_DATE, "UpToDate")


def _qe_level(svn: int, status: str = "UpToDate") -> dict[str, Any]:
    return level({"isvsvn": svn}, tcb_documents.CURRENT_TCB_DATE, status)


def _statuses() -> list[Case]:
    platform = (
        "SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded",
        "OutOfDate", "OutOfDateConfigurationNeeded", "Revoked",
    )  # fmt: skip
    unknown = ("Unknown", "uptodate", "UPTODATE", "", "TDRelaunchAdvised", "OK")
    no_text: tuple[Any, ...] = (None, 1, ["UpToDate"])
    named: dict[str, Changes] = {
        f"platform {s!r}": {"finding": Finding(tcb_status=s)} for s in platform
    }
    strange: dict[str, Changes] = {
        f"platform {s!r}": {"finding": Finding(tcb_status=s)} for s in unknown
    }
    strange |= {f"QE {s!r}": {"finding": Finding(qe_status=s)} for s in unknown}
    behind: Changes = {"certificates": {"pck": {"claims": {"pce_svn": 5}}}}
    qe_old: Changes = {"finding": Finding(qe_status="OutOfDate")}
    old: Changes = {"finding": Finding(tcb_status="OutOfDate")}
    return [
        *cases(77, "dcap-tcb-status-unknown", strange, ALL),
        *cases(77, "tcb-info-malformed", {
            f"platform {s!r}": {"finding": Finding(tcb_status=s)} for s in no_text
        }),
        *cases(77, "qe-identity-malformed", {
            f"QE {s!r}": {"finding": Finding(qe_status=s)} for s in no_text
        }),
        *cases(78, "platform-status-not-allowed", named, ALL),
        *cases(78, "platform-status-not-allowed", {"the former level matches": behind}, ALL),
        *cases(79, "qe-status-not-allowed", {
            f"QE {s}": {"finding": Finding(qe_status=s)} for s in ("OutOfDate", "Revoked")
        }, ALL),
        *cases(79, "qe-status-not-allowed", {"QE OutOfDate, as platforms may be": qe_old}, ALL,
               policy={"platform_tcb_statuses": ["OutOfDate", "UpToDate"]}),
        *cases(79, "platform-status-not-allowed", {"platform OutOfDate, as QEs may be": old}, ALL,
               policy={"qe_tcb_statuses": ["OutOfDate", "UpToDate"]}),
        *cases(79, "qe-status-not-allowed", {
            "a QE of the former level": {"qe_report": {"isv_svn": 2}}
        }, TDX),
    ]  # fmt: skip


def _quoting_enclave() -> list[Case]:
    debug = simulated_dcap.QE_FLAGS | 2
    signer: Changes = {"qe_report": {"mr_signer": b"\1" * 32}}
    low: Changes = {"certificates": {"pck": {"claims": {"pce_svn": 4}}}}
    return [
        *cases(80, "dcap-qe-mr-signer", {"another signer": signer}, ALL),
        *cases(80, "dcap-qe-product", {"another product": {"qe_report": {"isv_prod_id": 9}}}, ALL),
        *cases(80, "dcap-qe-misc-select", {"MISCSELECT": {"qe_report": {"misc_select": 1}}}, ALL),
        *cases(
            80,
            "dcap-qe-attributes",
            {
                "no PROVISION_KEY": {"qe_report": {"flags": 0x05}},
                "not initialised": {"qe_report": {"flags": 0x14}},
            },
            ALL,
        ),
        *cases(80, "dcap-qe-debug", {
            "DEBUG, which the mask leaves out": {
                "qe_report": {"flags": debug},
                "qe_identity": {"attributesMask": "F9FFFFFFFFFFFFFF0000000000000000"},
            },
        }, ALL),
        *cases(80, "no-tcb-level", {"below the lowest level": {"qe_report": {"isv_svn": 1}}}, ALL),
        *cases(80, "no-tcb-level", {"a platform below the lowest level": low}, ALL),
        *cases(80, "qe-identity-malformed", {
            f"{name} too short": {"qe_identity": {name: "00"}}
            for name in ("mrsigner", "attributes", "attributesMask", "miscselect", "miscselectMask")
        }),
    ]  # fmt: skip


def _advisories() -> list[Case]:
    def advised(*ids: Any) -> Changes:
        return {"finding": Finding(advisory_ids=ids)}

    spelled = ("intel-sa-00334", "Intel-SA-00334", "INTEL-SA-334")
    return [
        *cases(81, ACCEPTED, {"a listed advisory": advised(*_ADVISED)}, ALL),
        *cases(
            81, "advisory-not-allowed", {"one that is not listed": advised("INTEL-SA-00657")}, ALL
        ),
        *cases(
            81,
            "advisory-not-allowed",
            {"one of two that is not listed": advised(*_ADVISED, "INTEL-SA-00657")},
            ALL,
        ),
        *cases(
            81,
            "advisory-not-allowed",
            {"of the quoting enclave": {"finding": Finding(qe_advisory_ids=("INTEL-SA-00657",))}},
            ALL,
        ),
        *cases(81, "advisory-not-allowed", {f"spelled {one!r}": advised(one) for one in spelled}),
        *cases(
            81,
            "tcb-info-malformed",
            {
                "a list in a list": advised(["INTEL-SA-00334"]),
                "a number": advised(334),
                "a space behind": advised("INTEL-SA-00334 "),
                "an empty one": advised(""),
            },
        ),
    ]


def _encodings() -> list[Case]:
    found = []
    for name in ("root_ca_crl", "pck_crl"):
        change: Changes = {"collateral": {name: "MIIBKjCB0QIBATAKBggqhkjOPQQDAjBx"}}
        found += cases(83, "collateral-malformed", {f"{name} in base64": change}, ALL)
        twice: Changes = {"collateral": {name: b"308201".hex().encode().hex()}}
        found += cases(83, "dcap-crl-malformed", {f"{name} in hexadecimal twice": twice}, ALL)
        odd: Changes = {"collateral": {name: "308"}}
        found += cases(83, "collateral-malformed", {f"{name} of three digits": odd})
    return found


def _overrides() -> list[Case]:
    """The collateral's JSON form may name a chain; only the quote's own is judged."""
    chain = {"collateral": {"pck_certificate_chain": "-----BEGIN CERTIFICATE-----"}}
    fetched = {"parts": {"chain_type": 3}, "collateral": {"pck_certificate_chain": "any"}}
    unknown = {"collateral": {"pck_chain": "any"}}
    return [
        *cases(82, ACCEPTED, {"a chain that nobody looks at": chain}, ALL),
        *cases(82, "quote-certification-data", {"for a quote without its own": fetched}, ALL),
        *cases(82, "collateral-malformed", {"an unknown member": unknown}),
    ]


TCB_CASES: Final = [
    *_evaluation_numbers(),
    *_orders(),
    *_statuses(),
    *_quoting_enclave(),
    *_advisories(),
    *_overrides(),
    *_encodings(),
    Case(85, "before everything begins", "dcap-tcb-info-time", at=AT.replace(year=2023)),
    Case(85, "after everything ended", "dcap-tcb-info-time", {}, TDX_V4, at=AT.replace(year=2060)),
]

"""Cases 66 to 74: TCB Info and QE Identity as documents: bytes, signers, ids, versions, dates."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from enclave.evidence import simulated_dcap
from enigmacli.simulated_intel import tcb_documents
from enigmacli.simulated_intel.tcb_documents import Validity, level
from tests.negatives.dcap import ACCEPTED, ALL, SGX, TDX, Case, Changes, cases
from tests.simulators.dcap_factory import AT, ISSUED, NEXT_UPDATE, REMOVED
from tests.simulators.dcap_pki_factory import key

SECOND: Final = timedelta(seconds=1)
DOCUMENTS: Final = ("tcb_info", "qe_identity")
_TYPES: Final = {"tcb_info": "tcb-info", "qe_identity": "qe-identity"}
_CHAINS: Final = {"tcb_info": "tcb_chain", "qe_identity": "qe_chain"}


def spaced(text: str) -> str:
    return json.dumps(json.loads(text))


def sorted_(text: str) -> str:
    return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))


def _served() -> list[Case]:
    """Not the bytes that were signed."""
    edits: dict[str, Callable[[str], str]] = {
        "serialised with spaces": spaced,
        "serialised with other keys first": sorted_,
        "followed by a space": lambda text: text + " ",
        "with a space inside": lambda text: text.replace(":", ": ", 1),
        "with one number changed": lambda text: text.replace('"version":', '"version":1', 1),
        "with an escape for a letter": lambda text: text.replace('"id"', '"\\u0069d"', 1),
    }
    found = []
    for document in DOCUMENTS:
        code = f"dcap-{_TYPES[document]}-signature"
        named = {f"{document} {name}": {f"{document}_served": edit} for name, edit in edits.items()}
        spaces = f"{document} followed by a space"
        found += cases(66, code, {name: one for name, one in named.items() if name != spaces}, ALL)
        found += cases(66, "collateral-malformed", {spaces: named[spaces]}, ALL)
    return found


def _signatures() -> list[Case]:
    def of(text: str) -> bytes:
        return tcb_documents.sign(text, key("tcb-signer"))

    found = []
    for document in DOCUMENTS:
        other: Changes = {f"{document}_signature": lambda _: of("{}")}
        signed: Changes = {f"{document}_signed_by": "other"}
        code = f"dcap-{_TYPES[document]}-signature"
        found += cases(67, code, {f"{document}: of another document": other}, ALL)
        found += cases(67, code, {f"{document}: of another key": signed}, ALL)
        for role, chain in {
            "pck": ("pck", "platform-ca", "root"),
            "platform-ca": ("platform-ca", "root"),
            "root": ("root", "root"),
        }.items():
            change: Changes = {f"{document}_signed_by": role, _CHAINS[document]: chain}
            code = {"pck": "dcap-chain-length"}.get(role, "dcap-certificate-ca")
            found += cases(68, code, {f"{document} signed by {role}": change}, ALL)
        impostor: Changes = {
            "certificates": {
                "impostor": {"like": "tcb-signer", "subject": "SIMULATION ONLY SGX PCK Certificate",
                             "key": "impostor"}
            },
            f"{document}_signed_by": "impostor",
            _CHAINS[document]: ("impostor", "root"),
        }  # fmt: skip
        role_code = "dcap-tcb-signer-role"
        found += cases(
            68, role_code, {f"{document} signed by a PCK that the root issued": impostor}
        )
        found += _signers(document)
    return found


def _signers(document: str) -> list[Case]:
    def signed(**change: Any) -> Changes:
        return {
            "certificates": {"other": {"like": "tcb-signer", "key": "other", **change}},
            f"{document}_signed_by": "other",
            _CHAINS[document]: ("other", "root"),
        }

    names = ("Intel SGX TCB signing", "SIMULATION ONLY SGX TCB Signing ", "SGX TCB Signing",
             "SIMULATION ONLY SGX QE Signing")  # fmt: skip
    wrong = {f"{document}: named {name!r}": signed(subject=name) for name in names}
    extended = {f"{document}: with an SGX extension": signed(claims={})}
    same = {f"{document}: another TCB signer of the same root": signed(serial=1)}
    return [
        *cases(69, "dcap-tcb-signer-role", wrong),
        *cases(69, "dcap-tcb-signer-sgx-extension", extended, ALL),
        *cases(69, ACCEPTED, same),
    ]


def _platforms() -> list[Case]:
    def claimed(**claims: Any) -> Changes:
        return {"certificates": {"pck": {"claims": claims}}}

    return [
        *cases(
            70,
            "dcap-fmspc",
            {
                "TCB Info of another": {"tcb_info": {"fmspc": "00906ED50000"}},
                "PCK of another": claimed(fmspc=b"other!"),
            },
            ALL,
        ),
        *cases(
            71,
            "dcap-pce-id",
            {
                "TCB Info of another": {"tcb_info": {"pceId": "0001"}},
                "PCK of another": claimed(pce_id=b"\1\0"),
            },
            ALL,
        ),
        *cases(
            70,
            "tcb-info-malformed",
            {
                "FMSPC of 5 bytes": {"tcb_info": {"fmspc": "00906ED500"}},
                "FMSPC that is no text": {"tcb_info": {"fmspc": 0}},
                "no FMSPC": {"tcb_info": {"fmspc": REMOVED}},
                "no PCE-ID": {"tcb_info": {"pceId": REMOVED}},
            },
        ),
    ]


def _ids() -> list[Case]:
    found = []
    for form in ALL:
        own, other = ("SGX", "TDX") if form.is_sgx else ("TDX", "SGX")
        for name in (other, "SEV", own.lower()):
            change: Changes = {"tcb_info": {"id": name}}
            title = f"TCB Info of {name}"
            code = "dcap-tcb-info-id"
            found.append(Case(72, title, code, change, form, tee_type=form.tee_type))
        said = 0x81 if form.is_sgx else 0x00
        title = "collateral of the other TEE"
        found.append(Case(72, title, "dcap-collateral-tee", {}, form, tee_type=said))
    sgx: dict[str, Changes] = {
        f"QE Identity of {name}": {"qe_identity": {"id": name}} for name in ("TD_QE", "QVE", "qe")
    }
    tdx: dict[str, Changes] = {
        f"QE Identity of {name}": {"qe_identity": {"id": name}} for name in ("QE", "QVE", "TD_qe")
    }
    types: dict[str, Changes] = {
        f"tcbType {kind}": {"tcb_info": {"tcbType": kind}} for kind in (1, 2)
    }
    return [
        *found,
        *cases(72, "dcap-qe-identity-id", sgx, SGX),
        *cases(72, "dcap-qe-identity-id", tdx, TDX),
        *cases(72, "dcap-tcb-type", types, ALL),
    ]


def _versions() -> list[Case]:
    infos: dict[str, Changes] = {
        f"TCB Info of version {number}": {"tcb_info": {"version": number}} for number in (0, 2, 4)
    }
    second: dict[str, Changes] = {
        "TCB Info of version 2 in its own form": {
            "tcb_info": {"id": REMOVED, "version": 2, "tcbLevels": [_second_level()]}
        }
    }
    identities: dict[str, Changes] = {
        f"QE Identity of version {number}": {"qe_identity": {"version": number}}
        for number in (0, 1, 4)
    }
    unknown: dict[str, Changes] = {
        f"{document} with an unknown member": {document: {"futureMember": 1}}
        for document in DOCUMENTS
    }
    doubled: dict[str, Changes] = {
        f"{document} with a member twice": {
            f"{document}_text": lambda text: text[:-1] + ',"version":3}'
        }
        for document in DOCUMENTS
    }
    typed: dict[str, Changes] = {
        "TCB Info version as text": {"tcb_info": {"version": "3"}},
        "TCB Info version as 3.0": {"tcb_info": {"version": 3.0}},
        "TCB Info version as true": {"tcb_info": {"version": True}},
    }
    return [
        *cases(73, "dcap-tcb-info-version", infos, ALL),
        *cases(73, "dcap-tcb-info-version", second),
        *cases(73, "dcap-qe-identity-version", identities, ALL),
        *cases(73, "dcap-unknown-member", unknown, ALL),
        *cases(73, "tcb-info-malformed", typed),
        *(
            Case(73, name, f"{_TYPES[document]}-malformed", change)
            for (name, change), document in zip(doubled.items(), DOCUMENTS, strict=True)
        ),
    ]


def _second_level() -> dict[str, Any]:
    """A TCB level as TCB Info of version 2 has it."""
    tcb = {f"sgxtcbcomp{n:02}svn": svn for n, svn in enumerate(simulated_dcap.CPU_SVN, start=1)}
    return level(tcb | {"pcesvn": 13}, tcb_documents.CURRENT_TCB_DATE, "UpToDate")


def _dates() -> list[Case]:
    def at(moment: Any) -> str:
        return str(moment.strftime("%Y-%m-%dT%H:%M:%SZ"))

    found = []
    for document in DOCUMENTS:
        kind = _TYPES[document]
        wrong: dict[str, Changes] = {
            f"{document} of the future": {document: {"issueDate": at(AT + 31 * SECOND)}},
            f"{document} run out": {document: {"nextUpdate": at(AT - SECOND)}},
        }
        edges: dict[str, Changes] = {
            f"{document} within the skew": {document: {"issueDate": at(AT + 30 * SECOND)}},
            f"{document} runs out now": {document: {"nextUpdate": at(AT)}},
        }
        reversed_: dict[str, Changes] = {
            f"{document} ends before it begins": {
                document: {"issueDate": at(NEXT_UPDATE), "nextUpdate": at(ISSUED)}
            },
        }
        forms = {
            "a date without zone": "2026-11-13T10:00:00",
            "a date with an offset": "2026-11-13T10:00:00+00:00",
            "a date that is none": "2026-02-30T10:00:00Z",
            "a date that is a number": 1_795_428_000,
        }
        malformed: dict[str, Changes] = {
            f"{document} with {name}": {document: {"issueDate": value}}
            for name, value in forms.items()
        }
        found += cases(74, f"dcap-{kind}-time", wrong, ALL)
        found += cases(74, ACCEPTED, edges, ALL)
        found += cases(74, "dcap-document-dates", reversed_, ALL)
        found += cases(74, f"{kind}-malformed", malformed)
    return found


def _validity() -> list[Case]:
    """Parts that each are valid with the skew, but never were at one time."""
    late = Validity(AT + 20 * SECOND, NEXT_UPDATE)
    change: Changes = {
        "validity": late,
        "pck_crl": {"next_update": AT + 10 * SECOND},
    }
    return cases(74, "dcap-validity-disjoint", {"never valid together": change}, ALL)


DOCUMENT_CASES: Final = [
    *_served(),
    *_signatures(),
    *_platforms(),
    *_ids(),
    *_versions(),
    *_dates(),
    *_validity(),
]

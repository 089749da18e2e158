"""Cases 54 to 65: certificates and revocation lists."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from enigmacli.simulated_intel import certificates
from enigmacli.simulated_intel.sgx_extension import PlatformClaims, element, integer, member
from tests.negatives.dcap import ACCEPTED, ALL, MAX_AGE_S, Case, Changes, cases
from tests.simulators.dcap_factory import AT
from tests.simulators.dcap_pki_factory import (
    is_sgx_extension,
    serial_of,
)

SECOND: Final = timedelta(seconds=1)
DAY: Final = timedelta(days=1)
_INTEGER: Final = 0x02
_OCTET_STRING: Final = 0x04
_SEQUENCE: Final = 0x30


def under(root: str, **more: Any) -> Changes:
    """The whole PKI under the key ``root``; ``more`` changes the root certificate."""
    return {
        "certificates": {
            "root": {"key": root, "signed_by": root, **more},
            "platform-ca": {"signed_by": root},
            "tcb-signer": {"signed_by": root},
        },
        "root_crl": {"signed_by": root},
    }


def certificate(role: str, **change: Any) -> Changes:
    return {"certificates": {role: change}}


def _roots() -> list[Case]:
    other_name = under("other-root", subject="Another Root CA", issuer="Another Root CA")
    other_name["certificates"]["platform-ca"]["issuer"] = "Another Root CA"
    other_name["certificates"]["tcb-signer"]["issuer"] = "Another Root CA"
    other_name["root_crl"]["issuer"] = "Another Root CA"
    same_key = certificate("root", serial=serial_of("again"))
    found = [Case(54, "another root", "dcap-root", other_name, form, roots_of={}) for form in ALL]
    found.append(
        Case(54, "the root's key in another certificate", "dcap-root", same_key, roots_of={})
    )
    found += [
        Case(
            55, "another root of the same name", "dcap-root", under("other-root"), form, roots_of={}
        )
        for form in ALL
    ]
    unsigned = certificate("platform-ca", signed_by="other-root")
    unsigned["certificates"]["platform-ca"]["authority_key"] = "root"
    found.append(
        Case(55, "a CA that another root of the same name has signed",
             "dcap-certificate-signature", unsigned)
    )  # fmt: skip
    return found


def _issuers() -> list[Case]:
    by_root = {
        "certificates": {"pck": {"issuer": certificates.ROOT, "signed_by": "root"}},
        "pck_chain": ("pck", "root"),
    }
    by_signer = {
        "certificates": {
            "tcb-signer": {"is_ca": True, "usages": certificates.ISSUES},
            "pck": {"issuer": certificates.TCB_SIGNING, "signed_by": "tcb-signer"},
        },
        "pck_chain": ("pck", "tcb-signer", "root"),
    }
    by_other = {
        "certificates": {
            "platform-ca": {"subject": "SIMULATION ONLY SGX PCK Other CA"},
            "pck": {"issuer": "SIMULATION ONLY SGX PCK Other CA"},
        },
        "pck_crl": {"issuer": "SIMULATION ONLY SGX PCK Other CA"},
    }
    twice = by_root | {"pck_chain": ("pck", "root", "root")}
    processor = {
        "certificates": {"pck": {"issuer": certificates.PROCESSOR_CA, "signed_by": "processor-ca"}},
        "pck_chain": ("pck", "processor-ca", "root"),
    }
    processor_crl = {
        "crl_chain": ("processor-ca", "root"),
        "pck_crl": {"issuer": certificates.PROCESSOR_CA, "signed_by": "processor-ca"},
    }
    root_crl = {"pck_crl": {"issuer": certificates.ROOT, "signed_by": "root"}}
    signer_crl = {"pck_crl": {"issuer": certificates.TCB_SIGNING, "signed_by": "tcb-signer"}}
    pck_as_root_crl = {"root_crl": {"issuer": certificates.PLATFORM_CA, "signed_by": "platform-ca"}}
    return [
        *cases(56, "dcap-chain-length", {"PCK issued by the root": by_root}, ALL),
        *cases(56, "dcap-pck-issuer", {"PCK issued by another CA": by_other}),
        *cases(56, "dcap-pck-issuer", {"the root in the place of the CA": twice}),
        *cases(56, "dcap-pck-issuer", {"PCK issued by the TCB signer as a CA": by_signer}),
        *cases(57, ACCEPTED, {"processor CA with its own list": processor | processor_crl}, ALL),
        *cases(57, "dcap-crl-issuer", {"processor CA, platform's list": processor}, ALL),
        *cases(57, "dcap-crl-issuer", {"platform CA, processor's list": processor_crl}, ALL),
        *cases(57, "dcap-crl-issuer", {"the root's list as the PCK's": root_crl}, ALL),
        *cases(57, "dcap-crl-issuer", {"a list of the TCB signer": signer_crl}),
        *cases(57, "dcap-crl-issuer", {"the PCK's list as the root's": pck_as_root_crl}),
    ]


def _revoked() -> list[Case]:
    return [
        *cases(58, "dcap-pck-revoked", {"PCK": {"pck_crl": {"revoked": (serial_of("pck"),)}}}, ALL),
        *cases(
            58,
            "dcap-pck-ca-revoked",
            {"platform CA": {"root_crl": {"revoked": (serial_of("platform-ca"),)}}},
            ALL,
        ),
        *cases(
            58,
            "dcap-tcb-signer-revoked",
            {"TCB signer": {"root_crl": {"revoked": (serial_of("tcb-signer"),)}}},
            ALL,
        ),
        *cases(
            58,
            "dcap-pck-revoked",
            {
                "PCK among others": {
                    "pck_crl": {"revoked": (serial_of("a"), serial_of("pck"), serial_of("b"))}
                }
            },
        ),
        *cases(
            58,
            ACCEPTED,
            {
                "others alone": {"pck_crl": {"revoked": (serial_of("a"), serial_of("b"))}},
                "a PCK's serial in the root's list": {"root_crl": {"revoked": (serial_of("pck"),)}},
            },
        ),
    ]


def _lists() -> list[Case]:
    found = []
    for name in ("root_crl", "pck_crl"):
        times: dict[str, Changes] = {
            f"{name} run out": {name: {"next_update": AT - SECOND}},
            f"{name} runs out now": {name: {"next_update": AT}},
            f"{name} of the future": {name: {"this_update": AT + 31 * SECOND}},
        }
        edges: dict[str, Changes] = {
            f"{name} runs out in a second": {name: {"next_update": AT + SECOND}},
            f"{name} within the skew": {name: {"this_update": AT + 30 * SECOND}},
        }
        bad: dict[str, Changes] = {
            f"{name} signed by another": {
                name: {"signed_by": "other", "authority_key": _signer(name)}
            },
            f"{name} with SHA-384": {name: {"digest": hashes.SHA384()}},
        }
        foreign: dict[str, Changes] = {
            f"{name} names another's key": {name: {"authority_key": "tcb-signer"}}
        }
        member_name = {"root_crl": "root_ca_crl"}.get(name, name)
        malformed: dict[str, Changes] = {
            f"{name} of no certificate authority": {"collateral": {member_name: "3000"}},
            f"{name} of one zero byte": {"collateral": {member_name: "00"}},
        }
        found += cases(59, "dcap-crl-time", times, ALL)
        found += cases(59, ACCEPTED, edges, ALL)
        found += cases(59, "dcap-crl-signature", bad)
        found += cases(59, "dcap-crl-authority-key", foreign)
        found += cases(59, "dcap-crl-malformed", malformed)
        empty = {f"{name} empty": {"collateral": {member_name: ""}}}
        found += cases(59, "collateral-malformed", empty, ALL)
    return found


def _signer(name: str) -> str:
    return "root" if name == "root_crl" else "platform-ca"


def _rolled_back() -> list[Case]:
    """A judgement remembers nothing; what bounds a rollback is the age of the oldest part."""
    old = AT - timedelta(seconds=MAX_AGE_S)
    aged: Changes = {"pck_crl": {"number": 1, "this_update": old - SECOND}}
    young: Changes = {"pck_crl": {"number": 0, "this_update": old}}
    documents: Changes = {"tcb_info": {"issueDate": (old - SECOND).strftime("%Y-%m-%dT%H:%M:%SZ")}}
    return [
        *cases(60, "evidence-too-old", {"a list older than the policy allows": aged}, ALL),
        *cases(60, ACCEPTED, {"a lower number within that age": young}),
        *cases(84, "evidence-too-old", {"TCB Info older than the policy allows": documents}, ALL),
        *cases(
            84,
            "evidence-too-old",
            {
                "QE Identity older than the policy allows": {
                    "qe_identity": {"issueDate": (old - SECOND).strftime("%Y-%m-%dT%H:%M:%SZ")}
                }
            },
            ALL,
        ),
    ]


def _times() -> list[Case]:
    found = []
    for role in ("pck", "platform-ca", "tcb-signer", "root"):
        wrong: dict[str, Changes] = {
            f"{role} has run out": certificate(role, not_after=AT - SECOND),
            f"{role} is not yet valid": certificate(role, not_before=AT + 31 * SECOND),
        }
        edges: dict[str, Changes] = {
            f"{role} runs out now": certificate(role, not_after=AT),
            f"{role} within the skew": certificate(role, not_before=AT + 30 * SECOND),
        }
        found += cases(61, "dcap-certificate-time", wrong, ALL)
        found += cases(61, ACCEPTED, edges)
    return found


def _claims(**claims: Any) -> Changes:
    return certificate("pck", claims=claims)


def _extension(value: bytes) -> Changes:
    return certificate("pck", sgx_extension=value)


def _members(*changed: bytes, skip: int) -> bytes:
    """The extension with member ``skip`` (counted from 0) replaced by ``changed``."""
    listed = list(PlatformClaims().members())
    return element(_SEQUENCE, *listed[:skip], *changed, *listed[skip + 1 :])


def _tcb(*svns: bytes) -> bytes:
    claims = PlatformClaims()
    listed = [member((2, number), svn) for number, svn in enumerate(svns, start=1)]
    listed.append(member((2, 17), integer(claims.pce_svn)))
    listed.append(member((2, 18), element(_OCTET_STRING, claims.cpu_svn)))
    return member((2,), element(_SEQUENCE, *listed))


def _doubled(extensions: list[bytes]) -> list[bytes]:
    return [*extensions, *filter(is_sgx_extension, extensions)]


def _sgx_extensions() -> list[Case]:
    good = PlatformClaims()
    svns = [integer(svn) for svn in good.components]
    whole = good.encode()
    malformed: dict[str, Changes] = {
        "missing": {"certificates": {"pck": {"claims": None}}},
        "empty": _extension(b""),
        "an empty sequence": _extension(element(_SEQUENCE)),
        "a byte behind": _extension(whole + b"\0"),
        "cut": _extension(whole[:-1]),
        "no PPID": _extension(_members(skip=0)),
        "no TCB": _extension(_members(skip=1)),
        "TCB twice": _extension(_members(_tcb(*svns), _tcb(*svns), skip=1)),
        "15 components": _extension(_members(_tcb(*svns[:15]), skip=1)),
        "17 components": _extension(_members(_tcb(*svns, svns[-1]), skip=1)),
        "no component": _extension(_members(_tcb(), skip=1)),
        "a negative component": _extension(_members(_tcb(integer(-1), *svns[1:]), skip=1)),
        "a component of 256": _extension(_members(_tcb(integer(256), *svns[1:]), skip=1)),
        "a component of two bytes": _extension(
            _members(_tcb(element(_INTEGER, b"\0\7"), *svns[1:]), skip=1)
        ),
        "a negative PCE SVN": _claims(pce_svn=-1),
        "a PCE SVN of 65536": _claims(pce_svn=65536),
        "an FMSPC of 5 bytes": _claims(fmspc=bytes(5)),
        "an FMSPC of 7 bytes": _claims(fmspc=bytes(7)),
        "a PCE-ID of 1 byte": _claims(pce_id=bytes(1)),
        "a CPUSVN of 15 bytes": _claims(cpu_svn=good.cpu_svn[:15]),
        "a PPID of 15 bytes": _claims(ppid=bytes(15)),
        "an unknown SGX type": _claims(sgx_type=9),
    }
    twice = {"twice": certificate("pck", extensions=_doubled)}
    other = replace(good, components=(8, *good.components[1:]))
    differing = {
        "components are not CPUSVN": _extension(other.encode()),
        "CPUSVN is not the components": _claims(cpu_svn=b"\x08" + good.cpu_svn[1:]),
    }
    return [
        *cases(62, "dcap-sgx-extension", malformed),
        *cases(62, "dcap-certificate-malformed", twice),
        *cases(62, "dcap-cpu-svn", differing),
    ]


def _algorithms() -> list[Case]:
    curves = {
        f"{role} has a key on P-384": certificate(role, curve=ec.SECP384R1())
        for role in ("pck", "platform-ca", "tcb-signer")
    }
    digests = {
        f"{role} is signed with SHA-384": certificate(role, digest=hashes.SHA384())
        for role in ("pck", "platform-ca", "tcb-signer")
    }
    return [
        *cases(63, "dcap-certificate-key", curves),
        *cases(63, "dcap-certificate-algorithm", digests),
    ]


def _chains() -> list[Case]:
    long: dict[str, Changes] = {
        "the CA twice": {"pck_chain": ("pck", "platform-ca", "platform-ca", "root")},
        "both CAs": {"pck_chain": ("pck", "platform-ca", "processor-ca", "root")},
        "the leaf twice": {"pck_chain": ("pck", "pck", "platform-ca", "root")},
        "a loop": {"pck_chain": ("pck", "platform-ca", "root", "platform-ca", "root")},
        "no root": {"pck_chain": ("pck", "platform-ca")},
        "the leaf alone": {"pck_chain": ("pck",)},
        "TCB signer's chain with the CA": {"tcb_chain": ("tcb-signer", "platform-ca", "root")},
        "TCB signer's chain without root": {"tcb_chain": ("tcb-signer",)},
        "QE Identity's chain without root": {"qe_chain": ("tcb-signer",)},
        "CRL chain without root": {"crl_chain": ("platform-ca",)},
    }
    ordered: dict[str, Changes] = {
        "root first": {"pck_chain": ("root", "platform-ca", "pck")},
        "CA last": {"pck_chain": ("pck", "root", "platform-ca")},
        "TCB signer's chain reversed": {"tcb_chain": ("root", "tcb-signer")},
    }
    eight = {"nine certificates": {"pck_chain": ("pck", *("platform-ca",) * 7, "root")}}
    return [
        *cases(64, "dcap-chain-length", long),
        *cases(64, "dcap-root", ordered),
        *cases(64, "dcap-certificate-malformed", eight),
        *cases(64, "dcap-certificate-issuer", {
            "the leaf in the place of the CA": {"pck_chain": ("pck", "pck", "root")},
        }),
    ]  # fmt: skip


def _constraints() -> list[Case]:
    leaves = {f"{role} is a CA": certificate(role, is_ca=True) for role in ("pck", "tcb-signer")}
    no_ca = {"platform CA is none": certificate("platform-ca", is_ca=False, path_length=None)}
    usages = {
        "PCK may issue": certificate("pck", usages=certificates.ISSUES | certificates.SIGNS),
        "TCB signer may issue": certificate("tcb-signer", usages=certificates.ISSUES),
        "platform CA may not issue": certificate("platform-ca", usages=certificates.SIGNS),
    }
    return [
        *cases(65, "dcap-certificate-ca", leaves | no_ca),
        *cases(
            65, "dcap-path-length", {"root of path length 0": certificate("root", path_length=0)}
        ),
        *cases(65, "dcap-certificate-key-usage", usages),
    ]


PKI_CASES: Final = [
    *_roots(),
    *_issuers(),
    *_revoked(),
    *_lists(),
    *_rolled_back(),
    *_times(),
    *_sgx_extensions(),
    *_algorithms(),
    *_chains(),
    *_constraints(),
]

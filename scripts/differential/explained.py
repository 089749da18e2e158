# ruff: noqa: INP001 -- a part of a program, in no package
"""Why the verdicts may differ: each reason, and the differences that it covers.

Theirs is ``@phala/dcap-qvl`` 0.3.9; what is said about it was read in its source and is shown
by the cases. A difference that no reason covers fails the run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from scripts.differential.verdicts import Case, Verdict

Covers = Callable[[Case, Verdict, Verdict], bool]


@dataclass(frozen=True)
class Reason:
    """One reason why the verdicts differ."""

    text: str
    covers: Covers


def _refused_by(*codes: str) -> Covers:
    """Ours refuses with one of these codes, theirs accepts."""
    return lambda _, mine, theirs: theirs.accepted and mine.reason in codes


def _module_matching(_: Case, mine: Verdict, theirs: Verdict) -> bool:
    return mine.accepted and theirs.reason == "No matching TCB level found"


def _chain_override(case: Case, mine: Verdict, theirs: Verdict) -> bool:
    return mine.accepted and not theirs.accepted and "pck_certificate_chain" in case.collateral


def _foreign_serial(_: Case, mine: Verdict, theirs: Verdict) -> bool:
    return mine.accepted and theirs.reason == "Certificate is revoked"


REASONS: Final = (
    Reason(
        "A revocation list must be signed by the CA whose certificates it covers, complete,"
        " and in force. Theirs only looks for serial numbers in whatever parses as a list;"
        " it verifies no signature, issuer or date, and passes over what does not parse.",
        _refused_by(
            "dcap-crl-malformed",
            "dcap-crl-issuer",
            "dcap-crl-authority-key",
            "dcap-crl-signature",
            "dcap-crl-time",
        ),
    ),
    Reason(
        "A chain has one certificate for each role, in order, ends in the trusted root, and"
        " holds nothing else. Theirs never looks at the chain of the PCK's revocation list,"
        " passes over text between certificates, and takes more certificates than it needs.",
        _refused_by(
            "dcap-chain-length",
            "dcap-certificate-malformed",
            "dcap-root",
            "dcap-certificate-ca",
            "dcap-certificate-issuer",
        ),
    ),
    Reason(
        "A quote has exactly the length that it says. Theirs ignores what stands behind.",
        _refused_by("quote-length"),
    ),
    Reason(
        "The collateral's form is strict: lists in hexadecimal and not empty, no unknown"
        " member. Theirs reads what it can of hexadecimal, and does without a list.",
        _refused_by("collateral-malformed"),
    ),
    Reason(
        "TCB Info and QE Identity have exactly the members of Intel's API version 4, each of"
        " its JSON type, once, with dates in UTC. Theirs reads the members it needs, and dates"
        " as JavaScript does.",
        _refused_by("tcb-info-malformed", "qe-identity-malformed", "dcap-unknown-member"),
    ),
    Reason(
        "TCB levels fall from the highest to the lowest and each has 16 components of a byte,"
        " or the first that fits need not be the best. Theirs takes them as they come.",
        _refused_by("dcap-tcb-level-order", "dcap-tcb-components"),
    ),
    Reason(
        "TCB Info is of version 3 and tcbType 0. Theirs takes version 2 for SGX and any later"
        " one, and does not look at tcbType.",
        _refused_by("dcap-tcb-info-version", "dcap-tcb-type"),
    ),
    Reason(
        "TCB Info is about the PCE-ID of the PCK, and of the same evaluation data set as QE"
        " Identity. Theirs compares the FMSPC alone.",
        _refused_by("dcap-pce-id", "dcap-evaluation-numbers"),
    ),
    Reason(
        "Documents are signed by the TCB signing certificate, told by its name and by having"
        " no SGX extension. Theirs takes any leaf under the root.",
        _refused_by("dcap-tcb-signer-role", "dcap-tcb-signer-sgx-extension"),
    ),
    Reason(
        "The PCK was issued by the Platform or Processor CA; chains keep path lengths, key"
        " usages and ECDSA with SHA-256. Theirs checks signatures, dates and that the leaf is"
        " no CA.",
        _refused_by(
            "dcap-pck-issuer",
            "dcap-path-length",
            "dcap-certificate-key-usage",
            "dcap-certificate-algorithm",
        ),
    ),
    Reason(
        "The PCK's SGX extension is strict DER with every pair of Intel's profile once, and"
        " its CPUSVN repeats the components. Theirs picks out the pairs it needs.",
        _refused_by("dcap-sgx-extension", "dcap-cpu-svn"),
    ),
    Reason(
        "The header's vendor is Intel's, certification data are of the types of the format, a"
        " version 5 body header states its size, and the tail of the quoting enclave's"
        " report_data is zero. Theirs does not look.",
        _refused_by(
            "dcap-qe-vendor",
            "quote-certification-data",
            "quote-version",
            "quote-auth-data",
            "dcap-qe-report-data-tail",
        ),
    ),
    Reason(
        "r and s of a signature are from 1 to n - 1, checked before anything is computed."
        " Theirs leaves that to its library.",
        _refused_by("dcap-signature-range"),
    ),
    Reason(
        "An enclave is initialised, 64-bit, without provisioning or launch key, without"
        " reserved bits, unknown XFRM or configuration by its host; a TDX module is Intel's"
        " production one. Theirs refuses DEBUG, some reserved TD bits and a bound service TD.",
        _refused_by(
            "enclave-not-initialised",
            "enclave-not-64-bit",
            "provision-key-allowed",
            "launch-key-allowed",
            "reserved-bits-set",
            "xfrm-not-allowed",
            "kss-config-not-allowed",
            "td-profiling",
            "td-migratable",
            "td-service-extension",
            "tdx-module-signer",
            "tdx-module-attributes",
        ),
    ),
    Reason(
        "A TDX module from version 1 on has TCB levels of its own in tdxModuleIdentities; its"
        " two bytes of tee_tcb_svn are not compared with the platform's level (Intel TDX PCS"
        " API 4). Theirs compares all 16 bytes, so it finds no level. dcap-qvl 0.7.0 and the"
        " corpus say as ours.",
        _module_matching,
    ),
    Reason(
        "The quote's own chain is judged. Theirs takes another one from the collateral's JSON"
        " where there is one; ours ignores that member, off chain, and has none on chain.",
        _chain_override,
    ),
    Reason(
        "A list revokes certificates of its own issuer (RFC 5280 section 5). Theirs looks a"
        " serial number up in both lists, whoever issued the certificate.",
        _foreign_serial,
    ),
)


def explain(case: Case, mine: Verdict, theirs: Verdict) -> str:
    """The reason for this difference; empty where none is known."""
    return next((one.text for one in REASONS if one.covers(case, mine, theirs)), "")

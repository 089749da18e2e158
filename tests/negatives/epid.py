"""EPID evidence of one newcomer, good but for what a case changes, and what becomes of it.

Every default is acceptable: a case changes one thing, and the code that it gets is the code
of that thing.
"""

import base64
from typing import Any, Final

from enclave.appraise.policy import Policy
from enclave.appraise.registration import judge_registration
from enclave.binding import registration_report_data
from enclave.checks import Check
from enclave.errors import EnclaveError
from enclave.evidence.ias_report import SignedReport
from enclave.verify.ias import verify_report
from enclave.verify.roots import TrustRoots
from enigmacli.evidence_check import verify_evidence
from tests import corpus
from tests.enclave import simulated_pki as pki

ACCEPTED: Final = "ok"

NETWORK: Final = b"n" * 32
OWNER: Final = bytes(range(20))
NODE_ID: Final = b"\x09" + bytes(31)
REPORT_DATA: Final = registration_report_data(NODE_ID, NETWORK, OWNER)

PLATFORM_INFO: Final = "15020065" + "04" * 101
ADVISORY: Final = "INTEL-SA-00334"
"""One that the policy accepts."""


def report(body: bytes | None = None, **changes: Any) -> bytes:
    """A report about a quote that binds the newcomer; ``...`` leaves a member out."""
    return pki.report(quote() if body is None else body, **changes)


def quote(report_data: bytes = REPORT_DATA, **changes: Any) -> bytes:
    """432 bytes; members of the enclave's identity may be changed."""
    return pki.quote_body(report_data, **changes)


def linkable(body: bytes) -> bytes:
    """The same quote body with a linkable signature behind it."""
    return body[:2] + b"\x01\x00" + body[4:]


def signed(data: bytes | None = None) -> SignedReport:
    return pki.signed(report() if data is None else data)


def judged(
    evidence: SignedReport | bytes | None = None,
    policy: Policy | None = None,
    *,
    owner: bytes = OWNER,
    network: bytes = NETWORK,
    at_us: int = pki.AT_US,
) -> str:
    """What a validator's enclave says: ``ok``, or the code of its refusal.

    Args:
        evidence: the certificate field, or a report to put into it.
        policy: the network's; the default names the simulated root.
        owner: the sender.
        network: its id.
        at_us: the time of the block.
    """
    certificate = evidence if isinstance(evidence, bytes) else pki.on_chain(evidence or signed())
    try:
        judge_registration(certificate, owner, policy or pki.policy(), network, at_us)
    except EnclaveError as error:
        return error.code
    return ACCEPTED


def judged_report(body: bytes | None = None, **changes: Any) -> str:
    """As :func:`judged`, for a signed report with these members."""
    return judged(signed(report(body, **changes)))


def failed_rule(evidence: SignedReport, roots: TrustRoots | None = None) -> str:
    """The name of the rule at which verification stops, ``ok`` where it does not."""
    checks: list[Check] = []
    try:
        verify_report(evidence, roots or pki.roots(), checks)
    except EnclaveError:
        return checks[-1].id
    return ACCEPTED


def verdict(data: bytes, policy: Policy | None = None, *, at_us: int = pki.AT_US) -> dict[str, Any]:
    """The document of ``attest verify``; without a policy, by the strict production policy."""
    return verify_evidence(data, at_us=at_us, policy=policy).document


def failed_rules(document: dict[str, Any]) -> list[str]:
    """The rules of a verdict that did not hold."""
    return [check["id"] for check in document["checks"] if not check["ok"]]


def intel_policy(**changes: Any) -> Policy:
    """The same policy on a network that believes Intel."""
    return pki.policy(trust_roots=["intel"], simulation=False, **changes)


def genuine(case: str) -> SignedReport:
    """The report of a case of the corpus (``ias/<case>.json``)."""
    found = corpus.load(f"ias/{case}.json")
    keys = ("report_b64", "signature_b64", "signing_cert_b64")
    report_body, signature, leaf = (base64.b64decode(found[key] or "") for key in keys)
    return SignedReport(report_body, signature, leaf)


def peer_file(name: str) -> bytes:
    """A registration fixture of the deployed peer."""
    return (corpus.corpus_dir() / "secretnetwork" / name).read_bytes()

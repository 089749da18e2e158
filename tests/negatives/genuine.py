"""Genuine quotes of the corpus, under a policy that asks for their measurement no questions."""

import base64
import json
from dataclasses import replace
from typing import Any

from enclave.appraise.policy import STRICT_PRODUCTION
from enclave.appraise.rules import appraise_dcap
from enclave.appraise.scope import AppraisalScope
from enclave.checks import Check
from enclave.errors import EnclaveError
from enclave.evidence.collateral import Collateral
from enclave.evidence.containers import QuoteWithCollateral
from enclave.times import parse_rfc3339
from enclave.verify.dcap import verify_quote
from enclave.verify.roots import TrustRoots
from tests import corpus

_SCOPE = AppraisalScope(measurement=False, advisories=True, age=False)


def verdict(case: str, **policy: Any) -> str:
    """``ok``, or the code of the refusal of ``dcap/<case>.json``, advisories included.

    Args:
        case: of the corpus.
        policy: changes to the strict production policy.
    """
    known = corpus.load(f"dcap/{case}.json")
    collateral = Collateral.parse_json(json.dumps(known["collateral"]).encode())
    evidence = QuoteWithCollateral(base64.b64decode(known["quote_b64"]), collateral.encode_intel())
    at_us = parse_rfc3339(known["verify_at"])
    rules = replace(STRICT_PRODUCTION, **policy)
    checks: list[Check] = []
    try:
        verified = verify_quote(
            evidence, TrustRoots.of_intel(), checks, at_us=at_us, max_clock_skew_s=0
        )
        appraise_dcap(verified, rules, at_us, checks, _SCOPE)
    except EnclaveError as error:
        return error.code
    return "ok"

"""Judge every case there is and print a digest of each: the program of the test beside this.

``python judge_everything.py [--no-clock]``. With ``--no-clock`` every way to ask for the time
that Python code has raises while evidence is judged.
"""

import base64
import contextlib
import datetime as dt
import hashlib
import json
import sys
import time
from collections.abc import Iterator
from typing import Any, Final, NoReturn, Self

from enclave.appraise.policy import STRICT_PRODUCTION, TCB_STATUSES, Policy
from enclave.appraise.registration import judge_registration
from enclave.errors import EnclaveError
from enclave.evidence.collateral import Collateral
from enclave.times import parse_rfc3339
from enigmacli.evidence_check import parse_evidence, verify_evidence
from tests import corpus
from tests.negatives import dcap
from tests.negatives.dcap_tcb_cases import TCB_CASES
from tests.simulators.dcap_factory import tagged

CLOCKS: Final = ("time", "time_ns", "monotonic", "perf_counter", "localtime", "gmtime", "strftime")


def main() -> None:
    """One line a case."""
    documents = list(_cases())
    simulated = list(_simulated())
    if "--no-clock" in sys.argv:
        take_the_clock_away()
    for name, data, collateral, at_us, chain_at_us in documents:
        text = "\n".join(_outcomes(data, collateral, at_us, chain_at_us))
        sys.stdout.write(f"{name} {hashlib.sha256(text.encode()).hexdigest()}\n")
    for name, container, policy, at_us in simulated:
        sys.stdout.write(f"{name}: {dcap.judged(container, policy, at_us)}\n")


def _cases() -> Iterator[tuple[str, bytes, bytes | None, int, int | None]]:
    for name in (*corpus.names("ias"), *corpus.names("dcap")):
        known = corpus.load(name)
        at_us = parse_rfc3339(known["verify_at"])
        if known["kind"] == "dcap":
            collateral = json.dumps(known["collateral"]).encode()
            yield name, base64.b64decode(known["quote_b64"]), collateral, at_us, None
        else:
            chain_at_us = at_us if "__chain_time_" in name else None
            yield name, _report_file(known), None, at_us, chain_at_us
    for path in sorted((corpus.corpus_dir() / "secretnetwork").iterdir()):
        yield path.name, path.read_bytes(), None, parse_rfc3339("2025-06-11T00:00:00Z"), None


def _simulated() -> Iterator[tuple[str, bytes, Policy, int]]:
    """A sample of the numbered cases, as they would come in transactions."""
    for case in TCB_CASES[::6]:
        made = case.made()
        with contextlib.suppress(EnclaveError):  # what cannot be serialised is no transaction
            container = case.container(made)
            yield f"{case.number} {case.title}", container, case.network_policy(made), case.at_us


def _report_file(known: dict[str, Any]) -> bytes:
    if known.get("container_b64"):
        return base64.b64decode(known["container_b64"])
    names = {
        "report": "report_b64",
        "signature": "signature_b64",
        "signing_cert": "signing_cert_b64",
    }
    return json.dumps({name: known[member] for name, member in names.items()}).encode()


def _outcomes(
    data: bytes, collateral: bytes | None, at_us: int, chain_at_us: int | None
) -> Iterator[str]:
    """Everything that is said about one file: off chain, on chain, and without trust."""
    verdict = verify_evidence(data, at_us=at_us, chain_at_us=chain_at_us, collateral=collateral)
    yield json.dumps(verdict.document)
    try:
        yield json.dumps(parse_evidence(data), default=repr)
    except EnclaveError as error:
        yield f"{error.code}: {error}"
    try:
        yield repr(
            judge_registration(_container(data, collateral), bytes(20), LENIENT, bytes(32), at_us)
        )
    except EnclaveError as error:
        yield f"{error.code}: {error}"


def _container(data: bytes, collateral: bytes | None) -> bytes:
    """As a transaction would carry it."""
    if collateral is None:
        return data
    return tagged((2, data), (3, Collateral.parse_json(collateral).encode_intel()))


def _lenient() -> Policy:
    """Intel's roots, every status: so that judgement goes as far as it can."""
    value = STRICT_PRODUCTION.to_value() | {
        "epid_quote_statuses": sorted(("OK", "GROUP_OUT_OF_DATE", "CONFIGURATION_NEEDED",
                                       "CONFIGURATION_AND_SW_HARDENING_NEEDED",
                                       "SW_HARDENING_NEEDED")),
        "platform_tcb_statuses": sorted(TCB_STATUSES),
        "qe_tcb_statuses": sorted(TCB_STATUSES),
        "measurements": [dcap.sgx_measurement()],
    }  # fmt: skip
    return Policy.from_value(value)


LENIENT: Final = _lenient()


def take_the_clock_away() -> None:
    """Let every question for the time fail from here on."""

    def refuse(*_: object) -> NoReturn:
        raise AssertionError("the judgement asked for the time")

    for name in CLOCKS:
        setattr(time, name, refuse)

    class Timeless(dt.datetime):
        @classmethod
        def now(cls, _: object = None) -> Self:
            return refuse()

        @classmethod
        def utcnow(cls) -> Self:
            return refuse()

        @classmethod
        def today(cls) -> Self:
            return refuse()

    for module in list(sys.modules.values()):
        if getattr(module, "datetime", None) is dt.datetime:
            module.datetime = Timeless  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()

"""The evidence in this home, judged now and by this home's policy."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from enclave.appraise.policy import Policy
from enclave.errors import EnclaveError
from enclave.verify.roots import TrustRoots
from enigmacli import home as homes
from enigmacli.app.genesis import GenesisDocument
from enigmacli.attestation.pcs_cache import PcsCache
from enigmacli.doctor.facts import Dated, EvidenceFile
from enigmacli.doctor.subject import Subject
from enigmacli.errors import EnigmaError
from enigmacli.evidence_check import verify_evidence
from enigmacli.evidence_expiry import Entry, calendar_of
from enigmacli.home import Home

_MAX_BYTES: Final = 1024 * 1024


def probe(subject: Subject) -> tuple[EvidenceFile, ...]:
    """Each file of evidence that there is."""
    home = Home(subject.home)
    policy = _policy(home)
    roots = TrustRoots.of(policy) if policy else TrustRoots.of_intel()
    numbers = dict(_cached_numbers(home))
    now_us = subject.now_us()
    return tuple(
        _examined(path, now_us, policy, roots, numbers)
        for path in subject.evidence
        if path.is_file()
    )


def _policy(home: Home) -> Policy | None:
    try:
        return GenesisDocument.parse(home.read_genesis()).app_state.policy
    except EnigmaError:
        return None


def _examined(
    path: Path, now_us: int, policy: Policy | None, roots: TrustRoots, numbers: dict[str, int]
) -> EvidenceFile:
    try:
        data = homes.read(path, _MAX_BYTES)
        entries = calendar_of(data, roots, policy.max_evidence_age_s if policy else None).entries
    except (EnigmaError, EnclaveError) as error:
        return EvidenceFile(path.name, str(error))
    verdict = verify_evidence(data, at_us=now_us, policy=policy, roots=roots).document
    claims: dict[str, Any] = verdict.get("claims", {})
    fmspc = str(claims.get("fmspc") or "")
    return EvidenceFile(
        path.name,
        fault="",
        kind=str(verdict["kind"]),
        verdict=str(verdict["verdict"]),
        code=str(verdict["code"]),
        reason=str(verdict["reason"]),
        status=str(claims.get("status") or ""),
        fmspc=fmspc,
        evaluation_number=claims.get("tcb_evaluation_data_number"),
        newest_number=numbers.get(fmspc.lower()) if fmspc else None,
        ends=tuple(_ends(entries)),
    )


def _ends(entries: tuple[Entry, ...]) -> Iterator[Dated]:
    for entry in entries:
        if entry.ends_evidence and entry.end_us is not None:
            yield Dated(entry.name, entry.end_us)


def _cached_numbers(home: Home) -> Iterator[tuple[str, int]]:
    """The highest evaluation number of each FMSPC among cached documents, none verified."""
    highest: dict[str, int] = {}
    for kept in PcsCache(home.pcs_cache_dir).everything():
        try:
            info = json.loads(kept.answer.body)["tcbInfo"]
            fmspc, number = str(info["fmspc"]).lower(), info["tcbEvaluationDataNumber"]
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        if type(number) is int:
            highest[fmspc] = max(number, highest.get(fmspc, 0))
    yield from highest.items()

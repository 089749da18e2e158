"""The collateral of one quote, complete and of one set, from the first server that has it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from enclave.evidence.collateral import TEE_SGX, TEE_TDX, Collateral
from enigmacli.attestation import pcs_request
from enigmacli.attestation.pcs import Source
from enigmacli.attestation.pcs_answer import PcsAnswer, evaluation_number, served_numbers
from enigmacli.attestation.pcs_request import Edition, PckCa, Tee
from enigmacli.errors import (
    EnigmaError,
    EvaluationNumberGoneError,
    MalformedError,
    ServiceRefusedError,
    ServiceUnavailableError,
    UntrustedAnswerError,
)

S = TypeVar("S", bound=Source)
T = TypeVar("T")

_TEE_TYPES: Final = {"sgx": TEE_SGX, "tdx": TEE_TDX}
_FAILURES: Final = (
    ServiceUnavailableError,
    ServiceRefusedError,
    MalformedError,
    UntrustedAnswerError,
)


@dataclass(frozen=True, slots=True)
class Platform:
    """What decides which collateral a quote needs."""

    tee: Tee
    fmspc: bytes
    """6 bytes."""
    ca: PckCa
    """Which of Intel's CAs issued its PCK certificate."""


def fetch_collateral(
    sources: Sequence[Source],
    platform: Platform,
    edition: Edition,
    notice: Callable[[str], None],
) -> Collateral:
    """Ask one server after the other for the whole set; documents of two are never mixed.

    Args:
        sources: in the order of preference, at least one.
        platform: whose collateral.
        edition: of TCB Info and QE Identity.
        notice: told when a server failed and the next one is asked.

    Raises:
        ServiceUnavailableError: none has it, and at least one may have it later.
        ServiceRefusedError: the first one has it not; the class tells the causes apart.
        MalformedError: the first one answered nonsense.
        UntrustedAnswerError: the first one gave other documents than asked for.
    """
    return ask_in_order(
        sources,
        lambda source: _collect(source, platform, edition),
        f"collateral of FMSPC {platform.fmspc.hex().upper()}",
        notice,
    )


def ask_in_order(
    sources: Sequence[S], ask: Callable[[S], T], what: str, notice: Callable[[str], None]
) -> T:
    """The answer of the first source that gives one.

    Args:
        sources: in the order of preference, at least one.
        ask: asks one of them.
        what: is asked for, for messages.
        notice: told when a source failed and the next one is asked.

    Raises:
        EnigmaError: none gave one; as in :func:`fetch_collateral`.
    """
    failures: list[tuple[Source, EnigmaError]] = []
    for source in sources:
        try:
            return ask(source)
        except _FAILURES as error:
            failures.append((source, error))
            if len(failures) < len(sources):
                notice(f"{error.message}; the next server is asked")
    raise _summary(failures, what)


def _collect(source: Source, platform: Platform, edition: Edition) -> Collateral:
    tcb_info, qe_identity = _one_set(source, platform, edition)
    pck_crl = source.get(pcs_request.pck_crl(platform.ca))
    root_ca_crl = source.get(pcs_request.root_ca_crl())
    return Collateral(
        pck_crl_issuer_chain=pck_crl.chain_pem,
        root_ca_crl=root_ca_crl.body,
        pck_crl=pck_crl.body,
        tcb_info_issuer_chain=tcb_info.chain_pem,
        tcb_info=tcb_info.body,
        qe_identity_issuer_chain=qe_identity.chain_pem,
        qe_identity=qe_identity.body,
        tee_type=_TEE_TYPES[platform.tee],
    )


def _one_set(
    source: Source, platform: Platform, edition: Edition
) -> tuple[PcsAnswer, PcsAnswer]:  # fmt: skip
    """TCB Info and QE Identity of one TCB evaluation number.

    Around a TCB recovery, or with one of the two out of a cache, the current ones may differ;
    then both are asked for by the lower number.
    """
    try:
        numbers, documents = _pair(source, platform, edition)
    except EvaluationNumberGoneError as error:
        raise _with_served(source, platform.tee, error) from error
    if numbers[0] != numbers[1] and not edition.number:
        numbers, documents = _pair(source, platform, Edition(number=min(numbers)))
    if numbers[0] != numbers[1]:
        raise UntrustedAnswerError(
            f"TCB Info and QE Identity from {source.name} are not of one set",
            hint="try again later, or name another server with --url",
            details={"expected": numbers[0], "seen": numbers[1]},
        )
    return documents


def _pair(
    source: Source, platform: Platform, edition: Edition
) -> tuple[tuple[int, int], tuple[PcsAnswer, PcsAnswer]]:
    info_request = pcs_request.tcb_info(platform.tee, platform.fmspc, edition)
    identity_request = pcs_request.qe_identity(platform.tee, edition)
    info, identity = source.get(info_request), source.get(identity_request)
    numbers = (
        evaluation_number(info_request, info),
        evaluation_number(identity_request, identity),
    )
    return numbers, (info, identity)


def _with_served(
    source: Source, tee: Tee, error: EvaluationNumberGoneError
) -> EvaluationNumberGoneError:
    """The refusal of a number, with those that the server has, where it tells them."""
    request = pcs_request.evaluation_numbers(tee)
    try:
        served = served_numbers(request, source.get(request))
    except EnigmaError:
        return error
    return EvaluationNumberGoneError(
        f"{error.message}; it has {', '.join(map(str, served))}",
        hint=error.hint,
        details={**error.details, "served": list(served)},
    )


def _summary(failures: Sequence[tuple[Source, EnigmaError]], what: str) -> EnigmaError:
    """The one failure; of several the one that may pass, else that of the first server."""
    first = next(
        (error for _, error in failures if isinstance(error, ServiceUnavailableError)),
        failures[0][1],
    )
    if len(failures) == 1:
        return first
    return type(first)(
        f"no server gave the {what}: " + "; ".join(error.message for _, error in failures),
        hint=first.hint,
        details={
            **first.details,
            "servers": [
                {"server": source.name, "code": error.code, "message": error.message}
                for source, error in failures
            ],
        },
    )

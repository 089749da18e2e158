"""The verification library dcap-qvl 0.7.0, which has the last word on what passed our checks.

It is imported when the first quote is judged: its import costs 65 ms. It knows one time only,
answers in texts without codes, and has no switch for what it refuses by its own policy; so its
texts go nowhere, and :func:`refuses_by_policy` names those refusals beforehand.
"""

from functools import lru_cache
from typing import Any, Final, NamedTuple

from enclave.evidence.collateral import QE_IDENTITY, TCB_INFO, Collateral, split_signed
from enclave.evidence.sgx_report import SgxReport
from enclave.evidence.tdx_quote import TdReport, TdxModule
from enclave.times import US_PER_S
from enclave.verify.dcap_levels import REVOKED, TcbVerdict

_REMEMBERED: Final = 32
_PANIC: Final = "PanicException"
"""What PyO3 makes of a panic in Rust; it derives from BaseException and has no public name."""


def _bits(*ranges: tuple[int, int]) -> int:
    return sum(1 << bit for first, last in ranges for bit in range(first, last + 1))


# TD_ATTRIBUTES (Intel TDX Module ABI Specification 348551-008US, table 3.23): bits that dcap-qvl
# wants clear: DEBUG, the profiling bits, reserved bits, SERVTD_EXT (17) and MIGRATABLE (29).
_TD_CLEAR: Final = _bits((0, 15), (17, 17), (23, 26), (29, 29), (32, 61))
_TD_SEPT_VE_DISABLE: Final = 1 << 28


class EngineAnswer(NamedTuple):
    """What the library found."""

    status: str
    """Merged TCB status, in Intel's spelling."""
    advisory_ids: tuple[str, ...]
    """Sorted."""


def load_engine() -> None:
    """Import the library now, rather than when it is first asked."""
    import dcap_qvl  # type: ignore[import-untyped]  # noqa: F401, PLC0415 -- as this text says


def ask_engine(
    quote: bytes, collateral: Collateral, root_der: bytes, now_s: int
) -> EngineAnswer | None:
    """Let the library judge a quote; None where it refuses, for whatever reason.

    Args:
        quote: of canonical length.
        collateral: as judged.
        root_der: the root that the chains end in.
        now_s: seconds since the Unix epoch, not before any start date of the evidence.
    """
    from dcap_qvl import verify_with_root_ca  # noqa: PLC0415 -- see this module's text

    try:
        report = verify_with_root_ca(quote, _converted(collateral), root_der, now_s)
    except (ValueError, TypeError, OverflowError):
        return None
    except BaseException as error:
        if type(error).__name__ != _PANIC:
            raise
        return None
    return EngineAnswer(report.status, tuple(sorted(report.advisory_ids)))


def engine_time_s(at_us: int, newest_start_us: int) -> int:
    """The library's one time: that of judgement, or the newest start date where that is later.

    Every date is a whole second, so cutting off the fraction never goes before a start; and
    what the library takes as run out at its end, our own rules do as well.
    """
    return max(at_us, newest_start_us) // US_PER_S


def refuses_by_policy(
    body: SgxReport | TdReport, verdict: TcbVerdict, module: TdxModule | None
) -> bool:
    """Whether the library refuses even an authentic quote with this body and these statuses.

    Args:
        body: the quote's.
        verdict: our own statuses.
        module: what TCB Info wants of the TDX module; None for SGX, or where it knows none.
    """
    if verdict.status in {None, REVOKED}:
        return True
    if isinstance(body, SgxReport):
        return body.is_debug
    attributes = int.from_bytes(body.td_attributes, "little")
    return (
        attributes & _TD_CLEAR != 0
        or not attributes & _TD_SEPT_VE_DISABLE
        or any(body.mr_service_td)
        or module is None
        or not _is_module(body, module)
    )


def _is_module(body: TdReport, module: TdxModule) -> bool:
    mask = int.from_bytes(module.attributes_mask, "little")
    wanted = int.from_bytes(module.attributes, "little")
    attributes = int.from_bytes(body.seam_attributes, "little")
    return (
        body.mr_signer_seam == module.mr_signer
        and attributes & mask == wanted & mask
        and not attributes & ~mask
    )


@lru_cache(maxsize=_REMEMBERED)
def _converted(collateral: Collateral) -> Any:
    """As the library's own type, which carries no annotations."""
    from dcap_qvl import QuoteCollateralV3  # noqa: PLC0415 -- see this module's text

    tcb_info = split_signed(TCB_INFO, collateral.tcb_info)
    qe_identity = split_signed(QE_IDENTITY, collateral.qe_identity)
    return QuoteCollateralV3(
        pck_crl_issuer_chain=collateral.pck_crl_issuer_chain.decode(),
        root_ca_crl=collateral.root_ca_crl,
        pck_crl=collateral.pck_crl,
        tcb_info_issuer_chain=collateral.tcb_info_issuer_chain.decode(),
        tcb_info=tcb_info.text.decode(),
        tcb_info_signature=tcb_info.signature,
        qe_identity_issuer_chain=collateral.qe_identity_issuer_chain.decode(),
        qe_identity=qe_identity.text.decode(),
        qe_identity_signature=qe_identity.signature,
    )

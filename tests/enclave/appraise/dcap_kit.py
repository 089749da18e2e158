"""Verified DCAP quotes as values, and a policy under which the default ones are acceptable."""

from dataclasses import replace
from functools import cache
from typing import Any, Final

from enclave.appraise.policy import Policy
from enclave.evidence.dcap_quote import DcapQuote
from enclave.evidence.tcb_info import TdxModule
from enclave.verify.dcap import VerifiedQuote
from tests.enclave import simulated_pki as pki
from tests.simulators.dcap_factory import SGX_V3, TDX_V4, TDX_V5, make
from tests.simulators.dcap_quote_factory import Form

S: Final = 1_000_000
AT_US: Final = pki.AT_US
OLDEST_US: Final = AT_US - 600 * S
"""Age counts from here: ten minutes before the judgement."""

FORMS: Final = {"sgx": SGX_V3, "tdx-v4": TDX_V4, "tdx-v5": TDX_V5}


@cache
def quote(form: Form) -> DcapQuote:
    return DcapQuote.parse(make(form).quote)


def verified(form: Form = SGX_V3, body: dict[str, Any] | None = None, **changes: Any) -> Any:
    """A verified quote; ``body`` changes members of its body, the rest those of the result."""
    plain = quote(form)
    values: dict[str, Any] = {
        "quote": replace(plain, body=replace(plain.body, **(body or {}))),
        "simulated": True,
        "fmspc": bytes(6),
        "pce_id": bytes(2),
        "platform_status": "UpToDate",
        "qe_status": "UpToDate",
        "status": "UpToDate",
        "advisory_ids": (),
        "tcb_evaluation_data_number": 17,
        "module": None if form.is_sgx else TdxModule(bytes(48), bytes(8), b"\xff" * 8),
        "accepted_by_engine": True,
        "dates": (),
        "newest_start_us": AT_US - 300 * S,
        "oldest_collateral_us": OLDEST_US,
        "expires_us": AT_US + 900 * S,
    }
    return VerifiedQuote(**(values | changes))


TDX_MEMBERS: Final = (
    "mr_td", "rtmr0", "rtmr1", "rtmr2", "rtmr3", "mr_config_id", "mr_owner", "mr_owner_config",
    "mr_seam", "td_attributes", "xfam",
)  # fmt: skip


def measurement(form: Form, **changes: Any) -> dict[str, Any]:
    """The reference value that the default quote of this form fits, as JSON."""
    body: Any = quote(form).body
    if form.is_sgx:
        value = {
            "mr_enclave": body.mr_enclave.hex(),
            "mr_signer": body.mr_signer.hex(),
            "isv_prod_id": body.isv_prod_id,
            "min_isv_svn": body.isv_svn,
        }
    else:
        value = {name: getattr(body, name).hex() for name in TDX_MEMBERS}
    return value | changes


def policy(form: Form = SGX_V3, **changes: Any) -> Policy:
    members = {
        "evidence_kinds": ["dcap-sgx", "dcap-tdx", "epid"],
        "measurements": [measurement(form)],
        "advisories": ["INTEL-SA-00615"],
    }
    return pki.policy(**(members | changes))

"""DCAP evidence of one newcomer, good but for what a case changes, and what becomes of it.

A case is a value, so that others can judge it too: ``make differential`` lets an independent
implementation look at every one of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import pytest

from enclave.appraise.policy import Policy
from enclave.appraise.registration import judge_registration
from enclave.binding import NO_OWNER, registration_report_data
from enclave.errors import EnclaveError
from enclave.evidence.collateral import Collateral
from enclave.times import US_PER_S
from tests.enclave import simulated_pki as pki
from tests.simulators.dcap_factory import AT, SGX_V3, TDX_V4, TDX_V5, Made, make, tagged
from tests.simulators.dcap_quote_factory import (
    ISV_PROD_ID,
    ISV_SVN,
    MR_ENCLAVE,
    MR_SIGNER,
    Form,
    QuoteParts,
    body_of,
)

ACCEPTED: Final = "ok"

NETWORK: Final = b"n" * 32
NODE_ID: Final = b"\x09" + bytes(31)
REPORT_DATA: Final = registration_report_data(NODE_ID, NETWORK, NO_OWNER)

SGX: Final = (SGX_V3,)
TDX: Final = (TDX_V4, TDX_V5)
ALL: Final = (SGX_V3, TDX_V4, TDX_V5)
"""The forms of quote that are judged."""

MAX_AGE_S: Final = 366 * 86_400

Changes = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """One sub-case of a numbered negative case."""

    number: int
    name: str
    code: str
    """Of its refusal, or :data:`ACCEPTED` where the protocol accepts."""
    changes: Changes = field(default_factory=dict)
    """See :class:`tests.simulators.dcap_factory.Scene`."""
    form: Form = SGX_V3
    policy: Changes = field(default_factory=dict)
    at: datetime = AT
    roots_of: Changes | None = None
    """Changes to the scene whose root the policy names; None: the case's own."""
    tee_type: int | None = None
    """What the collateral's serialisation says; None: what its TCB Info says."""

    @property
    def title(self) -> str:
        """Form and name."""
        tee = "SGX" if self.form.is_sgx else "TDX"
        return f"{tee} v{self.form.version}: {self.name}"

    @property
    def at_us(self) -> int:
        """The time of judgement."""
        return int(self.at.timestamp()) * US_PER_S

    def made(self) -> Made:
        """The evidence."""
        changes = dict(self.changes)
        changes["body"] = {"report_data": REPORT_DATA, **changes.get("body", {})}
        return make(self.form, **changes)

    def verdict(self) -> str:
        """What a validator's enclave says of it: ``ok``, or the code of its refusal."""
        made = self.made()
        try:
            container = self.container(made)
        except EnclaveError as error:
            return error.code
        return judged(container, self.network_policy(made), self.at_us)

    def network_policy(self, made: Made) -> Policy:
        """The policy of the network that judges it."""
        rooted = made if self.roots_of is None else make(self.form, **self.roots_of)
        return policy_of(rooted, **self.policy)

    def container(self, made: Made) -> bytes:
        """As a transaction carries it.

        Raises:
            CollateralFormatError: what cannot be serialised never gets to a chain.
        """
        if self.tee_type is None:
            return made.container
        collateral = Collateral.parse_json(made.collateral_json)
        serialised = replace(collateral, tee_type=self.tee_type).encode_intel()
        return tagged((2, made.quote), (3, serialised))


def judged(container: bytes, policy: Policy, at_us: int) -> str:
    """``ok``, or the code of the refusal."""
    try:
        judge_registration(container, NO_OWNER, policy, NETWORK, at_us)
    except EnclaveError as error:
        return error.code
    return ACCEPTED


def cases(
    number: int,
    code: str,
    changes: Mapping[str, Changes],
    forms: tuple[Form, ...] = SGX,
    **more: Any,
) -> list[Case]:
    """Sub-cases that get the same code, for each of ``forms``."""
    return [
        Case(number, name, code, change, form, **more)
        for name, change in changes.items()
        for form in forms
    ]


def numbered(listed: list[Case], number: int) -> pytest.MarkDecorator:
    """Parametrize a test with the sub-cases of one number.

    Raises:
        LookupError: there is none, so that a lost case cannot turn a test green.
    """
    found = [case for case in listed if case.number == number]
    if not found:
        raise LookupError(f"no case has the number {number}")
    return pytest.mark.parametrize("case", found, ids=[case.title for case in found])


def policy_of(made: Made, **changes: Any) -> Policy:
    """A policy under which unchanged evidence is acceptable, and no other."""
    value: dict[str, Any] = {
        "trust_roots": [made.trust_root_entry],
        "evidence_kinds": ["dcap-sgx", "dcap-tdx"],
        "measurements": [sgx_measurement(), *(tdx_measurement(form) for form in (TDX_V4,))],
        "epid_quote_statuses": [],
        "platform_tcb_statuses": ["UpToDate"],
        "qe_tcb_statuses": ["UpToDate"],
        "advisories": ["INTEL-SA-00334", "INTEL-SA-00615"],
        "min_tcb_evaluation_data_number": 17,
        "max_evidence_age_s": MAX_AGE_S,
        "max_clock_skew_s": 30,
        "require_owner": False,
    }
    return Policy.from_value(pki.POLICY_MEMBERS | value | changes)


def sgx_measurement(**changes: Any) -> dict[str, Any]:
    """The factory's enclave as a policy names it."""
    named = {
        "mr_enclave": MR_ENCLAVE.hex(),
        "mr_signer": MR_SIGNER.hex(),
        "isv_prod_id": ISV_PROD_ID,
        "min_isv_svn": ISV_SVN,
    }
    return {key: value for key, value in (named | changes).items() if value is not ...}


def tdx_measurement(form: Form = TDX_V4, **changes: Any) -> dict[str, Any]:
    """The factory's trust domain as a policy names it."""
    from enclave.evidence.tdx_quote import TdReport  # noqa: PLC0415 -- for TDX cases alone

    report = TdReport.parse(body_of(QuoteParts(form=form, chain=b"")))
    names = (
        "mr_td", "rtmr0", "rtmr1", "rtmr2", "rtmr3", "mr_config_id", "mr_owner",
        "mr_owner_config", "mr_seam", "td_attributes", "xfam",
    )  # fmt: skip
    return {name: getattr(report, name).hex() for name in names} | changes


def flipped(at: int, bit: int = 1) -> Changes:
    """A quote with one bit changed after everything was signed."""

    def change(quote: bytes) -> bytes:
        changed = bytearray(quote)
        changed[at] ^= bit
        return bytes(changed)

    return {"quote": change}


def boundaries(form: Form) -> Iterator[tuple[str, int]]:
    """Where each part of an unchanged quote begins, by name."""
    quote = make(form).quote
    body = len(body_of(QuoteParts(form=form, chain=b"")))
    starts = {"version": 0, "key type": 2, "TEE type": 4, "QE SVN": 8, "PCE SVN": 10}
    starts |= {"vendor id": 12, "user data": 28}
    at = 48
    if form.version == 5:
        starts |= {"body type": 48, "body size": 50}
        at = 54
    starts |= {"body": at, "report_data": at + body - (64 if form.version < 5 else 128)}
    at += body
    starts |= {"signature size": at, "signature": at + 4, "attestation key": at + 68}
    at += 132
    if form.version > 3:
        starts |= {"outer type": at, "outer size": at + 2}
        at += 6
    starts |= {"QE report": at, "QE signature": at + 384, "auth size": at + 448}
    starts |= {"auth data": at + 450, "chain type": at + 482, "chain size": at + 484}
    starts |= {"chain": at + 488, "last byte": len(quote) - 1}
    yield from starts.items()

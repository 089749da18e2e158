"""The appraisal policy of a network: what evidence it accepts (protocol.md section 6).

A policy is canonical JSON with exactly the members below. Nothing has a default: what a
policy does not list, it refuses.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, Self

from enclave import canonical_json
from enclave.appraise.fields import (
    check_keys,
    read_bool,
    read_int,
    read_list,
    read_text,
    read_words,
    refuse,
)
from enclave.appraise.reference_values import (
    SgxMeasurement,
    TdxMeasurement,
    measurement_from_value,
)
from enclave.errors import EnclaveError, PolicyFormatError
from enclave.verify.roots import TrustRoots

EVIDENCE_KINDS: Final = frozenset({"epid", "dcap-sgx", "dcap-tdx"})

EPID_QUOTE_STATUSES: Final = frozenset(
    {
        "OK",
        "GROUP_OUT_OF_DATE",
        "CONFIGURATION_NEEDED",
        "SW_HARDENING_NEEDED",
        "CONFIGURATION_AND_SW_HARDENING_NEEDED",
    }
)
"""Statuses a policy may allow. With any other (SIGNATURE_INVALID, GROUP_REVOKED,
SIGNATURE_REVOKED, KEY_REVOKED, SIGRL_VERSION_MISMATCH) the service did not vouch for the
quote at all (IAS API v4, "Attestation Verification Report")."""

TCB_STATUSES: Final = frozenset(
    {
        "UpToDate",
        "SWHardeningNeeded",
        "ConfigurationNeeded",
        "ConfigurationAndSWHardeningNeeded",
        "OutOfDate",
        "OutOfDateConfigurationNeeded",
        "TDRelaunchAdvised",
        "TDRelaunchAdvisedConfigurationNeeded",
    }
)
"""Statuses a policy may allow; Revoked never."""

_ADVISORY: Final = re.compile(r"INTEL-SA-[0-9]{5}", re.ASCII)
_GAS_PRICE: Final = re.compile(
    r"((?:0|[1-9][0-9]{0,18})(?:\.[0-9]{1,18})?)([a-zA-Z][a-zA-Z0-9/:._-]{2,127})", re.ASCII
)

_REQUIRED: Final = frozenset(
    {
        "trust_roots",
        "evidence_kinds",
        "measurements",
        "epid_quote_statuses",
        "platform_tcb_statuses",
        "qe_tcb_statuses",
        "advisories",
        "min_tcb_evaluation_data_number",
        "max_evidence_age_s",
        "max_clock_skew_s",
        "allow_debug",
        "require_owner",
        "max_registrations_per_block",
        "min_gas_price",
        "simulation",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A network's rules; two policies are the same network's only if every member is equal."""

    trust_roots: tuple[str, ...]
    """``("intel",)``, or ``simulation:<base64 DER>`` roots."""
    evidence_kinds: tuple[str, ...]
    measurements: tuple[SgxMeasurement | TdxMeasurement, ...]
    epid_quote_statuses: tuple[str, ...]
    platform_tcb_statuses: tuple[str, ...]
    qe_tcb_statuses: tuple[str, ...]
    advisories: tuple[str, ...]
    min_tcb_evaluation_data_number: int
    max_evidence_age_s: int
    max_clock_skew_s: int
    allow_debug: bool
    require_owner: bool
    max_registrations_per_block: int
    min_gas_price: str
    """Decimal number and denomination, as in ``0.0025uscrt``."""
    simulation: bool
    note: str | None = None

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the canonical JSON of a policy.

        Raises:
            PolicyFormatError: the bytes are not a policy's canonical JSON, or break a rule of
                form; the message names the member.
        """
        policy = cls.parse_any_layout(data)
        if policy.encode() != data:
            raise PolicyFormatError("the policy is not canonical JSON")
        return policy

    @classmethod
    def parse_any_layout(cls, data: bytes) -> Self:
        """Read a policy from JSON with any white space and order of members, as people write it.

        Raises:
            PolicyFormatError: as :meth:`parse`, the layout apart.
        """
        try:
            value = canonical_json.loads(data)
        except ValueError as error:
            raise PolicyFormatError(f"the policy is not strict JSON: {error}") from error
        return cls.from_value(value)

    @classmethod
    def from_value(cls, value: Any) -> Self:
        """Read a policy from its parsed JSON.

        Raises:
            PolicyFormatError: a member is missing, unknown, or of another form.
        """
        members = check_keys(value, _REQUIRED, {"note"}, "the policy")
        try:
            canonical_json.encode(value)
        except ValueError as error:
            raise PolicyFormatError(f"the policy has no canonical JSON: {error}") from error
        policy = cls(
            trust_roots=_read_roots(members),
            evidence_kinds=read_words(members, "evidence_kinds", EVIDENCE_KINDS),
            measurements=tuple(
                measurement_from_value(item) for item in read_list(members, "measurements")
            ),
            epid_quote_statuses=read_words(members, "epid_quote_statuses", EPID_QUOTE_STATUSES),
            platform_tcb_statuses=read_words(members, "platform_tcb_statuses", TCB_STATUSES),
            qe_tcb_statuses=read_words(members, "qe_tcb_statuses", TCB_STATUSES),
            advisories=_read_advisories(members),
            min_tcb_evaluation_data_number=read_int(members, "min_tcb_evaluation_data_number"),
            max_evidence_age_s=read_int(members, "max_evidence_age_s"),
            max_clock_skew_s=read_int(members, "max_clock_skew_s"),
            allow_debug=read_bool(members, "allow_debug"),
            require_owner=read_bool(members, "require_owner"),
            max_registrations_per_block=read_int(members, "max_registrations_per_block"),
            min_gas_price=_read_gas_price(members),
            simulation=read_bool(members, "simulation"),
            note=read_text(members, "note") if "note" in members else None,
        )
        _check_roots(policy)
        return policy

    def to_value(self) -> dict[str, Any]:
        """The policy as JSON values."""
        value: dict[str, Any] = {}
        for key in sorted(_REQUIRED):
            member = getattr(self, key)
            value[key] = list(member) if isinstance(member, tuple) else member
        value["measurements"] = [measurement.to_value() for measurement in self.measurements]
        if self.note is not None:
            value["note"] = self.note
        return value

    def encode(self) -> bytes:
        """The policy's canonical JSON, over which network_id is computed."""
        return canonical_json.encode(self.to_value())

    def gas_price(self) -> tuple[Fraction, str]:
        """The least price of one unit of gas, and its denomination."""
        amount, denomination = _split_gas_price(self.min_gas_price)
        return Fraction(amount), denomination


def _check_roots(policy: Policy) -> None:
    try:
        roots = TrustRoots.of(policy)
    except EnclaveError as error:
        raise refuse("trust_roots", f"is refused: {error}") from error
    if policy.simulation != roots.simulated:
        expected = "true if and only if the trust roots are simulated"
        raise refuse("simulation", "contradicts the roots", expected=expected)
    if policy.allow_debug and not roots.simulated:
        raise refuse("allow_debug", "needs a simulated root", expected="false", seen="true")


def _read_roots(members: dict[str, Any]) -> tuple[str, ...]:
    roots = read_list(members, "trust_roots")
    if not all(isinstance(root, str) for root in roots):
        raise refuse("trust_roots", "has another form", expected="list of strings")
    return tuple(roots)


def _read_advisories(members: dict[str, Any]) -> tuple[str, ...]:
    advisories = read_list(members, "advisories")
    for advisory in advisories:
        if not isinstance(advisory, str) or not _ADVISORY.fullmatch(advisory):
            raise refuse(
                "advisories", "has another form", expected="INTEL-SA-NNNNN", seen=repr(advisory)
            )
    return tuple(advisories)


def _split_gas_price(text: str) -> tuple[str, str]:
    match = _GAS_PRICE.fullmatch(text)
    if match is None:
        expected = "a decimal number of at most 18 places and a denomination, as 0.0025uscrt"
        raise refuse("min_gas_price", "has another form", expected=expected, seen=text)
    return match[1], match[2]


def _read_gas_price(members: dict[str, Any]) -> str:
    text = read_text(members, "min_gas_price")
    _split_gas_price(text)
    return text


STRICT_PRODUCTION: Final = Policy(
    trust_roots=("intel",),
    evidence_kinds=("dcap-sgx", "dcap-tdx", "epid"),
    measurements=(),
    epid_quote_statuses=("OK", "SW_HARDENING_NEEDED"),
    platform_tcb_statuses=("SWHardeningNeeded", "UpToDate"),
    qe_tcb_statuses=("SWHardeningNeeded", "UpToDate"),
    advisories=(),
    min_tcb_evaluation_data_number=0,
    max_evidence_age_s=0,
    max_clock_skew_s=0,
    allow_debug=False,
    require_owner=False,
    max_registrations_per_block=0,
    min_gas_price="0uscrt",
    simulation=False,
)
"""What ``attest verify`` applies when no policy is given (cli.md).

As any policy, it refuses what it does not list, here every measurement, advisory and age.
It is of use with :data:`enclave.appraise.scope.PRODUCTION_ONLY`, under which those are
reported and not judged.
"""

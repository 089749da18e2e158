"""Reference values: the code identities that a policy allows (protocol.md section 6)."""

from dataclasses import dataclass, fields
from typing import Any, Final, Self

from enclave.appraise.fields import check_keys, read_hex, read_int

_MAX_U16: Final = 2**16 - 1

_TDX_SIZES: Final = {
    "mr_td": 48,
    "rtmr0": 48,
    "rtmr1": 48,
    "rtmr2": 48,
    "rtmr3": 48,
    "mr_config_id": 48,
    "mr_owner": 48,
    "mr_owner_config": 48,
    "mr_seam": 48,
    "td_attributes": 8,
    "xfam": 8,
}
"""Bytes of each field (Intel TDX module ABI, TDREPORT and TD quote body)."""


@dataclass(frozen=True, slots=True)
class SgxMeasurement:
    """One allowed SGX enclave; an optional field that is None is not judged."""

    mr_enclave: bytes
    mr_signer: bytes | None = None
    isv_prod_id: int | None = None
    min_isv_svn: int | None = None

    @classmethod
    def from_value(cls, value: Any) -> Self:
        """Read a member of ``measurements``.

        Raises:
            PolicyFormatError: a member is missing, unknown or of another form.
        """
        optional = {"mr_signer", "isv_prod_id", "min_isv_svn"}
        members = check_keys(value, {"mr_enclave"}, optional, "a measurement")
        return cls(
            read_hex(members, "mr_enclave", 32),
            read_hex(members, "mr_signer", 32) if "mr_signer" in members else None,
            read_int(members, "isv_prod_id", _MAX_U16) if "isv_prod_id" in members else None,
            read_int(members, "min_isv_svn", _MAX_U16) if "min_isv_svn" in members else None,
        )

    def to_value(self) -> dict[str, Any]:
        """The JSON object this was read from."""
        return _present(self)


@dataclass(frozen=True, slots=True)
class TdxMeasurement:
    """One allowed trust domain; every field is judged."""

    mr_td: bytes
    rtmr0: bytes
    rtmr1: bytes
    rtmr2: bytes
    rtmr3: bytes
    mr_config_id: bytes
    mr_owner: bytes
    mr_owner_config: bytes
    mr_seam: bytes
    td_attributes: bytes
    """8 bytes, as they stand in the quote (little-endian)."""
    xfam: bytes
    """8 bytes, as they stand in the quote (little-endian)."""

    @classmethod
    def from_value(cls, value: Any) -> Self:
        """Read a member of ``measurements``.

        Raises:
            PolicyFormatError: a member is missing, unknown or of another form.
        """
        members = check_keys(value, _TDX_SIZES.keys(), set(), "a measurement")
        return cls(**{key: read_hex(members, key, size) for key, size in _TDX_SIZES.items()})

    def to_value(self) -> dict[str, Any]:
        """The JSON object this was read from."""
        return _present(self)


def measurement_from_value(value: Any) -> SgxMeasurement | TdxMeasurement:
    """Read one member of ``measurements``: of a trust domain if it names ``mr_td``.

    Raises:
        PolicyFormatError: it has neither form.
    """
    if isinstance(value, dict) and "mr_td" in value:
        return TdxMeasurement.from_value(value)
    return SgxMeasurement.from_value(value)


def _present(measurement: SgxMeasurement | TdxMeasurement) -> dict[str, Any]:
    members = {field.name: getattr(measurement, field.name) for field in fields(measurement)}
    return {
        key: value.hex() if isinstance(value, bytes) else value
        for key, value in members.items()
        if value is not None
    }

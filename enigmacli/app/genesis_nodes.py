"""A registered node that a new genesis carries over (``app_state.register.registration``)."""

from dataclasses import dataclass
from typing import Any, Final, Self

from enigmacli.app.json_forms import (
    MAX_INT64,
    address,
    base64_bytes,
    hex_bytes,
    members,
    number,
    text,
    to_base64,
)
from enigmacli.chain.address import encode_address
from enigmacli.errors import GenesisError

MEASUREMENT_BYTES: Final = {"dcap-sgx": 32, "dcap-tdx": 48, "epid": 32}
"""Length of ``measurement`` by kind of evidence: mr_enclave, or mr_td."""

MAX_TCB_STATUS: Final = 64
"""Characters of ``tcb_status``, as :class:`enclave.calls.AdmitReply` has them."""

_DIGEST_BYTES: Final = 32
_WRAP_BYTES: Final = 48  # one encrypted seed; a new genesis has epoch 0 only


@dataclass(frozen=True, slots=True, kw_only=True)
class GenesisNode:
    """One record; its fields are those of the stored one (protocol.md section 9)."""

    node_id: bytes
    evidence_sha256: bytes
    encrypted_seed: bytes
    owner: bytes
    """20 bytes, all zero where the policy requires no owner."""
    height: int
    """Where the node was admitted, on the chain that it comes from."""
    evidence_kind: str
    measurement: bytes
    tcb_status: str

    @classmethod
    def from_value(cls, value: Any, path: str, prefix: str) -> Self:
        """Read parsed JSON.

        Raises:
            GenesisError: a member of another form; names its path.
        """
        names = tuple(cls.__dataclass_fields__)
        entry = members(value, path, names)
        kind = text(entry["evidence_kind"], f"{path}.evidence_kind")
        if kind not in MEASUREMENT_BYTES:
            raise GenesisError(f"{path}.evidence_kind is unknown")
        tcb_status = text(entry["tcb_status"], f"{path}.tcb_status")
        if len(tcb_status) > MAX_TCB_STATUS:
            raise GenesisError(f"{path}.tcb_status is longer than {MAX_TCB_STATUS} characters")
        return cls(
            node_id=hex_bytes(entry["node_id"], f"{path}.node_id", _DIGEST_BYTES),
            evidence_sha256=hex_bytes(
                entry["evidence_sha256"], f"{path}.evidence_sha256", _DIGEST_BYTES
            ),
            encrypted_seed=base64_bytes(
                entry["encrypted_seed"], f"{path}.encrypted_seed", _WRAP_BYTES
            ),
            owner=address(entry["owner"], f"{path}.owner", prefix),
            height=number(entry["height"], f"{path}.height", 0, MAX_INT64),
            evidence_kind=kind,
            measurement=hex_bytes(
                entry["measurement"], f"{path}.measurement", MEASUREMENT_BYTES[kind]
            ),
            tcb_status=tcb_status,
        )

    def to_value(self, prefix: str) -> dict[str, Any]:
        """The JSON values."""
        return {
            "encrypted_seed": to_base64(self.encrypted_seed),
            "evidence_kind": self.evidence_kind,
            "evidence_sha256": self.evidence_sha256.hex(),
            "height": self.height,
            "measurement": self.measurement.hex(),
            "node_id": self.node_id.hex(),
            "owner": encode_address(prefix, self.owner),
            "tcb_status": self.tcb_status,
        }
